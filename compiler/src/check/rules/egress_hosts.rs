//! Hosts belong to the policy `listed`, and it to them.

use spec::mesh::EgressPolicy;
use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for egress in everywhere::egresses(mesh) {
        let (policy, word) = match egress.policy.value {
            EgressPolicy::Listed if egress.hosts.is_empty() => {
                diagnostics.push(
                    Diagnostic::error(codes::EGRESS_HOSTS, egress.policy.span, "no host is listed")
                        .label("nothing can be reached")
                        .help("add `host \"api.example\"`, or say `egress \"none\"`"),
                );
                continue;
            }
            EgressPolicy::Listed => continue,
            EgressPolicy::None => (egress.policy.span, "none"),
            EgressPolicy::AllowAll => (egress.policy.span, "allow-all"),
        };
        let Some(host) = egress.hosts.first() else { continue };
        diagnostics.push(
            Diagnostic::error(codes::EGRESS_HOSTS, host.name.span, format!("`{word}` asks for no hosts"))
                .label("this host changes nothing")
                .related(policy, "the policy")
                .help("say `egress \"listed\"`, or leave the hosts out"),
        );
    }
}
