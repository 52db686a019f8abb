//! A cookie cannot keep callers at an endpoint where other services may stand in: Envoy's aggregate cluster does not
//! look at it.

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for service in &mesh.services {
        let balancing = service.load_balancing.as_deref().or(mesh.defaults.load_balancing.as_ref());
        let cookie = balancing.and_then(|balancing| balancing.sticky_cookie.as_ref());
        let (Some(cookie), Some(failover)) = (cookie, service.failover.first()) else { continue };
        let message = format!("`{}` has a sticky cookie and a failover", service.name.value);
        diagnostics.push(
            Diagnostic::error(codes::STICKY_FAILOVER, failover.service.span, message)
                .label("with it the cookie would keep nobody anywhere")
                .related(cookie.name.span, "the cookie")
                .help("delete one of them; `policy=\"ring-hash\"` keeps callers at an endpoint beside a failover too"),
        );
    }
}
