//! What differs between two states, in numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use compiler::snapshot::ResourceKind;

use super::Published;
use crate::view::Resources;

/// What streams will be told. Resources of one name that several proxies have count once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Proxies that are told something new.
    pub proxies: usize,
    /// Other names of proxies that are others now.
    pub names: usize,
    types: BTreeMap<ResourceKind, Counts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    added: usize,
    changed: usize,
    removed: usize,
}

#[derive(Default)]
struct Names {
    added: BTreeSet<Arc<str>>,
    changed: BTreeSet<Arc<str>>,
    removed: BTreeSet<Arc<str>>,
}

pub fn changes(before: &Published, after: &Published) -> Changes {
    let mut compared = BTreeSet::new();
    let mut types: BTreeMap<ResourceKind, Names> = BTreeMap::new();
    let mut proxies = 0;
    let nothing = Arc::default();
    let all: BTreeSet<&str> = before.views().chain(after.views()).map(|(name, _)| name).collect();
    for name in all {
        let old = before.view(name).unwrap_or(&nothing);
        let new = after.view(name).unwrap_or(&nothing);
        if Arc::ptr_eq(old, new) {
            continue;
        }
        let mut differs = false;
        for kind in ResourceKind::ALL {
            let (old, new) = (old.of(kind), new.of(kind));
            if old.version() == new.version() {
                continue;
            }
            differs = true;
            if compared.insert((kind, old.version().to_owned(), new.version().to_owned())) {
                compare(&old, &new, types.entry(kind).or_default());
            }
        }
        proxies += usize::from(differs);
    }
    let names = after.names().differences(before.names());
    Changes { proxies, names, types: types.into_iter().map(|(kind, names)| (kind, counts(&names))).collect() }
}

fn compare(old: &Resources, new: &Resources, names: &mut Names) {
    for served in new.iter() {
        match old.get(&served.name) {
            None => drop(names.added.insert(Arc::clone(&served.name))),
            Some(known) if known.version != served.version => drop(names.changed.insert(Arc::clone(&served.name))),
            Some(_) => {}
        }
    }
    let removed = old.iter().filter(|served| new.get(&served.name).is_none());
    names.removed.extend(removed.map(|served| Arc::clone(&served.name)));
}

fn counts(names: &Names) -> Counts {
    Counts { added: names.added.len(), changed: names.changed.len(), removed: names.removed.len() }
}

/// `2 clusters added, 1 route table changed for 3 proxies`
impl fmt::Display for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (kind, counts) in &self.types {
            let mut what = Some(*kind);
            for (count, word) in [(counts.added, "added"), (counts.changed, "changed"), (counts.removed, "removed")] {
                if count > 0 {
                    // The type is named once.
                    parts.push(match what.take() {
                        Some(kind) => format!("{} {word}", counted(count, words(kind))),
                        None => format!("{count} {word}"),
                    });
                }
            }
        }
        if !parts.is_empty() {
            write!(formatter, "{} for {}", parts.join(", "), counted(self.proxies, ["proxy", "proxies"]))?;
        }
        let names = || counted(self.names, ["other name of a proxy", "other names of proxies"]);
        match (parts.is_empty(), self.names) {
            (true, 0) => formatter.write_str("nothing changed"),
            (false, 0) => Ok(()),
            (true, _) => write!(formatter, "{} changed", names()),
            (false, _) => write!(formatter, ", {} changed", names()),
        }
    }
}

pub(crate) fn counted(count: usize, [one, many]: [&str; 2]) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn words(kind: ResourceKind) -> [&'static str; 2] {
    match kind {
        ResourceKind::Cluster => ["cluster", "clusters"],
        ResourceKind::Endpoints => ["set of endpoints", "sets of endpoints"],
        ResourceKind::Secret => ["secret", "secrets"],
        ResourceKind::Listener => ["listener", "listeners"],
        ResourceKind::Extension => ["filter", "filters"],
        ResourceKind::Routes => ["route table", "route tables"],
    }
}
