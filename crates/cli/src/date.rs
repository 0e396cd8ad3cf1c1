//! The day of an analysis.

use std::time::{SystemTime, UNIX_EPOCH};

/// Whether a year is a leap year in the Gregorian calendar.
fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Today in UTC, `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    of_days(seconds / 86_400)
}

/// The day that lies `days` after 1970-01-01.
fn of_days(mut days: u64) -> String {
    let (mut year, mut month) = (1970, 1);
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    while days >= days_in_month(year, month) {
        days -= days_in_month(year, month);
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days + 1)
}

/// Checks a day that the user gives.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('-').collect();
    let numbers = || -> Option<(u64, u64, u64)> {
        let [year, month, day] = parts.as_slice() else { return None };
        let widths = (year.len(), month.len(), day.len()) == (4, 2, 2);
        let digits = parts.iter().all(|p| p.bytes().all(|b| b.is_ascii_digit()));
        (widths && digits).then(|| Some((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)))?
    };
    match numbers() {
        Some((year, month, day)) if (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month) => {
            Ok(text.to_owned())
        }
        _ => Err("a date is written YYYY-MM-DD".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{of_days, parse};

    #[test]
    fn days_are_counted_from_1970() {
        for (days, date) in [(0, "1970-01-01"), (59, "1970-03-01"), (11_016, "2000-02-29"), (20_780, "2026-11-23")] {
            assert_eq!(of_days(days), date);
        }
    }

    #[test]
    fn only_days_that_exist_are_taken() {
        assert!(parse("2024-02-29").is_ok());
        for bad in ["2023-02-29", "2024-13-01", "2024-1-1", "yesterday", "2024-00-10", "+024-01-01"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
