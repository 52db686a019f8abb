//! What is asked of AWS: what a mesh wants that is served, not what any file says that somebody saves.
//!
//! What is read must not change for a mistake. It would be missing when the mistake is undone.

use std::collections::BTreeSet;

use compiler::import::ecs::Wants;
use tokio::sync::watch as latest;

/// The cluster that is read where none is named.
const USUAL: &str = "default";
const ALL: &str = "*";

pub(super) struct Asked {
    sender: latest::Sender<Option<Wants>>,
    /// Of the mesh that is served. Nothing before one was compiled.
    accepted: Option<Wants>,
    /// Of the state that is held.
    held: Option<Wants>,
}

impl Asked {
    pub(super) fn new(sender: latest::Sender<Option<Wants>>) -> Self {
        Self { sender, accepted: None, held: None }
    }

    pub(super) fn accepted(&mut self, wants: Option<&Wants>) {
        self.held = None;
        if let Some(wants) = wants {
            self.accepted = Some(wants.clone());
            self.ask(wants.clone());
        }
    }

    /// Also what is served needs: a change from one to the other may be no loss when both are known.
    pub(super) fn held(&mut self, wants: Option<&Wants>) {
        self.held = wants.cloned();
        if let Some(wants) = wants {
            self.ask(self.accepted.as_ref().map_or_else(|| wants.clone(), |accepted| both(accepted, wants)));
        }
    }

    pub(super) fn allowed(&mut self) {
        let held = self.held.take();
        self.accepted(held.as_ref());
    }

    /// Where nothing was accepted yet there is nothing to lose, and the mesh may be refused for want of what it asks.
    pub(super) fn refused(&mut self, wants: Option<&Wants>) {
        self.held = None;
        if let Some(wants) = wants.filter(|_| self.accepted.is_none()) {
            self.ask(wants.clone());
        }
    }

    fn ask(&self, wants: Wants) {
        self.sender.send_if_modified(|known| {
            let differs = known.as_ref() != Some(&wants);
            *known = Some(wants);
            differs
        });
    }
}

fn both(one: &Wants, other: &Wants) -> Wants {
    let of = |wants: &Wants| match wants.clusters.is_empty() {
        true => BTreeSet::from([USUAL.to_owned()]),
        false => wants.clusters.clone(),
    };
    let mut clusters = if one.clusters == other.clusters { one.clusters.clone() } else { &of(one) | &of(other) };
    if clusters.contains(ALL) {
        clusters.retain(|cluster| cluster == ALL);
    }
    Wants { clusters, cloud_map: &one.cloud_map | &other.cloud_map }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &[&str], other: &[&str], expected: &[&str]) {
        let wants = |clusters: &[&str]| Wants {
            clusters: clusters.iter().map(|&cluster| cluster.to_owned()).collect(),
            ..Wants::default()
        };
        assert_eq!(both(&wants(one), &wants(other)), wants(expected));
    }

    #[test]
    fn where_no_cluster_is_named_it_is_the_usual_one() {
        check(&[], &["a"], &["a", "default"]);
        check(&[], &[], &[]);
    }

    #[test]
    fn all_clusters_are_all() {
        check(&["a"], &["*"], &["*"]);
    }
}
