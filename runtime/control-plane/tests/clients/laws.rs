//! What every client must live through without one failed call.

use std::net::SocketAddr;

use crate::backend::Backend;
use crate::client::Client;
use crate::control_plane::ControlPlane;
use crate::mesh::Mesh;
use crate::shop::Shop;

/// Changes that are waited for, there and back.
const SWITCHES: usize = 2;

/// Make before break: both clusters are there all the time, only the route changes.
pub(crate) async fn follows_a_route_from_cluster_to_cluster(start: impl Fn(SocketAddr) -> Client) {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let to = |cluster| Mesh::routing_to(cluster).cluster("one", one.address).cluster("two", two.address);
    follows_a_route(start, [to("one"), to("two")]).await;
}

/// The cluster that the route left is taken away in the same change.
pub(crate) async fn follows_a_route_whose_old_cluster_is_gone(start: impl Fn(SocketAddr) -> Client) {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let to = |backend: &Backend| Mesh::routing_to(backend.name).cluster(backend.name, backend.address);
    follows_a_route(start, [to(&one), to(&two)]).await;
}

/// Only endpoints change.
pub(crate) async fn follows_endpoints_that_move(start: impl Fn(SocketAddr) -> Client) {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let at = |backend: &Backend| Mesh::routing_to("orders").cluster("orders", backend.address);
    follows_a_route(start, [at(&one), at(&two)]).await;
}

async fn follows_a_route(start: impl Fn(SocketAddr) -> Client, meshes: [Mesh; 2]) {
    let control_plane = ControlPlane::start(&meshes[0]).await;
    let mut client = start(control_plane.address());
    client.answered_by("one").await;
    for _ in 0..SWITCHES {
        for (mesh, backend) in [(&meshes[1], "two"), (&meshes[0], "one")] {
            control_plane.tell(mesh);
            client.answered_by(backend).await;
            client.calls(20).await;
        }
    }
    let totals = client.stop().await;
    assert_eq!(totals.errors, [""; 0], "{totals:?}");
    assert_eq!(totals.by.len(), 2, "both backends answered: {totals:?}");
    assert_eq!(control_plane.refusals(), 0);
}

/// Changes come faster than the client takes them.
pub(crate) async fn ends_with_the_last_of_many_changes(start: impl Fn(SocketAddr) -> Client) {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let to = |backend: &Backend| Mesh::routing_to(backend.name).cluster(backend.name, backend.address);
    let control_plane = ControlPlane::start(&to(&one)).await;
    let mut client = start(control_plane.address());
    client.answered_by("one").await;
    for _ in 0..100 {
        for backend in [&two, &one] {
            control_plane.tell(&to(backend));
            client.calls(1).await;
        }
    }
    let last = Backend::start("last").await;
    control_plane.tell(&to(&last));
    client.answered_by("last").await;
    let totals = client.stop().await;
    assert_eq!(totals.errors, [""; 0], "{totals:?}");
    assert_eq!(control_plane.refusals(), 0);
}

/// The client asks before there is anything to answer.
pub(crate) async fn waits_for_a_service_that_comes_later(start: impl Fn(SocketAddr) -> Client) {
    let one = Backend::start("one").await;
    let control_plane = ControlPlane::start(&Mesh::default()).await;
    let mut client = start(control_plane.address());
    control_plane.until_somebody_asks().await;
    control_plane.tell(&Mesh::routing_to("one").cluster("one", one.address));
    client.answered_by("one").await;
    client.calls(20).await;
    let totals = client.stop().await;
    assert_eq!(totals.errors, [""; 0], "{totals:?}");
}

/// A cluster that no client can use changes nothing for calls, is not sent twice, and hinders no later change.
pub(crate) async fn refuses_once_and_goes_on(start: impl Fn(SocketAddr) -> Client) {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let good = |cluster| Mesh::routing_to(cluster).cluster("one", one.address).cluster("two", two.address);
    let control_plane = ControlPlane::start(&good("one")).await;
    let mut client = start(control_plane.address());
    client.answered_by("one").await;
    assert_eq!(client.refused().await, []);

    control_plane.tell(&good("one").unusable_cluster("one", one.address));
    refuses_once(&control_plane, &mut client, "Cluster one", "policy").await;
    control_plane.tell(&good("two"));
    goes_on(&control_plane, client).await;
}

/// A route is refused with which the old cluster would go: it stays.
pub(crate) async fn keeps_its_cluster_if_it_refuses_the_route(start: impl Fn(SocketAddr) -> Client) {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let control_plane = ControlPlane::start(&Mesh::routing_to("one").cluster("one", one.address)).await;
    let mut client = start(control_plane.address());
    client.answered_by("one").await;

    control_plane.tell(&Mesh::routing_nowhere("two").cluster("two", two.address));
    refuses_once(&control_plane, &mut client, "RouteConfiguration orders.mesh", "weight").await;
    control_plane.tell(&Mesh::routing_to("two").cluster("two", two.address));
    goes_on(&control_plane, client).await;
}

async fn refuses_once(control_plane: &ControlPlane, client: &mut Client, resource: &str, because: &str) {
    control_plane.until_refused().await;
    client.calls(200).await;
    assert_eq!(control_plane.refusals(), 1, "it is not sent again");
    let refused = client.refused().await;
    let [(name, error)] = &refused[..] else { panic!("{refused:?}") };
    assert_eq!(name, resource);
    assert!(error.to_lowercase().contains(because), "{error}");
    let shown = control_plane.shown_errors();
    assert_eq!(shown.len(), 1, "operators see it too: {shown:?}");
}

/// To the second backend.
async fn goes_on(control_plane: &ControlPlane, mut client: Client) {
    client.answered_by("two").await;
    client.calls(20).await;
    control_plane.until_settled().await;
    let totals = client.stop().await;
    assert_eq!(totals.errors, [""; 0], "{totals:?}");
    assert_eq!(control_plane.refusals(), 1);
    assert_eq!(control_plane.shown_errors(), [""; 0]);
}

/// Without a control plane calls go on; with one again, changes arrive.
pub(crate) async fn finds_a_control_plane_that_was_away(start: impl Fn(SocketAddr) -> Client) {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let to = |backend: &Backend| Mesh::routing_to(backend.name).cluster(backend.name, backend.address);
    let control_plane = ControlPlane::start(&to(&one)).await;
    let address = control_plane.address();
    let mut client = start(address);
    client.answered_by("one").await;
    drop(control_plane);
    client.calls(200).await;
    let control_plane = ControlPlane::start_at(address, &to(&one)).await;
    control_plane.until_somebody_asks().await;
    control_plane.tell(&to(&two));
    client.answered_by("two").await;
    let totals = client.stop().await;
    assert_eq!(totals.errors, [""; 0], "{totals:?}");
    assert_eq!(control_plane.refusals(), 0);
}

/// A mesh's text, two sidecars and a caller without one, all told by one control plane.
pub(crate) async fn calls_a_service_behind_sidecars(start: impl Fn(SocketAddr) -> Client) {
    let shop = Shop::start("one").await;
    let mut client = start(shop.control_plane.address());
    client.answered_by("one").await;
    for _ in 0..SWITCHES {
        for version in ["two", "one"] {
            shop.route_to(version);
            client.answered_by(version).await;
            client.calls(20).await;
        }
    }
    let totals = client.stop().await;
    assert_eq!(totals.errors, [""; 0], "{totals:?}");
    assert_eq!(shop.control_plane.refusals(), 0);
}
