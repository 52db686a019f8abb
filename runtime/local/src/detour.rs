//! Leading Envoys to other addresses than their configuration says: what a mesh dials outside of itself, and whom it
//! asks for names.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Value, json};

const RESOLVER: &str = "typed_dns_resolver_config";
/// Messages that have a resolver of their own, or else Envoy's default, by the field that holds them.
const RESOLVING: [&str; 1] = ["dns_cache_config"];

/// Where to go instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detours {
    /// From the address as the mesh says it.
    pub addresses: BTreeMap<SocketAddr, SocketAddr>,
    /// The server that is asked for names; none: the system's.
    pub resolver: Option<SocketAddr>,
    /// What Envoys' own connections are marked with (`SO_MARK`), so that interception leaves them alone.
    pub mark: Option<u32>,
}

/// A configuration (YAML or JSON) with its addresses replaced; unchanged where there is nothing to do.
pub(crate) fn apply(config: &str, detours: &Detours) -> Result<String, serde_yaml::Error> {
    if *detours == Detours::default() {
        return Ok(config.to_owned());
    }
    let mut config: Value = serde_yaml::from_str(config)?;
    redirect(&mut config, detours);
    if let (Some(resolver), Some(bootstrap)) = (detours.resolver, config.as_object_mut()) {
        bootstrap.insert(RESOLVER.to_owned(), asking(resolver));
    }
    if let (Some(mark), Some(bootstrap)) = (detours.mark, config.as_object_mut()) {
        let manager = bootstrap.entry("cluster_manager").or_insert_with(|| json!({}));
        if let Some(manager) = manager.as_object_mut() {
            manager.insert("upstream_bind_config".to_owned(), marking(mark));
        }
    }
    // JSON is YAML, and has no words that Envoy might take for numbers.
    Ok(config.to_string())
}

fn redirect(value: &mut Value, detours: &Detours) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| redirect(value, detours)),
        Value::Object(fields) => {
            if let Some(address) = fields.get_mut("socket_address") {
                replace(address, detours);
            }
            if let Some(resolver) = detours.resolver {
                let own = fields.contains_key(RESOLVER).then_some(&mut *fields);
                if let Some(fields) = own {
                    fields.insert(RESOLVER.to_owned(), asking(resolver));
                }
                for field in RESOLVING {
                    if let Some(resolving) = fields.get_mut(field).and_then(Value::as_object_mut) {
                        resolving.insert(RESOLVER.to_owned(), asking(resolver));
                    }
                }
            }
            fields.values_mut().for_each(|value| redirect(value, detours));
        }
        _ => {}
    }
}

fn replace(address: &mut Value, detours: &Detours) {
    let host = address.get("address").and_then(Value::as_str).and_then(|host| host.parse().ok());
    let port = address.get("port_value").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
    let (Some(host), Some(port)) = (host, port) else { return };
    if let (Some(real), Some(fields)) = (detours.addresses.get(&SocketAddr::new(host, port)), address.as_object_mut()) {
        fields.insert("address".to_owned(), json!(real.ip().to_string()));
        fields.insert("port_value".to_owned(), json!(real.port()));
    }
}

/// Through c-ares, without the system's search domains.
fn asking(resolver: SocketAddr) -> Value {
    json!({
        "name": "envoy.network.dns_resolver.cares",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
            "resolvers": [{"socket_address": {
                "address": resolver.ip().to_string(),
                "port_value": resolver.port(),
            }}],
            "dns_resolver_options": {"no_default_search_domain": true},
        }
    })
}

fn marking(mark: u32) -> Value {
    const SOL_SOCKET: u32 = 1;
    const SO_MARK: u32 = 36;
    json!({"socket_options": [{"level": SOL_SOCKET, "name": SO_MARK, "int_value": mark, "state": "STATE_PREBIND"}]})
}
