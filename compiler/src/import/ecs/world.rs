//! The tasks that may get requests, each with where its containers are reached.

use std::collections::BTreeMap;
use std::net::IpAddr;

use spec::Span;

use crate::observation::{Task, TaskDefinition};

/// What runs, in the order of the tasks' ARNs: the input of everything that gives it a meaning.
#[derive(Debug, Default)]
pub(crate) struct World<'o> {
    pub(crate) tasks: Vec<RunningTask<'o>>,
}

/// A task that may get requests.
#[derive(Clone, Debug)]
pub(crate) struct RunningTask<'o> {
    pub(crate) task: &'o Task,
    pub(crate) definition: &'o TaskDefinition,
    /// The record of the task: where what is made of it stands.
    pub(crate) span: Span,
    pub(crate) definition_span: Span,
    /// The name of its cluster.
    pub(crate) cluster: &'o str,
    /// Its own interface's, or its host's.
    pub(crate) address: IpAddr,
    /// Where ports of containers are reached: (container, its port) → port at `address`. With `awsvpc` and `host` they are
    /// the same.
    pub(crate) ports: BTreeMap<(String, u16), u16>,
    /// The port at `address` of its sidecar's ingress, if it has one.
    pub(crate) ingress: Option<u16>,
}
