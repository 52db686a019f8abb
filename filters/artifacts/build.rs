//! Builds the wasm module with cargo, then prunes what Envoy does not need.

#[path = "build/compile.rs"]
mod compile;
#[path = "build/prune.rs"]
mod prune;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use sha2::{Digest, Sha256};

/// Without an operating system: proxy-wasm has what little a filter needs of one.
const TARGET: &str = "wasm32-unknown-unknown";

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out = folder("OUT_DIR")?;
    let manifest = folder("CARGO_MANIFEST_DIR")?;
    let workspace = manifest.parent().and_then(Path::parent).ok_or("the crate is not inside its workspace")?;
    rebuild_when_sources_change(workspace);

    let linked = compile::compile(workspace, "meshwright-module", TARGET, &out.join("module"))?;
    let linked = fs::read(&linked).map_err(|error| format!("{}: {error}", linked.display()))?;
    let module = prune::prune(&linked)?;
    let sha256: String = Sha256::digest(&module).iter().map(|byte| format!("{byte:02x}")).collect();
    write(&out.join("meshwright.wasm"), &module)?;
    write(&out.join("meshwright.sha256"), sha256.as_bytes())
}

fn rebuild_when_sources_change(workspace: &Path) {
    for source in [
        "Cargo.lock",
        "Cargo.toml",
        "rust-toolchain.toml",
        "filters/policy/Cargo.toml",
        "filters/policy/src",
        "filters/shell/Cargo.toml",
        "filters/shell/src",
        "filters/module/Cargo.toml",
        "filters/module/src",
        "filters/artifacts/build.rs",
        "filters/artifacts/build",
    ] {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
}

fn folder(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable).map(PathBuf::from).ok_or_else(|| format!("cargo did not set {variable}"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}
