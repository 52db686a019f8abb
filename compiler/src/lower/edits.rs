//! Header changes by templates, ids of requests, maintenance: filters of ours, one for each owner.

use super::policies::{Chain, Policies};
use super::scope::Scope;
use crate::envoy::http_filter::wasm;

pub(super) fn lower(scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain) {
    let owner = &policies.owner;
    if let Some(config) = policies.request_id {
        chain.add(policies, wasm::request_id(owner, config, scope.module));
    }
    if let Some(config) = policies.maintenance {
        chain.add(policies, wasm::maintenance(owner, config, scope.module));
    }
    if let Some(config) = policies.headers {
        chain.add(policies, wasm::headers(owner, config, scope.module));
    }
}
