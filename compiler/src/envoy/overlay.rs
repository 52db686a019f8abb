//! Changes in Envoy's own words, merged into its messages.

use std::sync::Arc;

use envoy::config::bootstrap::v3::Bootstrap;
use envoy::config::cluster::v3::{Cluster, cluster::LbPolicy};
use envoy::config::listener::v3::{Listener, filter};
use envoy::config::route::v3::RouteConfiguration;
use envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
use envoy::{merge_json, validate};
use prost::{Message, Name};
use serde_json::Value;

/// Which resources, by name.
type Chosen<'a> = &'a dyn Fn(&str) -> bool;

pub(crate) fn bootstrap(bootstrap: &mut Bootstrap, json: &Value) -> Result<(), String> {
    *bootstrap = merged(bootstrap, json)?;
    Ok(())
}

pub(crate) fn listeners(all: &mut [Arc<Listener>], chosen: Chosen<'_>, json: &Value) -> Result<usize, String> {
    each(all, |it| &it.name, chosen, json)
}

pub(crate) fn routes(all: &mut [Arc<RouteConfiguration>], chosen: Chosen<'_>, json: &Value) -> Result<usize, String> {
    each(all, |it| &it.name, chosen, json)
}

/// Those of the bootstrap too.
pub(crate) fn clusters(
    all: &mut [Arc<Cluster>],
    bootstrap: &mut Bootstrap,
    chosen: Chosen<'_>,
    json: &Value,
) -> Result<usize, String> {
    let own_balancing = i32::from(LbPolicy::ClusterProvided);
    let theirs: Vec<String> = all.iter().filter(|it| it.lb_policy == own_balancing).map(|it| it.name.clone()).collect();
    let mut changed = each(all, |it| &it.name, chosen, json)?;
    let lost = all.iter().find(|it| it.lb_policy != own_balancing && theirs.contains(&it.name));
    if let Some(cluster) = lost {
        return Err(format!(
            "`{}` is made of other clusters, and Envoy refuses any other `lb_policy` for it",
            cluster.name
        ));
    }
    let primary = bootstrap.static_resources.iter_mut().flat_map(|resources| &mut resources.clusters);
    for cluster in primary.filter(|cluster| chosen(&cluster.name)) {
        *cluster = renamed_never(cluster, json, |it: &Cluster| &it.name)?;
        changed += 1;
    }
    Ok(changed)
}

/// The connection managers of listeners, chosen by the listener's name.
pub(crate) fn connection_managers(
    all: &mut [Arc<Listener>],
    chosen: Chosen<'_>,
    json: &Value,
) -> Result<usize, String> {
    let mut changed = 0;
    for listener in all.iter_mut().filter(|listener| chosen(&listener.name)) {
        let mut copy = Listener::clone(listener);
        let chains = copy.filter_chains.iter_mut().chain(&mut copy.default_filter_chain);
        for filter in chains.flat_map(|chain| &mut chain.filters) {
            let Some(filter::ConfigType::TypedConfig(config)) = &mut filter.config_type else { continue };
            if config.type_url != HttpConnectionManager::type_url() {
                continue;
            }
            // What we encoded can be decoded.
            let Ok(manager) = HttpConnectionManager::decode(config.value.as_slice()) else { continue };
            *config = envoy::any(&merged(&manager, json)?);
            changed += 1;
        }
        *listener = Arc::new(copy);
    }
    Ok(changed)
}

/// Resources that other proxies have too are copied first.
fn each<M: Name + Message + Default + Clone>(
    all: &mut [Arc<M>],
    name: fn(&M) -> &String,
    chosen: Chosen<'_>,
    json: &Value,
) -> Result<usize, String> {
    let mut changed = 0;
    for resource in all.iter_mut().filter(|resource| chosen(name(resource))) {
        *resource = Arc::new(renamed_never(&**resource, json, name)?);
        changed += 1;
    }
    Ok(changed)
}

fn renamed_never<M: Name + Message + Default>(message: &M, json: &Value, name: fn(&M) -> &String) -> Result<M, String> {
    let result = merged(message, json)?;
    if name(&result) == name(message) { Ok(result) } else { Err("it would change the name that others use".to_owned()) }
}

fn merged<M: Name + Message + Default>(message: &M, json: &Value) -> Result<M, String> {
    let result = merge_json(message, json).map_err(|error| error.reason)?;
    match validate(&result).first() {
        Some(violation) => Err(violation.to_string()),
        None => Ok(result),
    }
}
