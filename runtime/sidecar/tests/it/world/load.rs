//! Requests without end, each of them counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use local::Client;
use tokio::task::JoinSet;

use super::{World, request};

const CONNECTIONS: usize = 4;

/// Runs until it is finished.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    workers: JoinSet<Lost>,
}

/// What was sent, and what did not come back as it should.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    pub(crate) sent: usize,
    pub(crate) lost: Vec<String>,
}

impl Load {
    pub(crate) fn start(world: &World) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut workers = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (stop, address) = (Arc::clone(&stop), world.egress());
            workers.spawn(async move {
                let mut client = Client::new(address).timeout(Duration::from_secs(5));
                let mut counted = Lost::default();
                while !stop.load(Ordering::Relaxed) {
                    counted.sent += 1;
                    match client.send(&request()).await {
                        Ok(response) if response.status == 200 => {}
                        Ok(response) => counted.lost.push(format!("status {}", response.status)),
                        Err(error) => counted.lost.push(error.to_string()),
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                counted
            });
        }
        Self { stop, workers }
    }

    pub(crate) async fn finish(self) -> Lost {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Lost::default();
        for counted in self.workers.join_all().await {
            all.sent += counted.sent;
            all.lost.extend(counted.lost);
        }
        all
    }
}
