//! Which addresses may send requests: our filter, or Envoy's `rbac` where the mesh says so.

use policy::fault::Status;
use policy::{IpAccessConfig, Network};
use spec::Spanned;
use spec::mesh::{Cidr, Engine, IpAccess};

use super::policies::{Chain, Policies};
use super::scope::Scope;
use crate::envoy::http_filter::{rbac, wasm};
use crate::envoy::rbac::{all_of, allow, any_of, client_network, not};

const FORBIDDEN: u16 = 403;

pub(super) fn lower(scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain) {
    let Some(said) = policies.ip_access else { return };
    let owner = &policies.owner;
    let filter = match engine(said) {
        Engine::Native => rbac::ip_access(owner, allow([("clients".to_owned(), clients(said))].into())),
        Engine::Wasm => wasm::ip_access(owner, &config(said), scope.module),
    };
    chain.add(policies, filter);
}

/// Ours unless the mesh says otherwise; what Envoy's cannot do was refused.
pub(crate) fn engine(said: &IpAccess) -> Engine {
    said.engine.as_ref().map(|engine| engine.value).unwrap_or_default()
}

/// What of it only our own filter can do, in the mesh's words.
pub(crate) fn needs_wasm(said: &IpAccess) -> Option<&'static str> {
    let dry_run = said.dry_run.as_ref().is_some_and(|said| said.value);
    [
        (said.trusted_hops.is_some(), "trusted-hops"),
        (said.status.is_some(), "status"),
        (said.body.is_some(), "body"),
        (dry_run, "dry-run"),
    ]
    .into_iter()
    .find_map(|(said, what)| said.then_some(what))
}

fn config(said: &IpAccess) -> IpAccessConfig {
    IpAccessConfig {
        allow: networks(&said.allow),
        deny: networks(&said.deny),
        trusted_hops: said.trusted_hops.as_ref().map_or(0, |hops| hops.value),
        status: Status(said.status.as_ref().map_or(FORBIDDEN, |status| status.value)),
        body: said.body.as_ref().map(|body| body.value.clone()).unwrap_or_default(),
        dry_run: said.dry_run.as_ref().is_some_and(|said| said.value),
    }
}

/// The same as conditions of Envoy's.
fn clients(said: &IpAccess) -> crate::envoy::rbac::Condition {
    let any = |networks: &[Spanned<Cidr>]| {
        let conditions: Vec<_> = networks.iter().map(|network| client_network(network.value)).collect();
        (!conditions.is_empty()).then(|| any_of(conditions))
    };
    all_of(any(&said.allow).into_iter().chain(any(&said.deny).map(not)).collect())
}

/// Networks as our filters compare them.
pub(super) fn networks(said: &[Spanned<Cidr>]) -> Vec<Network> {
    said.iter().map(|network| Network::new(network.value.address, network.value.prefix)).collect()
}
