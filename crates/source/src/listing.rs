//! Names in messages, of which there can be many.

/// Most names that a message holds.
const LISTED: usize = 5;

/// The first names, and how many there are besides.
pub fn some_of<T: AsRef<str>>(names: &[T]) -> String {
    let mut text = names.iter().take(LISTED).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(LISTED);
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::some_of;

    #[test]
    fn a_few_names_are_given_and_the_rest_is_counted() {
        assert_eq!(some_of(&["a", "b", "c", "d", "e"]), "a, b, c, d, e");
        assert_eq!(some_of(&["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
    }
}
