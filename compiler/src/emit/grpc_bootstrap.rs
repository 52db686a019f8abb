//! What a gRPC application that is its own proxy starts from: the file that `GRPC_XDS_BOOTSTRAP` names
//! (<https://grpc.github.io/grpc/core/md_doc_grpc_xds_bootstrap_format.html>).

use serde_json::{Map, Value, json};

use super::ads::{Ads, Servers, Tls};
use crate::checked::{CheckedMesh, Proxy};

/// Of several servers, libraries older than gRPC 1.66 ask the first only, and later ones ask the next for what they do not
/// have yet, but keep what they have until the first is back: replicas that take over from each other are one server
/// here, by a name that resolves to all of them. Each library checks that a server with TLS is called as
/// its address says, and that system authorities or these vouch for it.
pub fn grpc_bootstrap(mesh: &CheckedMesh, proxy: Proxy, ads: &Ads) -> String {
    let servers: Vec<Value> = server_uris(&ads.servers)
        .into_iter()
        .map(|uri| {
            json!({
                "server_uri": uri,
                "channel_creds": [ads.tls.as_ref().map_or_else(|| json!({ "type": "insecure" }), credentials)],
                "server_features": ["xds_v3"],
            })
        })
        .collect();
    let name = mesh.proxy_name(proxy).to_string();
    let suffix = ads.node_suffix.as_ref().map(|suffix| format!("~{suffix}")).unwrap_or_default();
    let at = mesh.situation(proxy);
    // Without a locality gRPC for JavaScript resolves nothing.
    let mut locality = Map::new();
    for (key, said) in [("region", &at.region), ("zone", &at.zone)] {
        locality.extend(said.as_ref().map(|said| (key.to_owned(), said.as_str().into())));
    }
    let node = json!({ "id": format!("{name}{suffix}"), "cluster": mesh.name().to_string(), "locality": locality });
    let text = serde_json::to_string_pretty(&json!({ "xds_servers": servers, "node": node }));
    // Strings, lists and maps can be written.
    format!("{}\n", text.unwrap_or_default())
}

fn server_uris(servers: &Servers) -> Vec<String> {
    match servers {
        Servers::Addresses(all) => all.iter().map(ToString::to_string).collect(),
        Servers::Socket(path) => vec![format!("unix:{path}")],
    }
}

/// Files, which gRPC reads anew.
fn credentials(tls: &Tls) -> Value {
    let mut config = json!({ "ca_certificate_file": tls.authorities });
    if let (Some((chain, key)), Some(config)) = (&tls.certificate, config.as_object_mut()) {
        config.insert("certificate_file".to_owned(), chain.as_str().into());
        config.insert("private_key_file".to_owned(), key.as_str().into());
    }
    json!({ "type": "tls", "config": config })
}
