//! A state that takes too much away is not published before somebody says that it is meant.
//!
//! An empty file, a wrong merge or half a discovery looks like any other mesh, and would close every door at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use compiler::snapshot::ResourceKind;
use envoy::config::endpoint::v3::ClusterLoadAssignment;
use prost::Message as _;

use crate::published::Views;
use crate::view::{Resources, Served};

/// What a state may take away without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Percent of all endpoints, of all clusters and of all proxies.
    pub max_drop: u8,
    /// So few may always leave, or small meshes could not change.
    pub few: usize,
}

/// Why a state is held back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Nobody would be told anything any more.
    Empty,
    /// A service that has endpoints would have none, and some proxies still send requests there.
    EmptyService { endpoints: String, proxies: usize },
    /// So many of so many would leave.
    Drop { what: Counted, dropped: usize, of: usize, max_percent: u8 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    Endpoints,
    Clusters,
    Proxies,
}

/// Nothing if `next` may follow on `served`. Where nothing is served, anything may that is something.
pub fn objections(served: &Views, next: &Views, limits: Limits) -> Vec<Reason> {
    if next.is_empty() {
        return nothing(next);
    }
    if served.is_empty() {
        return Vec::new();
    }
    let (before, after) = (counts(served), counts(next));
    let mut reasons = Vec::new();
    for (name, old) in &before.endpoints {
        let new = after.endpoints.get(name);
        if let Some(new) = new.filter(|new| new.most == 0 && old.most > 0) {
            reasons.push(Reason::EmptyService { endpoints: name.to_string(), proxies: new.proxies });
        }
    }
    let fewer =
        |(name, old): (&Arc<str>, &Told)| old.most.saturating_sub(after.endpoints.get(name).map_or(0, |it| it.most));
    let gone = |old: &BTreeSet<Arc<str>>, new: &BTreeSet<Arc<str>>| old.difference(new).count();
    let proxies = served.keys().filter(|name| !next.contains_key(*name)).count();
    let dropped = [
        (
            Counted::Endpoints,
            before.endpoints.iter().map(fewer).sum(),
            before.endpoints.values().map(|it| it.most).sum(),
        ),
        (Counted::Clusters, gone(&before.clusters, &after.clusters), before.clusters.len()),
        (Counted::Proxies, proxies, served.len()),
    ];
    for (what, dropped, of) in dropped {
        let too_many = dropped.saturating_mul(100) > of.saturating_mul(usize::from(limits.max_drop));
        if dropped > limits.few && too_many {
            reasons.push(Reason::Drop { what, dropped, of, max_percent: limits.max_drop });
        }
    }
    reasons
}

/// The one objection to what nobody edited: that it is nothing at all.
pub fn nothing(next: &Views) -> Vec<Reason> {
    if next.is_empty() { vec![Reason::Empty] } else { Vec::new() }
}

#[derive(Default)]
struct Counts {
    clusters: BTreeSet<Arc<str>>,
    endpoints: BTreeMap<Arc<str>, Told>,
}

/// Endpoints of one name, of which callers may be told different ones.
#[derive(Default)]
struct Told {
    /// What the caller with the most is told.
    most: usize,
    proxies: usize,
}

fn counts(views: &Views) -> Counts {
    let mut counts = Counts::default();
    // Most proxies are told the same: each list is looked at once, each resource decoded once.
    let mut lists: BTreeMap<usize, (Arc<Resources>, usize)> = BTreeMap::new();
    let mut decoded: BTreeMap<usize, usize> = BTreeMap::new();
    for view in views.values() {
        for kind in [ResourceKind::Cluster, ResourceKind::Endpoints] {
            let list = view.of(kind);
            if kind == ResourceKind::Cluster {
                let seen = lists.insert(Arc::as_ptr(&list).addr(), (Arc::clone(&list), 0)).is_some();
                if !seen {
                    counts.clusters.extend(list.iter().map(|served| Arc::clone(&served.name)));
                }
                continue;
            }
            lists.entry(Arc::as_ptr(&list).addr()).or_insert_with(|| (list, 0)).1 += 1;
        }
    }
    for (list, proxies) in lists.values().filter(|(_, proxies)| *proxies > 0) {
        for served in list.iter() {
            let endpoints = *decoded.entry(Arc::as_ptr(served).addr()).or_insert_with(|| endpoints_of(served));
            let told = counts.endpoints.entry(Arc::clone(&served.name)).or_default();
            told.most = told.most.max(endpoints);
            told.proxies += proxies;
        }
    }
    counts
}

fn endpoints_of(served: &Served) -> usize {
    let assignment = ClusterLoadAssignment::decode(served.bytes.clone()).unwrap_or_default();
    assignment.endpoints.iter().map(|locality| locality.lb_endpoints.len()).sum()
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_drop: 30, few: 2 }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("the mesh would have no proxy at all"),
            Self::EmptyService { endpoints, proxies } => {
                let proxies = crate::published::counted(*proxies, ["proxy", "proxies"]);
                write!(formatter, "`{endpoints}` would lose its last endpoint while {proxies} send requests there")
            }
            Self::Drop { what, dropped, of, max_percent } => {
                let what = match what {
                    Counted::Endpoints => "endpoints",
                    Counted::Clusters => "clusters",
                    Counted::Proxies => "proxies",
                };
                write!(formatter, "{dropped} of {of} {what} would leave, more than {max_percent} %")
            }
        }
    }
}
