//! Finds the Envoy that the descriptors come from, and asks it about configurations.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// From `ENVOY`, the search path, or the project's own installation.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("ENVOY") {
        return PathBuf::from(path);
    }
    let search = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&search).map(|folder| folder.join("envoy"));
    on_path
        .chain(installed())
        .find(|path| path.is_file())
        .expect("real Envoy is needed: run `make setup`, or name the binary in ENVOY")
}

/// The Python environment of the project: it holds Envoy and the protobuf package.
pub(crate) fn environment() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv")
}

/// What Envoy warns about a configuration that it accepts, or says against one that it refuses.
/// The extension of `name` is the format.
pub(crate) fn judges(name: &str, config: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder for the configuration");
    let path = folder.path().join(name);
    std::fs::write(&path, config).expect("the configuration is written");
    let output = Command::new(binary())
        .args(["--mode", "validate", "--log-level", "warning", "--disable-hot-restart", "-c"])
        .arg(&path)
        .output()
        .expect("Envoy runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(said) } else { Err(said) }
}

/// Whether Envoy refuses for a rule of the descriptors, not for what it finds when it builds things.
pub(crate) fn names_a_rule(refusal: &str) -> bool {
    refusal.contains("Proto constraint validation failed")
}

fn installed() -> impl Iterator<Item = PathBuf> {
    let versions = std::fs::read_dir(environment().join("lib")).into_iter().flatten().flatten();
    versions
        .map(|entry| entry.path())
        .filter(|path| path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with("python3")))
        .map(|path| path.join("site-packages/envoy/_bin/envoy"))
}
