//! The types of scalars, as `kubectl` sees them.
//!
//! `kubectl` reads manifests with sigs.k8s.io/yaml, which is go-yaml v2: YAML 1.1 booleans and octal numbers, but no
//! base 60 numbers. This follows `resolve` in go-yaml v2.4's `resolve.go`; timestamps stay strings, as JSON has none.

use crate::value::Kind;

/// A plain scalar's type and value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    /// From [`i64::MIN`] to [`u64::MAX`].
    Int(i128),
    Float(f64),
    Str,
}

impl Resolved {
    fn kind(self) -> Kind {
        match self {
            Resolved::Null => Kind::Null,
            Resolved::Bool(_) => Kind::Bool,
            Resolved::Int(_) => Kind::Int,
            Resolved::Float(_) => Kind::Float,
            Resolved::Str => Kind::Str,
        }
    }
}

/// The type of a scalar. `plain` is false for quoted and block scalars; `tag` is what follows `!!`, or something
/// unknown for tags of applications.
pub(crate) fn kind(text: &str, plain: bool, tag: Option<&str>) -> Kind {
    match tag {
        None if plain => resolve(text).kind(),
        None => Kind::Str,
        // A tag that the text does not fit is an error for kubectl; here the text stays usable as a string.
        Some("int" | "bool" | "null" | "float") => match (tag, resolve(text).kind()) {
            (Some("int"), Kind::Int) => Kind::Int,
            (Some("bool"), Kind::Bool) => Kind::Bool,
            (Some("null"), Kind::Null) => Kind::Null,
            (Some("float"), Kind::Int | Kind::Float) => Kind::Float,
            _ => Kind::Str,
        },
        Some(_) => Kind::Str,
    }
}

/// The type and value of a plain scalar without a tag.
pub(crate) fn resolve(text: &str) -> Resolved {
    match text.as_bytes().first() {
        None => Resolved::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => word(text),
        Some(b'.') => special(text).or_else(|| float(text)).unwrap_or(Resolved::Str),
        Some(b'+' | b'-') => special(text).unwrap_or_else(|| number(text)),
        Some(b'0'..=b'9') => number(text),
        Some(_) => Resolved::Str,
    }
}

fn word(text: &str) -> Resolved {
    match text {
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Resolved::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Resolved::Bool(false),
        _ => Resolved::Str,
    }
}

fn special(text: &str) -> Option<Resolved> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(Resolved::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Resolved::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Resolved::Float(f64::NEG_INFINITY)),
        _ => None,
    }
}

fn number(text: &str) -> Resolved {
    let joined: String;
    let digits = if text.contains('_') {
        joined = text.replace('_', "");
        &joined
    } else {
        text
    };
    integer(digits).map(Resolved::Int).or_else(|| float(digits)).unwrap_or(Resolved::Str)
}

/// Go's `ParseInt(text, 0, 64)`, or else `ParseUint`.
fn integer(text: &str) -> Option<i128> {
    let (negative, signed, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, true, text.get(1..)?),
        Some(b'+') => (false, true, text.get(1..)?),
        _ => (false, false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    // `from_str_radix` would take another sign.
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let value = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if negative { -value } else { value };
    let most = if signed { i128::from(i64::MAX) } else { i128::from(u64::MAX) };
    (i128::from(i64::MIN)..=most).contains(&value).then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn float(text: &str) -> Option<Resolved> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let rest = unsigned.trim_start_matches(|c: char| c.is_ascii_digit());
    let whole = unsigned.len() - rest.len();
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(after) => {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            (after.len() - rest.len(), rest)
        }
        None => (0, rest),
    };
    if whole + fraction == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || !exponent.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    // Go fails on numbers that are too large for a float, and the text then is a string.
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Resolved::Float)
}

#[cfg(test)]
mod tests {
    use super::{Kind, Resolved, kind, resolve};

