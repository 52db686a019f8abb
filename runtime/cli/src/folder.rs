//! Folders of mesh files.

use std::collections::BTreeSet;
use std::path::Path;

use spec::Syntax;

use crate::exit::Exit;

/// Files as they are named; in place of a folder, the files below it that are KDL or YAML and wanted, each once.
///
/// A folder without any is refused: a misspelt path must not look like a mesh without mistakes.
pub(crate) fn expanded(paths: &[String], wanted: fn(&Path) -> bool) -> Result<Vec<String>, Exit> {
    let (mut result, mut seen) = (Vec::new(), BTreeSet::new());
    for path in paths {
        let folder = Path::new(path).is_dir();
        let files = if folder { below(Path::new(path), wanted)? } else { vec![path.clone()] };
        if files.is_empty() {
            return Err(anyhow::anyhow!("there is no mesh file in {path}").into());
        }
        result.extend(files.into_iter().filter(|file| seen.insert(file.clone())));
    }
    Ok(result)
}

/// Whether a line begins with `mesh`: what others include, and files of other tools, do not say it.
pub(crate) fn says_mesh(file: &Path) -> bool {
    let Ok(text) = std::fs::read(file) else { return true };
    text.split(|byte| *byte == b'\n').any(|line| {
        let rest = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).strip_prefix(b"mesh");
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\t' | b'\r' | b':' | b'"' | b'{')))
    })
}

/// In the order of the names. Hidden files and folders, and links, are left out.
fn below(folder: &Path, wanted: fn(&Path) -> bool) -> Result<Vec<String>, Exit> {
    let mut found = Vec::new();
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type()?);
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let Some(name) = path.to_str().filter(|_| !hidden) else { continue };
        if kind.is_dir() {
            found.extend(below(&path, wanted)?);
        } else if kind.is_file() && Syntax::of(name).is_some() && wanted(&path) {
            found.push(name.to_owned());
        }
    }
    Ok(found)
}
