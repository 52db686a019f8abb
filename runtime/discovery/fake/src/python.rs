//! The Python in which moto and boto3 are installed.

use std::path::{Path, PathBuf};

/// `make setup` was not run, or could not install them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("moto and boto3 are not installed: run `make setup`, or set VENV_AWS to a Python environment that has them")]
pub struct NotInstalled;

/// Looks at `VENV_AWS`, and at `target/venv-aws` in the current folder, the folder of this program and those above them.
pub fn find() -> Result<PathBuf, NotInstalled> {
    let given = std::env::var_os("VENV_AWS").filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(given) = given {
        return installed(&given).ok_or(NotInstalled);
    }
    let current = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let mut folders = current.iter().chain(program.iter()).flat_map(|start| start.ancestors());
    folders.find_map(|folder| installed(&folder.join("target/venv-aws"))).ok_or(NotInstalled)
}

/// The pins are copied once all is installed.
fn installed(environment: &Path) -> Option<PathBuf> {
    let python = environment.join("bin/python");
    (python.exists() && environment.join(".meshwright-pins").exists()).then_some(python)
}
