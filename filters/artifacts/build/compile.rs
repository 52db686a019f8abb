//! Compiles and links one wasm package with the cargo that runs this build.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How the module is built: small code, nothing to unwind, nothing for debuggers.
const PROFILE: [&str; 6] = [
    "profile.filter.inherits='release'",
    "profile.filter.opt-level='z'",
    "profile.filter.lto='fat'",
    "profile.filter.codegen-units=1",
    "profile.filter.panic='abort'",
    "profile.filter.strip='symbols'",
];

/// What is worth its size: a password's hash is thousands of rounds.
const FAST: [&str; 7] = ["argon2", "blake2", "blowfish", "md-5", "sha1", "sha2", "bcrypt"];

/// 64 KiB of stack is plenty without recursion. 32 MiB of memory holds thousands of delayed requests, and what argon2id
/// asks for; Envoy itself has no limit, and a filter must not take the task down.
const LINKER: [&str; 2] = ["link-arg=-zstack-size=65536", "link-arg=--max-memory=33554432"];

/// The path of the linked module of a package.
pub(crate) fn compile(workspace: &Path, package: &str, target: &str, target_dir: &Path) -> Result<PathBuf, String> {
    require_target(target)?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(workspace)
        .args(["build", "--quiet", "--lib", "--package", package, "--profile", "filter"])
        .args(["--target", target, "--target-dir"])
        .arg(target_dir)
        .args(PROFILE.iter().flat_map(|setting| ["--config", setting]))
        .args(
            FAST.iter().flat_map(|fast| ["--config".to_owned(), format!("profile.filter.package.{fast}.opt-level=3")]),
        )
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags(workspace))
        // Incremental compilation and link-time optimisation exclude each other.
        .env("CARGO_INCREMENTAL", "0");
    // The lock file decides, where there is one: same sources, same bytes.
    if workspace.join("Cargo.lock").exists() {
        command.arg("--locked");
    }
    // What is meant for the crate that waits for this build is not meant for the module.
    for variable in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CLIPPY_ARGS"] {
        command.env_remove(variable);
    }
    let output = command.output().map_err(|error| format!("cannot run cargo: {error}"))?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{package} does not build for {target}:\n{log}"));
    }
    Ok(target_dir.join(target).join("filter").join(package.replace('-', "_")).with_extension("wasm"))
}

/// Flags that make the bytes independent of the folders in which they are made.
fn rustflags(workspace: &Path) -> OsString {
    let mut flags = OsString::new();
    let mut add = |option: &str, value: OsString| {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push(option);
        flags.push("\u{1f}");
        flags.push(value);
    };
    for argument in LINKER {
        add("-C", argument.into());
    }
    for (folder, name) in [(cargo_home(), "/cargo"), (Some(workspace.into()), "/meshwright")] {
        if let Some(folder) = folder {
            let mut renamed = folder.into_os_string();
            renamed.push("=");
            renamed.push(name);
            add("--remap-path-prefix", renamed);
        }
    }
    flags
}

fn cargo_home() -> Option<PathBuf> {
    if let Some(home) = env::var_os("CARGO_HOME") {
        return Some(home.into());
    }
    Some(env::home_dir()?.join(".cargo"))
}

/// Rust says only that it "can't find crate for `core`".
fn require_target(target: &str) -> Result<(), String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked = Command::new(&rustc).args(["--print", "target-libdir", "--target", target]).output();
    let asked = asked.map_err(|error| format!("cannot run {}: {error}", rustc.display()))?;
    let libraries = String::from_utf8_lossy(&asked.stdout);
    if asked.status.success() && Path::new(libraries.trim()).exists() {
        return Ok(());
    }
    Err(format!("the filters need Rust's target {target}: run `rustup target add {target}`"))
}
