//! Clients that know several control planes.

use crate::backend::Backend;
use crate::bootstrap;
use crate::client::Client;
use crate::control_plane::ControlPlane;
use crate::mesh::Mesh;

/// gRPC asks the next for what it does not know yet. What it knows it keeps, and waits for the first: replicas that are to
/// take over from each other belong behind one name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpcio_starts_from_the_second_control_plane_when_the_first_is_away() {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let to = |backend: &Backend| Mesh::routing_to(backend.name).cluster(backend.name, backend.address);
    let away = ControlPlane::start(&to(&one)).await.address();
    let second = ControlPlane::start(&to(&one)).await;
    let mut client = Client::grpcio_from("newest", &bootstrap::with_replicas(&[away, second.address()]));
    client.answered_by("one").await;
    second.tell(&to(&two));
    client.answered_by("two").await;
    client.calls(20).await;
    let totals = client.stop().await;
    assert_eq!(totals.errors, [""; 0], "{totals:?}");
}

/// The Python clients do so for a name alone: for several bare addresses C-core makes an `:authority` that is none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_js_goes_on_with_another_address_of_the_same_name() {
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    let to = |backend: &Backend| Mesh::routing_to(backend.name).cluster(backend.name, backend.address);
    let (first, second) = (ControlPlane::start(&to(&one)).await, ControlPlane::start(&to(&one)).await);
    let mut client = Client::grpc_js_from(&bootstrap::with_addresses(first.address(), second.address()));
    client.answered_by("one").await;
    // Whichever it chose.
    let (chosen, other) = if first.has_clients() { (first, second) } else { (second, first) };
    drop(chosen);
    client.calls(200).await;
    other.tell(&to(&two));
    client.answered_by("two").await;
    let totals = client.stop().await;
    assert_eq!(totals.errors, [""; 0], "{totals:?}");
}
