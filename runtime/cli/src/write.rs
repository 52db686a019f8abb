//! Output files: written whole or not at all, and only when they change.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

/// Whether a file had to be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Unchanged,
    Changed,
}

/// Makes `root/relative` hold these bytes, making folders as needed. A reader sees the old file or the new one.
pub fn file(root: &Path, relative: &str, bytes: &[u8]) -> anyhow::Result<Written> {
    let path = root.join(relative);
    if std::fs::read(&path).is_ok_and(|old| old == bytes) {
        return Ok(Written::Unchanged);
    }
    let folder = path.parent().unwrap_or(root);
    let failed = || format!("cannot write {}", path.display());
    std::fs::create_dir_all(folder).with_context(failed)?;
    let mut temporary = tempfile::Builder::new().prefix(".meshwright-").tempfile_in(folder).with_context(failed)?;
    temporary.write_all(bytes).with_context(failed)?;
    readable(temporary.as_file()).with_context(failed)?;
    temporary.persist(&path).with_context(failed)?;
    Ok(Written::Changed)
}

/// Temporary files are private to their maker; Envoy often runs as another user.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
