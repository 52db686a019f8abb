//! Lists in pages: each ARN once, from the first page to the last, however AWS counts.

use std::collections::BTreeSet;

use compiler::import::ecs::Wants;
use compiler::observation::{Cluster, last};

use super::{Memory, Whole};
use crate::api::{Answer, Api, Fault, Kind, Page};
use crate::calls::Calls;

/// More pages than this are no list: 100,000 tasks.
const PAGES: usize = 1_000;

/// The cluster that ECS takes where none is named.
const DEFAULT: &str = "default";

/// All that are wanted, in the order of their ARNs. A name that no cluster has is told, and holds up no other.
pub(super) async fn clusters<A: Api>(
    api: &A,
    wants: &Wants,
    memory: &mut Memory,
    whole: &mut Whole,
    calls: &mut Calls<'_>,
) -> Answer<()> {
    let mut clusters = BTreeSet::new();
    let mut named: BTreeSet<&str> = wants.clusters.iter().map(String::as_str).collect();
    if named.is_empty() {
        named.insert(DEFAULT);
    }
    let everything = named.remove("*");
    if everything {
        let arns = all(api, List::Clusters, calls).await?;
        clusters.extend(arns.into_iter().map(|arn| Cluster { name: last(&arn).to_owned(), arn }));
    }
    let unknown: Vec<String> =
        named.iter().filter(|name| !memory.clusters.contains_key(**name)).map(|name| (*name).to_owned()).collect();
    for wanted in unknown {
        match described(api, &wanted, calls).await? {
            Some(cluster) => drop(memory.clusters.insert(wanted, cluster)),
            None => drop(whole.missing.insert(no_cluster(&wanted))),
        }
    }
    clusters.extend(named.iter().filter_map(|name| memory.clusters.get(*name).cloned()));
    if everything {
        // A list may be short: what tasks are known of is asked for by name.
        let known = memory.tasks.known.values().map(|known| known.task.cluster.clone());
        let known: BTreeSet<String> = known.filter(|arn| clusters.iter().all(|it| it.arn != *arn)).collect();
        for arn in known {
            match described(api, &arn, calls).await? {
                Some(cluster) => drop(clusters.insert(cluster)),
                None => drop(whole.lost.insert(arn)),
            }
        }
    }
    if let (true, true, Some(missing)) = (clusters.is_empty(), wants.cloud_map.is_empty(), whole.missing.first()) {
        return Err(Fault::new(Kind::Missing, "DescribeClusters", missing));
    }
    whole.clusters = clusters.into_iter().collect();
    Ok(())
}

/// One alone, if it exists: AWS refuses a list for one name that cannot be one.
async fn described<A: Api>(api: &A, wanted: &String, calls: &mut Calls<'_>) -> Answer<Option<Cluster>> {
    let is_it = |cluster: &Cluster| cluster.arn == *wanted || cluster.name == *wanted;
    match calls.make("DescribeClusters", || api.describe_clusters(std::slice::from_ref(wanted))).await {
        Err(fault) if [Kind::Missing, Kind::Refused].contains(&fault.kind) => Ok(None),
        answer => Ok(answer?.into_iter().find(is_it)),
    }
}

/// As `/status` says it.
pub(super) fn no_cluster(name: &str) -> String {
    format!("no cluster is called `{name}`")
}

/// The tasks of a cluster that are wanted to run.
pub(super) async fn tasks<A: Api>(api: &A, cluster: &str, calls: &mut Calls<'_>) -> Answer<BTreeSet<String>> {
    all(api, List::Tasks(cluster), calls).await
}

#[derive(Clone, Copy)]
enum List<'l> {
    Clusters,
    /// Of a cluster.
    Tasks(&'l str),
}

/// All pages. A list whose token expired is read again from its start, once.
async fn all<A: Api>(api: &A, list: List<'_>, calls: &mut Calls<'_>) -> Answer<BTreeSet<String>> {
    match pages(api, list, calls).await {
        Err(fault) if fault.kind == Kind::PageExpired => pages(api, list, calls).await,
        answer => answer,
    }
}

async fn page<A: Api>(api: &A, list: List<'_>, token: Option<&str>, calls: &mut Calls<'_>) -> Answer<Page> {
    match list {
        List::Clusters => calls.make("ListClusters", || api.list_clusters(token)).await,
        List::Tasks(cluster) => calls.make("ListTasks", || api.list_tasks(cluster, token)).await,
    }
}

async fn pages<A: Api>(api: &A, list: List<'_>, calls: &mut Calls<'_>) -> Answer<BTreeSet<String>> {
    let action = if matches!(list, List::Clusters) { "ListClusters" } else { "ListTasks" };
    let endless = |reason: &str| Err(Fault::new(Kind::Unusable, action, reason));
    let (mut arns, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    let mut token: Option<String> = None;
    loop {
        let answer = page(api, list, token.as_deref(), calls).await?;
        arns.extend(answer.arns);
        let Some(next) = answer.next.filter(|next| !next.is_empty()) else { return Ok(arns) };
        if !tokens.insert(next.clone()) {
            return endless("the same page follows again and again");
        }
        if tokens.len() > PAGES {
            return endless("the list has no end");
        }
        token = Some(next);
    }
}
