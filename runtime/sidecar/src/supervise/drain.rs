//! Letting Envoy finish: it says that it is leaving, and is waited for.

use std::time::Duration;

use local::{Admin, Client, Request};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

const ASK_WITHIN: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(100);
/// So long nobody may be connected: whoever has not heard yet that we are leaving may connect once more.
const QUIET: Duration = Duration::from_secs(1);

/// Until nobody is connected any more, or the time is up.
pub(super) async fn drain(admin: Admin, limit: Duration) {
    // Health checks fail, and whoever sends a request is told to connect elsewhere.
    for path in ["/healthcheck/fail", "/drain_listeners?graceful&skip_exit"] {
        if let Err(reason) = post(admin, path).await {
            tracing::warn!(path, reason, "Envoy does not drain");
        }
    }
    drop(timeout(limit, quiet(admin)).await);
}

async fn quiet(admin: Admin) {
    let mut since = None;
    loop {
        match connections(admin).await {
            Some(0) => {
                let since = since.get_or_insert_with(Instant::now);
                if since.elapsed() >= QUIET {
                    return;
                }
            }
            // Who cannot be asked may be busy.
            Some(_) | None => since = None,
        }
        sleep(POLL).await;
    }
}

async fn post(admin: Admin, path: &str) -> Result<(), String> {
    let response = Client::new(admin.address()).timeout(ASK_WITHIN).send(&Request::new("POST", path)).await;
    match response {
        Ok(response) if response.status == 200 => Ok(()),
        Ok(response) => Err(format!("it answers {}", response.status)),
        Err(error) => Err(error.to_string()),
    }
}

/// How many connections others have to Envoy, but for those that read its statistics.
async fn connections(admin: Admin) -> Option<u64> {
    #[derive(Deserialize)]
    struct Stats {
        #[serde(default)]
        stats: Vec<Stat>,
    }
    #[derive(Deserialize)]
    struct Stat {
        #[serde(default)]
        name: String,
        #[serde(default)]
        value: serde_json::Value,
    }
    let path = r"/stats?format=json&type=Gauges&filter=%5Elistener%5C..*%5C.downstream_cx_active%24";
    let response = timeout(ASK_WITHIN, admin.get(path)).await.ok()?.ok()?;
    let stats: Stats = serde_json::from_slice(&response.body).ok()?;
    let ours = |name: &str| {
        !name.starts_with("listener.admin.")
            && !name.starts_with(&format!("listener.{}.", crate::METRICS_LISTENER))
            && !name.contains(".worker_")
    };
    let counts = stats.stats.iter().filter(|stat| ours(&stat.name)).filter_map(|stat| stat.value.as_u64());
    Some(counts.sum())
}
