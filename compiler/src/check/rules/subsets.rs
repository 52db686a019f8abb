//! Subsets: where services declare them, and where somebody names one.

use spec::mesh::Subset;
use spec::{Mesh, Name, Spanned};

use super::{routes, targets};

/// A subset that somebody names, and of which service.
pub(super) struct Named<'a> {
    pub(super) service: &'a Name,
    pub(super) subset: &'a Spanned<String>,
}

/// Each with the index of its service.
pub(super) fn declared(mesh: &Mesh) -> impl Iterator<Item = (usize, &Subset)> {
    let services = mesh.services.iter().enumerate();
    services.flat_map(|(index, service)| service.subsets.iter().map(move |subset| (index, subset)))
}

/// Wherever a subset is named.
pub(super) fn named(mesh: &Mesh) -> impl Iterator<Item = Named<'_>> {
    let expected = mesh.tests.iter().filter_map(|test| test.expect.as_ref());
    let expected = expected.filter_map(|expect| Some((expect.to.as_ref()?, &expect.subset)));
    requested(mesh).chain(expected.filter_map(|(service, subset)| named_of(&service.value, subset)))
}

/// Wherever a subset gets requests; what tests expect is not among it.
pub(super) fn requested(mesh: &Mesh) -> impl Iterator<Item = Named<'_>> {
    let defaults = mesh.services.iter().map(|service| (&service.name.value, &service.default_subset));
    let failover = mesh.services.iter().flat_map(|service| &service.failover);
    let failover = failover.map(|failover| (&failover.service.value, &failover.subset));
    let mirrors = mesh.services.iter().flat_map(|service| &service.mirrors);
    let mirrors = mirrors.chain(routes(mesh).flat_map(|route| &route.mirrors));
    let mirrors = mirrors.map(|mirror| (&mirror.to.value, &mirror.subset));
    let targets = targets(mesh).map(|target| (&target.service.value, &target.subset));
    let pairs = targets.chain(failover).chain(mirrors).chain(defaults);
    pairs.filter_map(|(service, subset)| named_of(service, subset))
}

fn named_of<'a>(service: &'a Name, subset: &'a Option<Spanned<String>>) -> Option<Named<'a>> {
    subset.as_ref().map(|subset| Named { service, subset })
}
