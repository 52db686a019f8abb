//! Reading along where responses say what changed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use control_plane::Served;
use envoy::service::discovery::v3::{DeltaDiscoveryRequest, DeltaDiscoveryResponse};

use super::{Change, Noticed, Recorder};
use crate::last_good::kind_of;

pub(super) fn on_request(recorder: &mut Recorder, request: DeltaDiscoveryRequest, now: Duration) -> Noticed {
    recorder.meet(request.node);
    let Some(kind) = kind_of(&request.type_url) else { return Noticed::default() };
    let first = !recorder.types.contains_key(&kind);
    let known: Vec<(Arc<str>, Option<Arc<Served>>)> = request
        .initial_resource_versions
        .iter()
        .map(|(name, version)| (name.as_str().into(), recorder.known(kind, name, version)))
        .collect();
    let record = recorder.of(kind);
    if first {
        record.wildcard = request.resource_names_subscribe.is_empty();
    }
    for name in &request.resource_names_subscribe {
        match name.as_str() {
            "*" => record.wildcard = true,
            name => drop(record.subscribed.entry(name.into()).or_insert(now)),
        }
    }
    for name in &request.resource_names_unsubscribe {
        match name.as_str() {
            "*" => record.wildcard = false,
            name => drop(record.subscribed.remove(name)),
        }
    }
    for (name, served) in known {
        match served {
            Some(served) => drop(record.kept.insert(name, served)),
            None => drop(record.unseen.insert(name)),
        }
    }
    let mut noticed = Noticed::default();
    match (record.settle(&request.response_nonce), request.error_detail) {
        (Some(change), None) => {
            record.apply(change);
            noticed.acknowledged = Some(kind);
        }
        (Some(_), Some(_)) => noticed.refused = Some(kind),
        (None, _) => {}
    }
    record.forget_the_rest();
    noticed
}

pub(super) fn on_response(recorder: &mut Recorder, response: DeltaDiscoveryResponse) {
    let Some(kind) = kind_of(&response.type_url) else { return };
    let resources = response.resources.into_iter().filter_map(|resource| {
        // Without content: what Envoy has goes on being right.
        let content = resource.resource?;
        Some(Arc::new(Served::new(kind, &resource.name, &resource.version, Bytes::from(content.value))))
    });
    let removed = response.removed_resources.iter().map(|name| name.as_str().into());
    let change = Change { whole: false, resources: resources.collect(), removed: removed.collect() };
    recorder.of(kind).sent(response.nonce, change);
}
