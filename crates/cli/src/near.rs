//! Names that are near to one that nothing has.

/// Most names that are given.
const MOST: usize = 3;

/// The names of which some part is like what was asked for, the nearest first; of equally near ones those that come
/// first. `parts` gives what of a name people may have written.
pub(crate) fn nearest<'n>(
    asked: &str,
    names: impl Iterator<Item = &'n str>,
    parts: fn(&str) -> Vec<&str>,
) -> Vec<&'n str> {
    let asked = asked.to_lowercase();
    // A third of what was written may be wrong.
    let most = asked.chars().count().div_ceil(3);
    let mut found: Vec<(usize, &str)> = Vec::new();
    for name in names {
        let away = parts(name).into_iter().map(|part| distance(&asked, &part.to_lowercase(), most));
        let Some(away) = away.min().filter(|away| *away <= most) else { continue };
        let place = found.partition_point(|(other, _)| *other <= away);
        if place < MOST && !found.iter().any(|(_, other)| *other == name) {
            found.insert(place, (away, name));
            found.truncate(MOST);
        }
    }
    found.into_iter().map(|(_, name)| name).collect()
}

/// How many characters must be put in, taken out or changed to make one text of the other; more than `most` if there
/// are more. One that is a part of the other is near to it.
fn distance(one: &str, other: &str, most: usize) -> usize {
    if one.len() >= 3 && other.contains(one) {
        return usize::from(one != other);
    }
    let other: Vec<char> = other.chars().collect();
    let count = one.chars().count();
    if count.abs_diff(other.len()) > most {
        return most + 1;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut next = vec![at + 1];
        for ((above, pair), wanted) in row.iter().skip(1).zip(row.iter()).zip(&other) {
            let changed = pair + usize::from(letter != *wanted);
            let left = next.last().copied().unwrap_or_default();
            next.push(changed.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn changes_are_counted() {
        for (one, other, expected) in [
            ("cart", "cart", 0),
            ("crat", "cart", 2),
            ("car", "bar", 1),
            ("orders", "order", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other, 9), expected, "{one} {other}");
        }
        assert_eq!(distance("a", "abcdefgh", 2), 3, "further than asked for");
    }

    #[test]
    fn the_nearest_come_first() {
        let names = ["shop/order", "shop/orders", "shop/orders-db", "shop/web", "test/orders"];
        let parts: fn(&str) -> Vec<&str> = |name| name.split('/').skip(1).collect();
        assert_eq!(nearest("Orders", names.into_iter(), parts), ["shop/orders", "test/orders", "shop/order"]);
        assert_eq!(nearest("payment", names.into_iter(), parts), Vec::<&str>::new());
    }
}
