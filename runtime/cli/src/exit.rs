//! Exit codes: a promise to scripts.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    Ok = 0,
    /// The input has mistakes.
    Invalid = 1,
    /// What is there differs from what would be written.
    Changed = 2,
    Usage = 64,
    /// Our own bug.
    Internal = 70,
    /// A file, socket or process failed.
    InputOutput = 74,
}

/// Why a command could not do its work, apart from mistakes in the mesh.
#[derive(Debug)]
pub struct Exit {
    pub status: ExitStatus,
    pub error: anyhow::Error,
}

impl Exit {
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { status: ExitStatus::Usage, error: error.into() }
    }
}

/// The world's failures are input/output unless said otherwise.
impl<E: Into<anyhow::Error>> From<E> for Exit {
    fn from(error: E) -> Self {
        Self { status: ExitStatus::InputOutput, error: error.into() }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}
