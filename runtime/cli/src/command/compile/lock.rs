//! `meshwright.lock`: what a mesh was compiled from, by digest, so that nobody compiles something else unnoticed.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spec::source::Sensitivity;

use crate::mesh::Ready;
use crate::write;

pub(super) const FILE: &str = "meshwright.lock";

/// Digests are sha256, in lower-case hexadecimal. Files with secrets are not in it: digests of short secrets give them
/// away.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lock {
    version: u32,
    /// The module of the mesh's own filters.
    filters: String,
    /// The texts of the mesh, what they include and name.
    files: BTreeMap<String, String>,
    /// Wasm modules of the user's own.
    modules: BTreeMap<String, String>,
}

/// The lock file of a mesh.
pub(super) fn of(ready: &Ready) -> String {
    let texts = ready.sources.files().filter(|file| file.sensitivity == Sensitivity::Public);
    let lock = Lock {
        version: 1,
        filters: artifacts::MODULE_SHA256.to_owned(),
        files: texts.map(|file| (file.name.clone(), digest(file.text.as_bytes()))).collect(),
        modules: ready.sources.all_bytes().map(|(name, bytes)| (name.to_owned(), digest(bytes))).collect(),
    };
    let mut text = serde_json::to_string_pretty(&lock).unwrap_or_default();
    text.push('\n');
    text
}

/// Whether a folder's lock file is this one; names what differs.
pub(super) fn holds(folder: &Path, lock: &str) -> anyhow::Result<bool> {
    let path = folder.join(FILE);
    let there = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if there == lock {
        return Ok(true);
    }
    let parse =
        |text: &str| serde_json::from_str::<Lock>(text).with_context(|| format!("{} is no lock file", path.display()));
    let (old, new) = (parse(&there)?, parse(lock)?);
    let mut lines = String::new();
    if old.filters != new.filters {
        lines.push_str("  the filters of meshwright itself: another version of it compiles\n");
    }
    for (name, state) in differences(&old.files, &new.files).chain(differences(&old.modules, &new.modules)) {
        lines.push_str(&format!("  {name}: {state}\n"));
    }
    write::to_stderr(&format!(
        "error: the mesh is not what {} was made from\n{lines}  help: look at what changed, then compile without `--locked`\n",
        path.display()
    ))?;
    Ok(false)
}

fn differences<'a>(
    old: &'a BTreeMap<String, String>,
    new: &'a BTreeMap<String, String>,
) -> impl Iterator<Item = (&'a str, &'static str)> {
    let changed = new.iter().filter_map(|(name, digest)| match old.get(name) {
        Some(known) if known == digest => None,
        Some(_) => Some((name.as_str(), "changed")),
        None => Some((name.as_str(), "new")),
    });
    changed.chain(old.keys().filter(|name| !new.contains_key(*name)).map(|name| (name.as_str(), "gone")))
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
