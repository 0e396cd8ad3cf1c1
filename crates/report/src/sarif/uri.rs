//! Names of files as references.

use super::log::ArtifactLocation;

/// The root that relative names are relative to: where the tool was called.
const ROOT: &str = "%SRCROOT%";

/// The reference to a file by its name as the user gave it.
pub(crate) fn of(name: &str) -> ArtifactLocation {
    if name.starts_with('/') {
        return ArtifactLocation { uri: format!("file://{}", encode(name)), uri_base_id: None };
    }
    let mut name = name;
    while let Some(rest) = name.strip_prefix("./") {
        name = rest;
    }
    // What lies outside the root is not found from it.
    let inside = !name.split('/').any(|part| part == "..");
    ArtifactLocation { uri: encode(name), uri_base_id: inside.then_some(ROOT) }
}

fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::of;

    fn reference(name: &str) -> (String, Option<&'static str>) {
        let location = of(name);
        (location.uri, location.uri_base_id)
    }

    #[test]
    fn relative_names_have_a_root() {
        assert_eq!(reference("./deploy/my app.yaml"), ("deploy/my%20app.yaml".to_owned(), Some("%SRCROOT%")));
        assert_eq!(reference("<stdin>"), ("%3Cstdin%3E".to_owned(), Some("%SRCROOT%")));
        assert_eq!(reference("a:b/ü.yaml"), ("a%3Ab/%C3%BC.yaml".to_owned(), Some("%SRCROOT%")));
        assert_eq!(reference("../a.yaml"), ("../a.yaml".to_owned(), None));
    }

    #[test]
    fn absolute_names_are_addresses() {
        assert_eq!(reference("/srv/a b.yaml"), ("file:///srv/a%20b.yaml".to_owned(), None));
    }
}
