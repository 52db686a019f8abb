//! Wasm filters of the user's own.

use spec::mesh::{FilterPosition, HostPort};

use super::policies::{Chain, Policies};
use super::scope::Scope;
use super::{Parts, inbound};
use crate::WasmModule;
use crate::checked::{FilterUse, Module, Proxy};
use crate::envoy::http_filter::wasm::{self, Code, User};
use crate::envoy::http_filter::{HttpFilter, Rank};
use crate::envoy::{names, outside};

/// Filters that see requests that come in.
pub(super) fn lower(scope: &Scope<'_>, policies: &Policies<'_>, chain: &mut Chain, parts: &mut Parts) {
    for said in &policies.filters {
        let rank = if said.at == FilterPosition::InboundFirst { Rank::UserFirst } else { Rank::User };
        let code = code(scope, said, parts);
        // The same filter is there once, whoever uses it; another configuration makes another.
        for copy in 0.. {
            let filter = filter(scope, said, rank, copy, &code);
            let taken = chain.filters.iter().find(|known| known.name() == filter.name());
            let same = |known: &HttpFilter| *known == filter || *known == filter.clone().disabled();
            match taken {
                None => chain.add(policies, filter),
                Some(known) if same(known) => chain.enable(policies, filter.name()),
                Some(_) => continue,
            }
            break;
        }
    }
}

/// Filters that see requests that go out: of the proxy itself, and of the services beside it.
pub(super) fn outbound(scope: &Scope<'_>, chain: &mut Chain, parts: &mut Parts) {
    let serves = match scope.proxy {
        Proxy::Node(id) => inbound::in_order(scope, scope.mesh.node(id)),
        Proxy::Gateway(_) => Vec::new(),
    };
    let of_services = serves.into_iter().flat_map(|serve| &scope.mesh.service(serve.service).filters);
    let uses = of_services.chain(&scope.at().filters).filter(|said| said.at == FilterPosition::Outbound);
    for said in uses {
        let code = code(scope, said, parts);
        for copy in 0.. {
            // A gateway's other filters stand in the same chain.
            let filter = filter(scope, said, Rank::User, copy, &code);
            match chain.filters.iter().find(|known| known.name() == filter.name()) {
                None => chain.add_for_all(Some(filter)),
                Some(known) if *known == filter => {}
                Some(_) => continue,
            }
            break;
        }
    }
}

fn filter(scope: &Scope<'_>, said: &FilterUse, rank: Rank, copy: usize, code: &Code) -> HttpFilter {
    let declared = scope.mesh.wasm_filter(said.filter);
    let first = if rank == Rank::UserFirst { ".first" } else { "" };
    let copy = if copy == 0 { String::new() } else { format!(".{copy}") };
    wasm::user(User {
        rank,
        name: format!("meshwright.filters.http.user.{}{first}{copy}", declared.name.key()),
        plugin: declared.name.key(),
        root_id: &declared.root_id,
        configuration: said.configuration.as_deref().unwrap_or(&declared.configuration),
        failure: declared.failure,
        sha256: declared.module.sha256(),
        code: code.clone(),
    })
}

fn code(scope: &Scope<'_>, said: &FilterUse, parts: &mut Parts) -> Code {
    match &scope.mesh.wasm_filter(said.filter).module {
        Module::File { sha256, .. } => {
            let module = WasmModule { sha256: sha256.clone(), folder: scope.module.folder.clone() };
            Code::File(module.path())
        }
        Module::Url { url, .. } => Code::Url { url: url.clone(), cluster: server(url, parts) },
    }
}

/// The server of a URL, which is `http://` or `https://` and names a host.
fn server(url: &str, parts: &mut Parts) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let encrypted = !scheme.eq_ignore_ascii_case("http");
    let port = if encrypted { 443 } else { 80 };
    let at = HostPort::parse(authority).unwrap_or_else(|| {
        let host = authority.trim_start_matches('[').trim_end_matches(']');
        HostPort { host: host.to_owned(), port }
    });
    let name = names::module_server(if encrypted { "https" } else { "http" }, &at);
    let make = if encrypted { outside::encrypted_to } else { outside::plain_to };
    parts.primary(make(name.clone(), &at));
    name
}
