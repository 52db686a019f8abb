//! Fills a [`CheckedMesh`]: names become ids, absent values become defaults.
//!
//! What does not resolve is reported and left out; the result is used only when nothing was reported.

mod edits;
mod extension;
mod proxy;
mod region;
mod route;
mod security;
mod service;

use spec::mesh::Mesh;
use spec::{Diagnostics, Sources, Spanned};

use super::tables::Tables;
use crate::checked::{CheckedMesh, Id};

pub(super) use service::DEFAULT_TIMEOUT;

/// What is needed to resolve a part of a mesh.
struct Context<'a> {
    mesh: &'a Mesh,
    tables: &'a Tables,
    sources: &'a Sources,
}

pub(super) fn mesh(mesh: &Mesh, tables: &Tables, sources: &Sources, diagnostics: &mut Diagnostics) -> CheckedMesh {
    let context = Context { mesh, tables, sources };
    let certificate_providers = mesh.certificate_providers.iter().map(security::certificate_provider).collect();
    let jwt_providers = mesh.jwt_providers.iter().map(|it| security::jwt_provider(&context, it)).collect();
    let wasm_filters = mesh.wasm_filters.iter().map(|it| extension::wasm_filter(&context, it, diagnostics)).collect();
    let mut services: Vec<_> =
        mesh.services.iter().map(|declared| service::resolve(&context, declared, diagnostics)).collect();
    let overlays = extension::overlays(&context, &mesh.overlays);
    let mut nodes: Vec<_> = mesh
        .nodes
        .iter()
        .enumerate()
        .map(|(index, declared)| proxy::node(&context, Id::new(index), declared, &services, &overlays, diagnostics))
        .collect();
    region::fill(&mut services, &mut nodes);
    let gateways =
        mesh.gateways.iter().map(|declared| proxy::gateway(&context, declared, &overlays, diagnostics)).collect();
    CheckedMesh {
        name: mesh.name.value.clone(),
        trust_domain: mesh.trust_domain.as_ref().map_or_else(|| mesh.name.value.key(), |said| said.value.clone()),
        certificate_providers,
        jwt_providers,
        wasm_filters,
        services,
        nodes,
        gateways,
    }
}

fn value<T: Clone>(said: &Option<Spanned<T>>) -> Option<T> {
    said.as_ref().map(|said| said.value.clone())
}

fn values<T: Clone>(said: &[Spanned<T>]) -> Vec<T> {
    said.iter().map(|said| said.value.clone()).collect()
}
