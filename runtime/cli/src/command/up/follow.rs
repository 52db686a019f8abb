//! Envoys that follow a control plane: it must answer before they start, and tell each of them something.

use std::net::SocketAddr;
use std::time::Duration;

use local::Running;
use tokio::net::TcpStream;
use tokio::time::sleep;

const POLL: Duration = Duration::from_millis(100);
const LISTENERS: &str = "listener_manager.total_listeners_active";

/// Returns when one of the servers takes connections. An Envoy that starts earlier waits half a minute and then runs
/// without anything.
pub(super) async fn wait_for_any(servers: &[SocketAddr], say: impl Fn(&str)) {
    let mut said = false;
    while !answers(servers).await {
        if !said {
            let all: Vec<String> = servers.iter().map(ToString::to_string).collect();
            say(&format!("waiting for a control plane at {}: `meshwright serve MESH --local`", all.join(" or ")));
            said = true;
        }
        sleep(POLL).await;
    }
}

async fn answers(servers: &[SocketAddr]) -> bool {
    for server in servers {
        if TcpStream::connect(server).await.is_ok() {
            return true;
        }
    }
    false
}

/// The Envoys that nobody told to listen anywhere.
pub(super) async fn untold(running: &Running) -> Vec<&str> {
    let mut untold = Vec::new();
    for instance in running.instances() {
        if instance.counter(LISTENERS).await.is_ok_and(|listeners| listeners == 0) {
            untold.push(instance.instance().name.as_str());
        }
    }
    untold
}