    #[test]
    fn plain_scalars_have_the_types_kubectl_gives_them() {
        use Resolved::{Bool, Float, Int, Null, Str};
        let table: &[(&str, Resolved)] = &[
            ("", Null),
            ("~", Null),
            ("null", Null),
            ("Null", Null),
            ("NULL", Null),
            ("nULL", Str),
            ("nil", Str),
            ("y", Bool(true)),
            ("Y", Bool(true)),
            ("yes", Bool(true)),
            ("Yes", Bool(true)),
            ("YES", Bool(true)),
            ("yEs", Str),
            ("on", Bool(true)),
            ("On", Bool(true)),
            ("ON", Bool(true)),
            ("true", Bool(true)),
            ("True", Bool(true)),
            ("TRUE", Bool(true)),
            ("tRUE", Str),
            ("n", Bool(false)),
            ("N", Bool(false)),
            ("no", Bool(false)),
            ("No", Bool(false)),
            ("NO", Bool(false)),
            ("off", Bool(false)),
            ("Off", Bool(false)),
            ("OFF", Bool(false)),
            ("false", Bool(false)),
            ("False", Bool(false)),
            ("FALSE", Bool(false)),
            ("nope", Str),
            ("t", Str),
            ("f", Str),
            ("0", Int(0)),
            ("-0", Int(0)),
            ("+1", Int(1)),
            ("-12", Int(-12)),
            ("1_000", Int(1000)),
            ("0755", Int(493)),
            ("0o755", Int(493)),
            ("0x1F", Int(31)),
            ("0X1f", Int(31)),
            ("0b101", Int(5)),
            ("-0b101", Int(-5)),
            ("-0x10", Int(-16)),
            ("9223372036854775807", Int(i64::MAX.into())),
            ("-9223372036854775808", Int(i64::MIN.into())),
            ("18446744073709551615", Int(u64::MAX.into())),
            ("18446744073709551616", Float(18446744073709551616.0)),
            ("0x", Str),
            ("0b2", Str),
            ("--1", Str),
            ("-+1", Str),
            ("+", Str),
            ("-", Str),
            ("_1", Str),
            ("0x-1", Str),
            ("08", Float(8.0)),
            ("1.5", Float(1.5)),
            ("1.", Float(1.0)),
            (".5", Float(0.5)),
            ("-.5", Float(-0.5)),
            ("1e3", Float(1000.0)),
            ("1E+3", Float(1000.0)),
            ("12e-1", Float(1.2)),
            ("1e", Str),
            ("1e400", Str),
            (".", Str),
            ("..", Str),
            ("1.2.3", Str),
            ("10.0.0.0/8", Str),
            ("1:30", Str),
            ("100m", Str),
            ("128Mi", Str),
            ("inf", Str),
            ("nan", Str),
            ("infinity", Str),
            ("1e5e", Str),
            (".inf", Float(f64::INFINITY)),
            ("-.INF", Float(f64::NEG_INFINITY)),
            ("+.Inf", Float(f64::INFINITY)),
            ("2001-01-01", Str),
            ("2001-01-01T00:00:00Z", Str),
            ("=", Str),
            ("<<", Str),
            ("é", Str),
            ("1é", Str),
            ("0é", Str),
            ("-é", Str),
        ];
        for (text, expected) in table {
            assert_eq!(resolve(text), *expected, "{text:?}");
        }
        assert!(matches!(resolve(".nan"), Float(value) if value.is_nan()));
    }

    #[test]
    fn quotes_and_tags_decide_before_the_text_does() {
        let table: &[(&str, bool, Option<&str>, Kind)] = &[
            ("yes", true, None, Kind::Bool),
            ("yes", false, None, Kind::Str),
            ("", false, None, Kind::Str),
            ("12", true, Some("str"), Kind::Str),
            ("12", false, Some("int"), Kind::Int),
            ("12", true, Some("float"), Kind::Float),
            ("on", false, Some("bool"), Kind::Bool),
            ("", true, Some("null"), Kind::Null),
            ("", true, Some("str"), Kind::Str),
            ("aGk=", true, Some("binary"), Kind::Str),
            ("abc", true, Some("int"), Kind::Str),
            ("12", true, Some("of an application"), Kind::Str),
        ];
        for (text, plain, tag, expected) in table {
            assert_eq!(kind(text, *plain, *tag), *expected, "{text:?} {tag:?}");
        }
    }
}
