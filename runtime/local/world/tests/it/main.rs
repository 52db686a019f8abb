//! The world's own tests: every server is asked by every client that fits.

mod certificates;
mod envoys;
mod interception;
mod protocols;
mod servers;
mod switches;

use std::time::Duration;

use local::echo::{self, Echo, Identity, Tries};
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(10);

fn identity() -> Identity {
    Identity { node: Some("beta".to_owned()), service: "beta.svc".to_owned(), endpoint: "10.0.0.1:3000".to_owned() }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

async fn workload() -> Echo {
    echo::serve(listener().await, identity(), Tries::default()).expect("a bound socket")
}
