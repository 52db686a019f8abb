//! A zone lies in one region: who says a zone alone is in the region that others say of it.
//!
//! Envoy compares the two together, so an endpoint and a caller of one zone must say the same of its region.

use std::collections::BTreeMap;

use crate::checked::{Node, Service};

pub(super) fn fill(services: &mut [Service], nodes: &mut [Node]) {
    let of_endpoints = services.iter().flat_map(|it| &it.endpoints).map(|it| (&it.zone, &it.region));
    let of_nodes = nodes.iter().map(|node| (&node.at.zone, &node.at.region));
    let said = of_nodes.chain(of_endpoints).filter_map(|(zone, region)| Some((zone.clone()?, region.clone()?)));
    let mut regions: BTreeMap<String, String> = BTreeMap::new();
    for (zone, region) in said {
        regions.entry(zone).or_insert(region);
    }
    let of_endpoints = services.iter_mut().flat_map(|it| &mut it.endpoints).map(|it| (&it.zone, &mut it.region));
    let of_nodes = nodes.iter_mut().map(|node| (&node.at.zone, &mut node.at.region));
    for (zone, region) in of_nodes.chain(of_endpoints) {
        if region.is_none() {
            *region = zone.as_ref().and_then(|zone| regions.get(zone)).cloned();
        }
    }
}
