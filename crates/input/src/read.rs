//! Bytes from files and streams, and texts from bytes.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read},
    path::Path,
};

/// Why there are no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A device, a pipe, a socket.
    NotRegular,
    /// More bytes than the limit.
    TooLarge,
    /// What the system says.
    Io(io::ErrorKind),
}

/// What the system says, as its own tools word it.
pub(crate) fn wording(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        other => other.to_string(),
    }
}

/// The bytes of a regular file of at most `limit` bytes. Larger ones are not read into memory.
pub(crate) fn file(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let failed = |error: io::Error| Failure::Io(error.kind());
    // Opening some devices does something, so they are not even opened.
    regular(&std::fs::metadata(path).map_err(failed)?)?;
    let file = open(path).map_err(failed)?;
    // What was opened may be something else than what was looked at.
    let metadata = file.metadata().map_err(failed)?;
    regular(&metadata)?;
    if metadata.len() > limit {
        return Err(Failure::TooLarge);
    }
    stream(&mut &file, limit)
}

fn regular(metadata: &std::fs::Metadata) -> Result<(), Failure> {
    if metadata.is_file() { Ok(()) } else { Err(Failure::NotRegular) }
}

/// Without waiting for the other end, should it be a pipe.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        if let Ok(flags) = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()) {
            options.custom_flags(flags);
        }
    }
    options.open(path)
}

/// All bytes of `reader`, if they are at most `limit`.
pub(crate) fn stream(reader: &mut dyn Read, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| Failure::Io(error.kind()))?;
    if bytes.len() as u64 > limit { Err(Failure::TooLarge) } else { Ok(bytes) }
}

/// A text, and where it had to be patched.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decoded {
    /// The text without a byte order mark.
    pub(crate) text: String,
    /// Offsets in `text` of the replacement characters that stand for what could not be read.
    pub(crate) bad: Vec<usize>,
    /// What it was read as.
    pub(crate) encoding: &'static str,
}

/// Reads UTF-8, or UTF-16 if the text begins with its byte order mark, as PowerShell writes it.
pub(crate) fn decode(bytes: Vec<u8>) -> Decoded {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: Vec<u8>) -> Decoded {
    let encoding = "UTF-8";
    match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{feff}') {
                text.drain(..'\u{feff}'.len_utf8());
            }
            Decoded { text, bad: Vec::new(), encoding }
        }
        Err(error) => {
            let bytes = error.as_bytes();
            let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
            let mut decoded = Decoded { encoding, ..Decoded::default() };
            for chunk in bytes.utf8_chunks() {
                decoded.text.push_str(chunk.valid());
                if !chunk.invalid().is_empty() {
                    decoded.replace();
                }
            }
            decoded
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Decoded {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut decoded = Decoded { encoding: "UTF-16", ..Decoded::default() };
    for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match c {
            Ok(c) => decoded.text.push(c),
            Err(_) => decoded.replace(),
        }
    }
    if !rest.is_empty() {
        decoded.replace();
    }
    decoded
}

impl Decoded {
    fn replace(&mut self) {
        self.bad.push(self.text.len());
        self.text.push(char::REPLACEMENT_CHARACTER);
    }
}

/// Line and column of `offset`, from 1, columns in characters.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(line..).map_or(0, |start| start.chars().count());
    (before.bytes().filter(|b| *b == b'\n').count() + 1, column + 1)
}

#[cfg(test)]
mod tests {
    use super::{decode, position};

    #[test]
    fn encodings() {
        let table: &[(&[u8], &str, &[usize])] = &[
            (b"", "", &[]),
            (b"a: 1", "a: 1", &[]),
            (b"\xef\xbb\xbfa: 1", "a: 1", &[]),
            (b"\xff\xfea\0:\0", "a:", &[]),
            (b"\xfe\xff\0a\0:", "a:", &[]),
            (b"\xff\xfea\0:", "a\u{fffd}", &[1]),
            (b"\xff\xfe\0\xd8a\0", "\u{fffd}a", &[0]),
            (b"a\xffb\xc3", "a\u{fffd}b\u{fffd}", &[1, 5]),
            (b"\xef\xbb\xbfa\xff", "a\u{fffd}", &[1]),
            ("a\u{fffd}b".as_bytes(), "a\u{fffd}b", &[]),
        ];
        for (bytes, text, bad) in table {
            let decoded = decode(bytes.to_vec());
            assert_eq!((decoded.text.as_str(), decoded.bad.as_slice()), (*text, *bad), "{bytes:?}");
        }
    }

    #[test]
    fn positions_count_characters() {
        assert_eq!(position("ä\nöx", 5), (2, 2));
        assert_eq!(position("", 0), (1, 1));
    }
}
