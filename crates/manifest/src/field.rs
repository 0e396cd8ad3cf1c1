//! Fields of objects, where null means not set.

use kubestride_yaml::{Kind, Value};

/// Reads fields as the API server does: a field that is null is not set.
///
/// It is implemented for optional values too, so that paths can be followed: `spec.field("template").field("spec")`.
pub trait Field<'a>: Sized {
    /// The value of a field, unless it is not set or null.
    fn field(self, key: &str) -> Option<Value<'a>>;

    /// The value of the field at the end of a path.
    fn path(self, keys: &[&str]) -> Option<Value<'a>>;

    /// The text of a scalar field.
    fn text(self, key: &str) -> Option<&'a str> {
        self.field(key)?.scalar_text()
    }

    /// The value of a boolean field; none for other types.
    fn flag(self, key: &str) -> Option<bool> {
        self.field(key)?.as_bool()
    }

    /// The items of a list field; nothing for other types.
    fn list(self, key: &str) -> impl Iterator<Item = Value<'a>> {
        self.field(key).into_iter().flat_map(Value::items)
    }

    /// The value of a field that must be a boolean.
    fn bool_field(self, key: &str) -> Option<Value<'a>> {
        self.field(key).filter(|value| value.kind() == Kind::Bool)
    }

    /// The value of a field that must be a mapping.
    fn mapping(self, key: &str) -> Option<Value<'a>> {
        self.field(key).filter(|value| value.kind() == Kind::Mapping)
    }
}

impl<'a> Field<'a> for Value<'a> {
    fn field(self, key: &str) -> Option<Value<'a>> {
        self.get(key).filter(|value| !value.is_null())
    }

    fn path(self, keys: &[&str]) -> Option<Value<'a>> {
        keys.iter().try_fold(self, |value, key| value.field(key))
    }
}

impl<'a> Field<'a> for Option<Value<'a>> {
    fn field(self, key: &str) -> Option<Value<'a>> {
        self?.field(key)
    }

    fn path(self, keys: &[&str]) -> Option<Value<'a>> {
        self?.path(keys)
    }
}

/// A port by number or by the name that a container gives it (`IntOrString`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortRef<'a> {
    /// A number from 1 to 65535.
    Number(u16),
    /// The name of a port.
    Name(&'a str),
}

impl<'a> PortRef<'a> {
    /// Reads a port. A text of digits is a number, which is what its author means. None for numbers out of range.
    pub fn read(value: Value<'a>) -> Option<Self> {
        let text = value.scalar_text().filter(|text| !value.is_null() && !text.is_empty())?;
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().ok().filter(|number| *number > 0).map(Self::Number);
        }
        value.as_str().map(Self::Name)
    }
}

/// A port number from 1 to 65535.
pub(crate) fn port_number(value: Value<'_>) -> Option<u16> {
    match PortRef::read(value) {
        Some(PortRef::Number(number)) => Some(number),
        _ => None,
    }
}
