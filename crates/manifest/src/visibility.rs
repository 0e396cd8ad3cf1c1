//! Which bytes of a document may be shown.

use kubestride_source::Visibility;
use kubestride_yaml::Value;

/// Which bytes of a document snippets may show.
pub fn visibility(_root: Value<'_>) -> Visibility {
    Visibility::none()
}
