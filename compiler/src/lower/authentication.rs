//! Who is calling: passwords, tokens, keys, another server's word.

mod clients;
mod keys;

use std::sync::Arc;

use policy::BasicAuthConfig;
use spec::mesh::{Engine, FailureMode};

use super::policies::{Chain, Policies};
use super::scope::Scope;
use super::{Parts, authorization, cluster};
use crate::checked::{BasicAuth, Destination, ExternalAuth};
use crate::envoy::http_filter::external_auth::{Question, external_auth};
use crate::envoy::http_filter::{basic_auth, jwt, rbac, wasm};
use crate::envoy::{self, names, rbac::allow};

/// Of requests that another server is asked about.
const NOTE: &str = "asked_";

/// Passwords, tokens, keys and another server's word.
pub(super) fn lower(scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain, parts: &mut Parts) {
    let owner = &policies.owner;
    if let Some(auth) = policies.basic_auth {
        let header = auth.forward_user_header.as_deref();
        let filter = match auth.engine {
            Engine::Native => basic_auth::basic_auth(owner, htpasswd(auth), &auth.realm, header),
            Engine::Wasm => wasm::basic_auth(owner, &passwords(auth), scope.module),
        };
        chain.add(policies, filter);
    }
    if let Some(auth) = policies.jwt {
        let providers = auth.providers.iter().map(|id| keys::provider(scope, *id, parts)).collect();
        let asked = jwt::Asked { optional: auth.optional, except: auth.except_path_prefix.clone() };
        chain.add(policies, jwt::jwt(owner, providers, &asked));
    }
    clients::lower(scope, policies, chain);
    if let Some(auth) = policies.external_auth {
        external(scope, policies, auth, chain, parts);
    }
}

/// Our filter: where it works and which health checks pass it, virtual hosts say.
fn passwords(auth: &BasicAuth) -> BasicAuthConfig {
    BasicAuthConfig {
        realm: auth.realm.clone(),
        users: auth.users.clone(),
        rules: auth.rules.clone(),
        forward_user_header: auth.forward_user_header.clone(),
        hide: auth.hide,
        cors_preflight: auth.preflight,
        failure_micros_per_second: u32::try_from(auth.failure_budget.as_micros()).unwrap_or(u32::MAX),
    }
}

fn external(scope: &Scope<'_>, policies: &Policies<'_>, auth: &ExternalAuth, chain: &mut Chain, parts: &mut Parts) {
    let asked = Destination { service: auth.service, subset: None };
    cluster::remote(scope, asked, parts);
    let noted = (!auth.headers.is_empty()).then(|| NOTE.to_owned());
    if let Some(note) = &noted {
        let rules = [("asked".to_owned(), authorization::headers(&auth.headers))].into();
        chain.add(policies, rbac::noted(&policies.owner, note, allow(rules)));
    }
    let server = scope.mesh.service(auth.service);
    let reached = names::destination(scope.mesh, asked);
    let authority = server.name.key();
    let http = parts.clusters.iter().find(|cluster| cluster.name == reached && !auth.grpc);
    let http = http.map(|cluster| envoy::asked::asked(cluster, names::asked_cluster(server), &authority));
    let cluster = http.as_ref().map_or(reached, |cluster| cluster.name.clone());
    http.map(Arc::new).into_iter().for_each(|cluster| parts.cluster(cluster));
    let question = Question {
        cluster,
        authority,
        grpc: auth.grpc,
        path_prefix: auth.path_prefix.clone().unwrap_or_default(),
        timeout: auth.timeout,
        pass_without_answer: auth.failure == FailureMode::Open,
        send_headers: auth.send_headers.clone(),
        accept_headers: auth.accept_headers.clone(),
        max_body_bytes: auth.max_body_bytes,
        noted,
    };
    chain.add(policies, external_auth(&policies.owner, question));
}

fn htpasswd(auth: &BasicAuth) -> String {
    auth.users.iter().map(|user| format!("{}:{}\n", user.name, user.hash.to_htpasswd())).collect()
}
