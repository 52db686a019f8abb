//! Output: files, written whole or not at all and only when they change, and streams.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

/// Whether a file had to be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Unchanged,
    Changed,
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Everyone,
    Owner,
}

/// Makes `root/relative` hold these bytes, making folders as needed. A reader sees the old file or the new one.
pub fn file(root: &Path, relative: &str, bytes: &[u8]) -> anyhow::Result<Written> {
    place(root, relative, bytes, For::Everyone)
}

/// The same with what holds hashes of passwords, or keys: no other user can read it.
pub fn private_file(root: &Path, relative: &str, bytes: &[u8]) -> anyhow::Result<Written> {
    place(root, relative, bytes, For::Owner)
}

fn place(root: &Path, relative: &str, bytes: &[u8], whom: For) -> anyhow::Result<Written> {
    let path = root.join(relative);
    let failed = || format!("cannot write {}", path.display());
    if std::fs::read(&path).is_ok_and(|old| old == bytes) {
        if whom == For::Owner {
            let file = std::fs::File::open(&path).with_context(failed)?;
            readable(&file, whom).with_context(failed)?;
        }
        return Ok(Written::Unchanged);
    }
    let folder = path.parent().unwrap_or(root);
    std::fs::create_dir_all(folder).with_context(failed)?;
    let mut temporary = tempfile::Builder::new().prefix(".meshwright-").tempfile_in(folder).with_context(failed)?;
    temporary.write_all(bytes).with_context(failed)?;
    readable(temporary.as_file(), whom).with_context(failed)?;
    temporary.persist(&path).with_context(failed)?;
    Ok(Written::Changed)
}

/// Replaces the content of a file that is there, and keeps its permissions. Behind a link, its target is replaced.
pub fn in_place(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let target = path.canonicalize().with_context(failed)?;
    let permissions = std::fs::metadata(&target).with_context(failed)?.permissions();
    let folder = target.parent().unwrap_or(Path::new("/"));
    let mut temporary = tempfile::Builder::new().prefix(".meshwright-").tempfile_in(folder).with_context(failed)?;
    temporary.write_all(bytes).with_context(failed)?;
    temporary.as_file().set_permissions(permissions).with_context(failed)?;
    temporary.persist(&target).with_context(failed)?;
    Ok(())
}

/// Prints a result. A reader who has seen enough, such as `head`, is no failure.
pub fn to_stdout(text: &str) -> std::io::Result<()> {
    unless_closed(std::io::stdout().lock().write_all(text.as_bytes()))
}

/// Prints what accompanies a result.
pub fn to_stderr(text: &str) -> std::io::Result<()> {
    unless_closed(std::io::stderr().lock().write_all(text.as_bytes()))
}

/// Whether the user wants no colours anywhere (<https://no-color.org>).
pub fn plain_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

fn unless_closed(written: std::io::Result<()>) -> std::io::Result<()> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Temporary files are private to their maker; Envoy often runs as another user.
#[cfg(unix)]
fn readable(file: &std::fs::File, whom: For) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = match whom {
        For::Everyone => 0o644,
        For::Owner => 0o600,
    };
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File, _: For) -> std::io::Result<()> {
    Ok(())
}
