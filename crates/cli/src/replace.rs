//! Files that are replaced at once.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Result, bail};

/// Puts a text in the place of a file, or makes one. A crash leaves the old one whole.
///
/// # Errors
/// What the system says.
pub(crate) fn replace(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        bail!("there is no folder {}", folder.display());
    }
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    match std::fs::metadata(path) {
        Ok(old) => new.as_file().set_permissions(old.permissions())?,
        #[cfg(unix)]
        Err(_) => {
            use std::os::unix::fs::PermissionsExt as _;
            new.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        #[cfg(not(unix))]
        Err(_) => {}
    }
    new.persist(path)?;
    Ok(())
}
