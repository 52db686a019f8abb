//! Outside wasm, builds this same crate for wasm, as plainly as its authors would: nothing is pruned.

#[path = "../../../../filters/artifacts/build/compile.rs"]
mod compile;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

fn main() -> ExitCode {
    if env::var_os("CARGO_CFG_TARGET_ARCH").is_some_and(|arch| arch == "wasm32") {
        return ExitCode::SUCCESS;
    }
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
    let workspace = manifest.ancestors().nth(4).ok_or("the crate is not inside its workspace")?;
    rebuild_when_sources_change(workspace);
    let linked = compile::compile(workspace, "meshwright-guest-sdk", "wasm32-wasip1", &out.join("module"))?;
    fs::copy(&linked, out.join("guest.wasm")).map_err(|error| format!("{}: {error}", linked.display()))?;
    Ok(())
}

fn rebuild_when_sources_change(workspace: &Path) {
    for source in ["Cargo.lock", "rust-toolchain.toml", "filters/artifacts/build/compile.rs", "runtime/host/guests/sdk"]
    {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }
}

fn folder(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable).map(PathBuf::from).ok_or_else(|| format!("cargo did not set {variable}"))
}
