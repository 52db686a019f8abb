//! Names that would mean two things in Envoy: clusters must differ, and so must their statistics.

use std::collections::BTreeMap;

use spec::{Diagnostic, Diagnostics, Mesh, Name, Spanned, codes};

use super::super::tables::Tables;
use crate::envoy::names::{self, CONTROL_PLANE_CLUSTER, PROMETHEUS_CLUSTER};

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let mut by_statistics: BTreeMap<String, &Spanned<Name>> = BTreeMap::new();
    let services: BTreeMap<String, &Spanned<Name>> =
        mesh.services.iter().map(|service| (service.name.value.key(), &service.name)).collect();
    for name in services.values() {
        let key = name.value.key();
        if key.contains('/') {
            diagnostics.push(
                Diagnostic::error(codes::INVALID_NAME, name.span, format!("`{}` is not a host name", name.value))
                    .label("callers could not put it into a URL")
                    .help("use letters, digits, `.`, `-` and `_`"),
            );
        }
        if key == PROMETHEUS_CLUSTER {
            diagnostics.push(reserved(name).label("every Envoy has a cluster of this name, for its metrics"));
        }
        if key == CONTROL_PLANE_CLUSTER {
            diagnostics.push(reserved(name).label("the control plane's cluster has this name"));
        }
        let local = key.strip_prefix(names::LOCAL_PREFIX).and_then(|other| services.get(other));
        if let Some(other) = local {
            diagnostics.push(
                reserved(name)
                    .label("the cluster from a sidecar to its application has this name")
                    .related(other.span, "the service of that application"),
            );
        }
        match by_statistics.get(&names::stat_name(&key)) {
            Some(first) => diagnostics.push(
                reserved(name)
                    .label("in statistics dots become underscores: both would count as one")
                    .related(first.span, "the other service"),
            ),
            None => drop(by_statistics.insert(names::stat_name(&key), name)),
        }
    }
}

fn reserved(name: &Spanned<Name>) -> Diagnostic {
    let message = format!("a service cannot be called `{}` here", name.value);
    Diagnostic::error(codes::RESERVED_NAME, name.span, message).help("choose another name")
}
