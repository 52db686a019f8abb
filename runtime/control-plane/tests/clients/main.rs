//! The control plane with xDS clients that nobody here wrote: gRPC for Python (the newest and an old one), gRPC for Node,
//! and the Rust `xds-client`. Each calls a service all the time; no call may fail, whatever the mesh goes through.
//!
//! `make setup` installs the clients in `target/clients`.

mod backend;
mod bootstrap;
mod client;
mod control_plane;
mod identity;
mod laws;
mod mesh;
mod replicas;
mod rust;
mod shop;

/// A test for each law and each client.
macro_rules! tests {
    ($($client:ident = $start:expr;)*) => {
        $(mod $client {
            use crate::client::Client;
            use crate::laws;

            tests!(@laws $start;
                follows_a_route_from_cluster_to_cluster
                follows_a_route_whose_old_cluster_is_gone
                follows_endpoints_that_move
                ends_with_the_last_of_many_changes
                waits_for_a_service_that_comes_later
                refuses_once_and_goes_on
                keeps_its_cluster_if_it_refuses_the_route
                finds_a_control_plane_that_was_away
                calls_a_service_behind_sidecars
            );
        })*
    };
    (@laws $start:expr; $($law:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $law() {
            laws::$law($start).await;
        })*
    };
}

tests! {
    grpcio_newest = |server| Client::grpcio("newest", server);
    grpcio_oldest = |server| Client::grpcio("oldest", server);
    grpc_js = Client::grpc_js;
    xds_client = Client::rust;
}
