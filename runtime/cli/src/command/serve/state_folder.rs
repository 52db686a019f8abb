//! Where what was served last is kept, unless the user says where.

use std::ffi::OsString;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

/// A service manager's folder, or the user's own: one for each mesh and each way of reading it.
pub(super) fn default(reading: &[OsString]) -> Option<PathBuf> {
    // systemd lists several with `:` between.
    if let Some(given) = said("STATE_DIRECTORY") {
        return std::env::split_paths(&given).next();
    }
    let home = said("XDG_STATE_HOME").map(PathBuf::from);
    let home = home.filter(|home| home.is_absolute());
    let home = home.or_else(|| said("HOME").map(|home| PathBuf::from(home).join(".local/state")))?;
    let mut hasher = Sha256::new();
    // Another folder has another mesh of this name.
    hasher.update(std::env::current_dir().ok()?.as_os_str().as_encoded_bytes());
    for part in reading {
        hasher.update([0]);
        hasher.update(part.as_encoded_bytes());
    }
    let name: String = hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Some(home.join("meshwright").join(name))
}

fn said(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
