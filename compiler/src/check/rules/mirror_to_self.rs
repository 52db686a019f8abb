//! A mirror sends copies elsewhere: not to where the requests go anyway.

use spec::mesh::{Mirror, Service};
use spec::{Diagnostic, Diagnostics, Mesh, Name, Span, Spanned, codes};

use super::super::tables::Tables;
use super::{protocols, routes};

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let find = |name: &Name| protocols::service(mesh, tables, name);
    for service in &mesh.services {
        for mirror in &service.mirrors {
            if same(find, &service.name, &None, mirror) {
                diagnostics.push(to_self(mirror, service.name.span));
            }
        }
    }
    for route in routes(mesh) {
        for mirror in &route.mirrors {
            let target = route.targets().iter().find(|target| same(find, &target.service, &target.subset, mirror));
            if let Some(target) = target {
                diagnostics.push(to_self(mirror, target.service.span));
            }
        }
    }
}

fn same<'a>(
    find: impl Fn(&Name) -> Option<&'a Service>,
    service: &Spanned<Name>,
    subset: &Option<Spanned<String>>,
    mirror: &Mirror,
) -> bool {
    if service.value.key() != mirror.to.value.key() {
        return false;
    }
    let default = find(&service.value).and_then(|service| service.default_subset.as_ref());
    subset.as_ref().or(default) == mirror.subset.as_ref().or(default)
}

fn to_self(mirror: &Mirror, requests: Span) -> Diagnostic {
    let message = format!("the copies go to `{}`, as the requests do", mirror.to.value);
    Diagnostic::of(codes::MIRROR_TO_SELF, mirror.to.span, message)
        .label("it would do everything twice")
        .related(requests, "the requests go here")
        .help("name another service, or another subset")
}
