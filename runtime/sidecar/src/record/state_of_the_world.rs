//! Reading along where every response says what there is.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compiler::snapshot::ResourceKind;
use control_plane::Served;
use envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{Change, Noticed, Recorder};
use crate::last_good::kind_of;

pub(super) fn on_request(recorder: &mut Recorder, request: DiscoveryRequest, now: Duration) -> Noticed {
    recorder.meet(request.node);
    let Some(kind) = kind_of(&request.type_url) else { return Noticed::default() };
    let record = recorder.of(kind);
    let mut noticed = Noticed::default();
    let named = request.resource_names.iter().filter(|name| *name != "*");
    let subscribed = named.map(|name| {
        let name: Arc<str> = name.as_str().into();
        let since = record.subscribed.get(&name).copied().unwrap_or(now);
        (name, since)
    });
    let subscribed = subscribed.collect();
    record.named |= !request.resource_names.is_empty();
    record.wildcard = !record.named || request.resource_names.iter().any(|name| name == "*");
    record.subscribed = subscribed;
    let settled = record.settle(&request.response_nonce);
    match (settled, request.error_detail) {
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

pub(super) fn on_response(recorder: &mut Recorder, response: DiscoveryResponse) {
    let Some(kind) = kind_of(&response.type_url) else { return };
    let resources = response.resources.into_iter().filter_map(|any| {
        let named = Named::decode(any.value.as_slice()).ok()?;
        let version = digest(&any.value);
        Some(Arc::new(Served::new(kind, &named.name, &version, Bytes::from(any.value))))
    });
    let change = Change {
        whole: matches!(kind, ResourceKind::Cluster | ResourceKind::Listener),
        resources: resources.collect(),
        removed: Vec::new(),
    };
    recorder.of(kind).sent(response.nonce, change);
}

/// Every type that we know has its name in its first field.
#[derive(Clone, PartialEq, prost::Message)]
struct Named {
    #[prost(string, tag = "1")]
    name: String,
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
