//! What came of reading and compiling the sources once, also as bytes between two processes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use compiler::import::ecs::{Quarantined, Wants};
use prost::Message;

use super::files::Digests;
use crate::published::State;
use crate::store::{Damage, open, seal};

/// One attempt, whether it succeeded or not.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Every file that was read or that should have been, with what was found in it.
    pub files: Digests,
    pub findings: Findings,
    pub outcome: Result<State, Failure>,
    /// Reading, checking, compiling.
    pub took: [Duration; 3],
    /// Nothing where that is not known.
    pub ecs: Option<Ecs>,
}

/// What a mesh has to do with ECS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ecs {
    /// Also where what runs was not read yet. Nothing where there is no mesh that could say it.
    pub wants: Option<Wants>,
    /// The ARNs of clusters that were read, of those that the mesh wants.
    pub clusters: BTreeSet<String>,
    /// Whether what runs was read.
    pub observed: bool,
    pub quarantined: Vec<Quarantined>,
    /// Tasks that may get requests.
    pub routable: usize,
}

/// What was found in the mesh: errors, or warnings if it can be served all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Each as it is printed.
    pub each: Vec<String>,
    /// All of them, as `meshwright check` prints them.
    pub text: String,
    /// The same for machines.
    pub json: String,
    pub errors: usize,
    pub warnings: usize,
}

/// Why there is no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("the mesh has {}", crate::published::counted(*errors, ["error", "errors"]))]
    Invalid { errors: usize },
    #[error("{0}")]
    Unreadable(String),
    /// Nothing is known of what was read.
    #[error("the compiler {0}")]
    Crashed(String),
    #[error("compiling took longer than {} s", .0.as_secs())]
    TimedOut(Duration),
}

impl Failure {
    /// Another try may end otherwise, although no file changed.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Crashed(_) | Self::TimedOut(_))
    }
}

#[derive(Clone, PartialEq, Message)]
struct Wire {
    #[prost(message, repeated, tag = "1")]
    files: Vec<WireFile>,
    #[prost(string, repeated, tag = "2")]
    each: Vec<String>,
    #[prost(string, tag = "3")]
    text: String,
    #[prost(string, tag = "4")]
    json: String,
    #[prost(uint64, tag = "5")]
    errors: u64,
    #[prost(uint64, tag = "6")]
    warnings: u64,
    #[prost(message, optional, tag = "7")]
    state: Option<State>,
    /// Where there is no state: why nothing could be read; else the mesh has errors.
    #[prost(string, optional, tag = "8")]
    unreadable: Option<String>,
    #[prost(uint64, repeated, tag = "9")]
    microseconds: Vec<u64>,
    #[prost(message, optional, tag = "10")]
    ecs: Option<WireEcs>,
}

#[derive(Clone, PartialEq, Message)]
struct WireEcs {
    #[prost(string, repeated, tag = "1")]
    clusters: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    cloud_map: Vec<WirePair>,
    #[prost(message, repeated, tag = "3")]
    quarantined: Vec<WirePair>,
    #[prost(uint64, tag = "4")]
    routable: u64,
    #[prost(bool, tag = "5")]
    observed: bool,
    /// Whether there is a mesh that wants.
    #[prost(bool, tag = "6")]
    wants: bool,
    #[prost(string, repeated, tag = "7")]
    read: Vec<String>,
}

/// A namespace and a service, or who is quarantined and why.
#[derive(Clone, PartialEq, Message)]
struct WirePair {
    #[prost(string, tag = "1")]
    first: String,
    #[prost(string, tag = "2")]
    second: String,
}

#[derive(Clone, PartialEq, Message)]
struct WireFile {
    #[prost(bytes = "vec", tag = "1")]
    path: Vec<u8>,
    /// Empty if it could not be read.
    #[prost(bytes = "vec", tag = "2")]
    digest: Vec<u8>,
}

/// Crashes and time limits are seen by others: they are written as what cannot be read.
pub fn encode(attempt: Attempt) -> Vec<u8> {
    let Attempt { files, findings, outcome, took, ecs } = attempt;
    let Findings { each, text, json, errors, warnings } = findings;
    let file = |(path, digest): (PathBuf, Option<[u8; 32]>)| WireFile {
        path: path.into_os_string().into_encoded_bytes(),
        digest: digest.map_or_else(Vec::new, |digest| digest.to_vec()),
    };
    let (state, unreadable) = match outcome {
        Ok(state) => (Some(state), None),
        Err(Failure::Invalid { .. }) => (None, None),
        Err(failure) => (None, Some(failure.to_string())),
    };
    let wire = Wire {
        files: files.into_iter().map(file).collect(),
        each,
        text,
        json,
        errors: number(errors),
        warnings: number(warnings),
        state,
        unreadable,
        microseconds: took.iter().map(|took| u64::try_from(took.as_micros()).unwrap_or(u64::MAX)).collect(),
        ecs: ecs.map(wire_ecs),
    };
    seal(&wire.encode_to_vec())
}

pub fn decode(bytes: &[u8]) -> Result<Attempt, Damage> {
    let wire = Wire::decode(open(bytes)?).map_err(|_| Damage::Meaningless)?;
    let file = |file: WireFile| (path(file.path), <[u8; 32]>::try_from(file.digest).ok());
    let errors = usize::try_from(wire.errors).unwrap_or(usize::MAX);
    let outcome = match (wire.state, wire.unreadable) {
        (Some(state), _) => Ok(state),
        (None, Some(reason)) => Err(Failure::Unreadable(reason)),
        (None, None) => Err(Failure::Invalid { errors }),
    };
    let mut took = [Duration::ZERO; 3];
    for (took, microseconds) in took.iter_mut().zip(wire.microseconds) {
        *took = Duration::from_micros(microseconds);
    }
    Ok(Attempt {
        files: wire.files.into_iter().map(file).collect(),
        findings: Findings {
            each: wire.each,
            text: wire.text,
            json: wire.json,
            errors,
            warnings: usize::try_from(wire.warnings).unwrap_or(usize::MAX),
        },
        outcome,
        took,
        ecs: wire.ecs.map(ecs),
    })
}

fn wire_ecs(ecs: Ecs) -> WireEcs {
    let pair = |(first, second)| WirePair { first, second };
    let wants = ecs.wants.is_some();
    let Wants { clusters, cloud_map } = ecs.wants.unwrap_or_default();
    WireEcs {
        wants,
        clusters: clusters.into_iter().collect(),
        cloud_map: cloud_map.into_iter().map(pair).collect(),
        read: ecs.clusters.into_iter().collect(),
        quarantined: ecs.quarantined.into_iter().map(|it| pair((it.who, it.reason))).collect(),
        routable: number(ecs.routable),
        observed: ecs.observed,
    }
}

fn ecs(wire: WireEcs) -> Ecs {
    let cloud_map = wire.cloud_map.into_iter().map(|it| (it.first, it.second)).collect();
    Ecs {
        wants: wire.wants.then(|| Wants { clusters: wire.clusters.into_iter().collect(), cloud_map }),
        clusters: wire.read.into_iter().collect(),
        observed: wire.observed,
        quarantined: wire.quarantined.into_iter().map(|it| Quarantined { who: it.first, reason: it.second }).collect(),
        routable: usize::try_from(wire.routable).unwrap_or(usize::MAX),
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(unix)]
fn path(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt as _;
    std::ffi::OsString::from_vec(bytes).into()
}
