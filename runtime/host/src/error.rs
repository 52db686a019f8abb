//! How a module can fail before and while it runs.

use crate::Log;

/// Why a module cannot be loaded. Envoy would refuse its configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Not a WebAssembly module.
    #[error("not a valid WebAssembly module: {0}")]
    Invalid(String),
    /// No marker of an interface that is known here.
    #[error("the module exports none of proxy_abi_version_0_1_0, _0_2_0 and _0_2_1")]
    NoAbiVersion,
    /// A function that no host provides.
    #[error("missing import: {0}")]
    MissingImport(String),
    /// A function with parameters or results that no host's has.
    #[error("bad import: {0}")]
    BadImport(String),
    /// A callback with parameters or results that this version of the interface does not have.
    #[error("bad function signature for: {name}, want: {want}, but the module exports: {has}")]
    BadSignature {
        /// The callback.
        name: &'static str,
        /// Its signature in the interface.
        want: &'static str,
        /// Its signature in the module.
        has: String,
    },
    /// The module exports no memory.
    #[error("the module does not export its memory")]
    NoMemory,
}

/// Why a module that loads does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It trapped on the way.
    #[error(transparent)]
    Trap(#[from] Trap),
    /// It does not accept its configuration.
    #[error("{callback} returned false{}", last_words(log))]
    Refused {
        /// The callback that said so.
        callback: &'static str,
        /// What the module logged until then.
        log: Vec<Log>,
    },
}

/// The end of a virtual machine: in Envoy, every stream on it fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{callback} trapped: {reason}{}", quoted(last_words))]
pub struct Trap {
    /// The callback that trapped.
    pub callback: &'static str,
    /// What the module did wrong.
    pub reason: String,
    /// The last error that the module logged in this callback: a panic says here what happened.
    pub last_words: Option<String>,
}

fn quoted(last_words: &Option<String>) -> String {
    last_words.as_ref().map_or_else(String::new, |words| format!(", after it logged `{words}`"))
}

fn last_words(log: &[Log]) -> String {
    log.last().map_or_else(String::new, |log| format!(": {}", log.message))
}
