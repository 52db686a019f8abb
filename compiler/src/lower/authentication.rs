//! Who is calling: passwords, tokens, keys, another server's word.

use policy::{BasicAuthConfig, BasicAuthRule};

use super::Parts;
use super::policies::{Chain, Policies};
use super::scope::Scope;

/// Tokens, keys and another server's word; passwords are gathered by [`passwords`].
pub(super) fn lower(_scope: &Scope<'_>, _policies: &Policies<'_>, _chain: &mut Chain, _parts: &mut Parts) {}

/// Our filter for all that ask for passwords, one rule each.
pub(super) fn passwords(scope: &Scope<'_>, all: &[Policies<'_>], chain: &mut Chain) {
    let rules: Vec<BasicAuthRule> = all
        .iter()
        .filter_map(|policies| {
            let auth = policies.basic_auth?;
            Some(BasicAuthRule {
                hosts: policies.hosts.clone(),
                exempt_paths: policies.exempt_paths(),
                realm: auth.realm.clone(),
                users: auth.users.clone(),
                forward_user_header: auth.forward_user_header.clone(),
            })
        })
        .collect();
    if !rules.is_empty() {
        chain.add_for_all(Some(crate::envoy::http_filter::wasm::basic_auth(&BasicAuthConfig { rules }, scope.module)));
    }
}
