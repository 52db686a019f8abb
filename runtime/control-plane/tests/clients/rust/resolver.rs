//! From a listener to an endpoint, by watching each resource on the way, and changing over only to what is there.

use std::collections::BTreeMap;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use xds_client::{
    ClientConfig, Error, Node, Resource, ResourceEvent, ResourceWatcher, TokioRuntime, TonicTransportBuilder, XdsClient,
};

use super::resources::{Cluster, Codec, Endpoints, Listener, Named, Routes};
use crate::mesh::{CALLER, SERVICE};

pub(super) struct Resolver {
    endpoint: watch::Receiver<Option<SocketAddr>>,
    refused: Refused,
    task: AbortHandle,
}

/// By type and name: why the last version was refused.
type Refused = Arc<Mutex<BTreeMap<(&'static str, String), String>>>;

impl Resolver {
    pub(super) fn start(server: SocketAddr) -> Self {
        let node = Node::new("xds-client", "0.1").with_id(format!("{CALLER}~task-2"));
        let config = ClientConfig::new(node, format!("http://{server}"));
        let client = XdsClient::builder(config, TonicTransportBuilder::new(), Codec, TokioRuntime).build();
        let (sender, endpoint) = watch::channel(None);
        let refused = Refused::default();
        let task = tokio::spawn(follow_service(client, sender, Arc::clone(&refused))).abort_handle();
        Self { endpoint, refused, task }
    }

    pub(super) async fn until_there_is_an_endpoint(&mut self) {
        self.endpoint.wait_for(Option::is_some).await.expect("the resolver runs");
    }

    pub(super) fn endpoint(&self) -> Option<SocketAddr> {
        *self.endpoint.borrow()
    }

    pub(super) fn refused(&self) -> Vec<Value> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let resources = refused.iter();
        resources
            .map(|((kind, name), error)| json!({"type": kind, "name": name, "status": "NACKED", "error": error}))
            .collect()
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A cluster that is being watched, and where it is reached.
struct Watched {
    cluster: String,
    endpoint: watch::Receiver<Option<SocketAddr>>,
    task: AbortHandle,
}

impl Watched {
    fn start(client: &XdsClient, cluster: String, refused: &Refused) -> Self {
        let (sender, endpoint) = watch::channel(None);
        let following = follow_cluster(client.clone(), cluster.clone(), sender, Arc::clone(refused));
        Self { cluster, endpoint, task: tokio::spawn(following).abort_handle() }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow_service(client: XdsClient, endpoint: watch::Sender<Option<SocketAddr>>, refused: Refused) {
    let mut listeners = client.watch::<Listener>(SERVICE).await;
    let mut routes: Option<ResourceWatcher<Routes>> = None;
    let (mut current, mut next): (Option<Watched>, Option<Watched>) = (None, None);
    loop {
        tokio::select! {
            event = listeners.next() => {
                let Some(event) = event else { return };
                if let Some(listener) = accepted(&event, SERVICE, &refused) && routes.is_none() {
                    routes = Some(client.watch(listener.routes.clone()).await);
                }
            }
            event = event_of(&mut routes) => {
                let Some(routes) = accepted(&event, SERVICE, &refused) else { continue };
                let is = |watched: &Option<Watched>| watched.as_ref().is_some_and(|it| it.cluster == routes.cluster);
                if is(&current) {
                    next = None;
                } else if !is(&next) {
                    next = Some(Watched::start(&client, routes.cluster.clone(), &refused));
                }
            }
            // Only a cluster that is there replaces the one in use.
            () = until_ready(&mut next) => current = next.take(),
            () = until_changed(&mut current) => {}
        }
        endpoint.send_replace(current.as_ref().and_then(|watched| *watched.endpoint.borrow()));
    }
}

async fn follow_cluster(
    client: XdsClient,
    name: String,
    endpoint: watch::Sender<Option<SocketAddr>>,
    refused: Refused,
) {
    let mut clusters = client.watch::<Cluster>(name.clone()).await;
    let mut endpoints: Option<ResourceWatcher<Endpoints>> = None;
    loop {
        tokio::select! {
            event = clusters.next() => {
                let Some(event) = event else { return };
                if let Some(cluster) = accepted(&event, &name, &refused) {
                    if endpoints.is_none() {
                        endpoints = Some(client.watch(cluster.endpoints.clone()).await);
                    }
                } else if gone(&event) {
                    endpoints = None;
                    endpoint.send_replace(None);
                }
            }
            event = event_of(&mut endpoints) => {
                if let Some(endpoints) = accepted(&event, &name, &refused) {
                    endpoint.send_replace(Some(endpoints.first));
                } else if gone(&event) {
                    endpoint.send_replace(None);
                }
            }
        }
    }
}

/// Waits for ever where nothing is watched.
async fn event_of<T: Resource>(watcher: &mut Option<ResourceWatcher<T>>) -> ResourceEvent<T> {
    if let Some(watcher) = watcher
        && let Some(event) = watcher.next().await
    {
        return event;
    }
    pending().await
}

async fn until_ready(watched: &mut Option<Watched>) {
    if let Some(watched) = watched
        && watched.endpoint.wait_for(Option::is_some).await.is_ok()
    {
        return;
    }
    pending().await
}

async fn until_changed(watched: &mut Option<Watched>) {
    if let Some(watched) = watched
        && watched.endpoint.changed().await.is_ok()
    {
        return;
    }
    pending().await
}

/// The resource that an event brings. A refusal is noted.
fn accepted<'e, T: Resource + Named>(event: &'e ResourceEvent<T>, name: &str, refused: &Refused) -> Option<&'e T> {
    let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (T::SHORT_NAME, name.to_owned());
    match event {
        ResourceEvent::ResourceChanged { result: Ok(resource), .. } => {
            refused.remove(&key);
            Some(resource)
        }
        ResourceEvent::ResourceChanged { result: Err(Error::Validation(error)), .. }
        | ResourceEvent::AmbientError { error: Error::Validation(error), .. } => {
            refused.insert(key, error.clone());
            None
        }
        ResourceEvent::ResourceChanged { .. } | ResourceEvent::AmbientError { .. } => None,
    }
}

/// Whether what was known must not be used any more. A refused version is no reason: the last good one goes on.
fn gone<T>(event: &ResourceEvent<T>) -> bool {
    matches!(event, ResourceEvent::ResourceChanged { result: Err(Error::ResourceDoesNotExist), .. })
}
