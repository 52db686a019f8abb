//! The playground as a module of Node: built by cargo for wasm32-unknown-unknown, bound by wasm-bindgen.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "meshwright-playground";

/// Quick to build, and quick enough; what overflows is found.
const PROFILE: [&str; 5] = [
    "profile.browser.inherits='release'",
    "profile.browser.opt-level=1",
    "profile.browser.overflow-checks=true",
    "profile.browser.debug-assertions=true",
    // What the module says of its features is for wasm-bindgen.
    "profile.browser.strip=false",
];

/// The folder with `playground.js`.
pub(crate) fn build() -> Result<PathBuf, String> {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("playground");
    let module = compile(&out.join("target"))?;
    let bound = out.join("node");
    let mut bindgen = Bindgen::new();
    let node = bindgen
        .nodejs(true)
        .and_then(|bindgen| bindgen.input_path(module).out_name("playground").typescript(false).generate(&bound));
    node.map_err(|error| format!("wasm-bindgen: {error:#}"))?;
    Ok(bound)
}

fn compile(target_dir: &Path) -> Result<PathBuf, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--quiet", "--locked", "--lib", "--package", PACKAGE, "--profile", "browser"])
        .args(["--target", TARGET, "--target-dir"])
        .arg(target_dir)
        .args(PROFILE.iter().flat_map(|setting| ["--config", setting]));
    // What is meant for the tests is not meant for the module.
    for variable in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        command.env_remove(variable);
    }
    let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{PACKAGE} does not build for {TARGET} (`rustup target add {TARGET}`):\n{log}"));
    }
    Ok(target_dir.join(TARGET).join("browser").join(PACKAGE.replace('-', "_")).with_extension("wasm"))
}
