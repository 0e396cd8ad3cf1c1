//! How wide a text is, and how it is made to fit.
//!
//! Widths come from a table, not from a font of the machine, so that every machine draws the same. They are those of
//! a common sans-serif face, a little enlarged because the reader's own face may be wider.

/// Widths of the characters from space to `~`, in thousandths of the font size.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];

/// By how much the table is enlarged, in percent.
const ENLARGE: u32 = 113;

fn char_width(c: char) -> u32 {
    match c {
        ' '..='~' => u32::from(WIDTHS[c as usize - 32]),
        c if (c as u32) < 0x1100 => 620,
        _ => 1000,
    }
}

/// The width of a text in pixels at a font size, rounded up.
pub fn width(text: &str, size: i32) -> i32 {
    let units: u32 = text.chars().map(char_width).sum();
    (u64::from(units) * u64::from(ENLARGE) * size.unsigned_abs() as u64).div_ceil(100_000) as i32
}

/// Whether a character could change how the text around it is shown, or could not be written in XML.
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// The text without characters that nobody could see.
pub(crate) fn visible(text: &str) -> String {
    text.chars().filter(|c| !is_unprintable(*c)).collect()
}

/// The text, cut with `…` so that it is at most `limit` pixels wide.
pub fn fit(text: &str, size: i32, limit: i32) -> String {
    if width(text, size) <= limit {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        out.push(c);
        if width(&out, size) + width("…", size) > limit {
            out.pop();
            break;
        }
    }
    out.push('…');
    out
}

/// A name in at most two lines of at most `limit` pixels, broken after a separator if there is one.
pub fn two_lines(text: &str, size: i32, limit: i32) -> Vec<String> {
    let text = visible(text);
    if width(&text, size) <= limit {
        return vec![text];
    }
    let breaks = text.char_indices().filter(|(_, c)| "-_./: ".contains(*c)).map(|(i, _)| i + 1);
    let half = |at: usize| (width(&text[..at], size) - width(&text[at..], size)).abs();
    let fits = |at: &usize| width(&text[..*at], size) <= limit && *at < text.len();
    let best = breaks.filter(fits).min_by_key(|at| (half(*at), *at));
    let at = best.filter(|at| width(&text[*at..], size) <= limit).or_else(|| {
        // No separator near the middle: a little too wide is better than a torn word; else the first line takes what
        // it can.
        let torn = text.char_indices().map(|(i, _)| i).rfind(fits);
        torn.filter(|_| width(&text, size) > limit * 5 / 4)
    });
    match at {
        Some(at) if at > 0 => vec![text[..at].trim_end().to_owned(), fit(text[at..].trim_start(), size, limit)],
        _ => vec![fit(&text, size, limit * 5 / 4)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_take_two_lines_and_an_ellipsis() {
        assert_eq!(two_lines("cart", 12, 130), ["cart"]);
        assert_eq!(two_lines("product-catalogue-service", 12, 120), ["product-", "catalogue-service"]);
        let lines = two_lines(&"a".repeat(253), 12, 120);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…') && lines.iter().all(|l| width(l, 12) <= 120), "{lines:?}");
    }

    #[test]
    fn direction_marks_and_control_characters_are_dropped() {
        assert_eq!(visible("a\u{202e}b\u{0}c\u{7}\u{feff}"), "abc");
    }
}
