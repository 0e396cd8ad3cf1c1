//! Files of Microsoft's Threat Modeling Tool: read whole, as text.

use std::io;
use std::path::{Path, PathBuf};

use kubestride_source::Diagnostic;

use crate::read::{self, Failure};

/// Largest model that is read, in bytes.
const LARGEST: u64 = 1 << 28;

/// The `.tb7` and `.tm7` files of a directory, sorted by name.
///
/// # Errors
/// What the system says.
pub fn template_files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let wanted = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tb7") || e.eq_ignore_ascii_case("tm7"));
        if wanted && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The text of a `.tm7` or `.tb7` file, with its byte order mark if it has one, so that it can be written back as it
/// was.
///
/// # Errors
/// A file that cannot be read, is too large, is an archive, or is no UTF-8.
pub fn model_file(path: &Path) -> Result<String, Box<Diagnostic>> {
    let name = path.display();
    let fail = |code, message: String| Box::new(Diagnostic::error(code, message));
    let bytes = read::file(path, LARGEST).map_err(|failure| match failure {
        Failure::NotRegular => fail("not-a-file", format!("{name} is no file")),
        Failure::TooLarge => fail("too-large", format!("{name} was not read: it is larger than {} MiB", LARGEST >> 20)),
        Failure::Io(kind) => fail("unreadable", format!("{name} cannot be read: {}", crate::read::wording(kind))),
    })?;
    if bytes.starts_with(b"PK\x03\x04") {
        let error = fail("archive", format!("{name} is a ZIP archive and no model of Threat Modeling Tool"));
        return Err(Box::new(error.with_help("unpack it and name the .tm7 file in it")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        fail("invalid-utf8", format!("{name} is not valid UTF-8 from byte {at} on"))
    })
}
