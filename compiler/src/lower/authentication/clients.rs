//! Callers with a key, and callers who sign.

use std::time::Duration;

use policy::{ApiKeyConfig, ClientKey, GivenKey, HmacSignatureConfig};
use spec::mesh::Engine;

use crate::checked::{ApiKey, HmacSignature};
use crate::envoy::http_filter::{api_key, wasm};
use crate::lower::policies::{Chain, Policies};
use crate::lower::scope::Scope;

pub(super) fn lower(scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain) {
    let owner = &policies.owner;
    if let Some(auth) = policies.api_key {
        let filter = match auth.engine() {
            Engine::Wasm => wasm::api_key(owner, &key_config(auth), scope.module),
            Engine::Native => api_key::api_key(owner, auth),
        };
        chain.add(policies, filter);
    }
    if let Some(auth) = policies.hmac_signature {
        chain.add(policies, wasm::hmac_signature(owner, &signature_config(owner, auth), scope.module));
    }
}

fn key_config(auth: &ApiKey) -> ApiKeyConfig {
    let key = |(client, key): &(String, GivenKey)| ClientKey { client: client.clone(), sha256: key.hash() };
    let mut keys: Vec<ClientKey> = auth.keys.iter().map(key).collect();
    // As the filter keeps them.
    keys.sort_by_cached_key(|key| key.sha256.to_hex());
    ApiKeyConfig {
        sources: auth.sources.clone(),
        keys,
        clients: auth.clients.clone(),
        realm: auth.realm.clone(),
        forward_client_header: auth.forward_client_header.clone(),
        hide: auth.hide,
    }
}

fn signature_config(owner: &str, auth: &HmacSignature) -> HmacSignatureConfig {
    let mut keys = auth.keys.clone();
    keys.sort_by_cached_key(|key| policy::sha256(key.id.as_bytes()));
    HmacSignatureConfig {
        owner: owner.to_owned(),
        keys,
        clients: auth.clients.clone(),
        components: auth.components.clone(),
        label: auth.label.clone(),
        tag: auth.tag.clone(),
        // 0 would be for ever.
        max_age_seconds: seconds(auth.max_age).max(1),
        clock_skew_seconds: seconds(auth.clock_skew),
        require_nonce: auth.require_nonce,
        replay_memory: auth.replay_memory,
        check_body: auth.check_body,
        forward_client_header: auth.forward_client_header.clone(),
    }
}

/// Signatures know whole seconds only.
fn seconds(time: Duration) -> u32 {
    let begun = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(begun).try_into().unwrap_or(u32::MAX)
}
