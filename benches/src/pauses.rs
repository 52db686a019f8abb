//! How much longer than asked a delay is, by our filter and by Envoy's own.

use std::time::{Duration, Instant};

use local::EnvoyBinary;
use serde_json::json;
use tokio::task::JoinSet;

use crate::in_envoy::{Answer, Variant, World, ours};
use crate::variants::variant;

/// How long requests are held.
pub const ASKED: Duration = Duration::from_millis(50);

/// By how much delays were too long, sorted.
#[derive(Clone, Debug)]
pub struct Overshoot {
    pub variant: &'static str,
    pub sorted: Vec<Duration>,
}

impl Overshoot {
    /// The overshoot that a share of the requests stays below.
    pub fn quantile(&self, share: f64) -> Duration {
        let index = ((self.sorted.len() as f64 - 1.0) * share).round() as usize;
        self.sorted.get(index).copied().unwrap_or_default()
    }
}

/// Sends `rounds` times `at_once` requests to each filter, in turns.
pub async fn measure(envoy: &EnvoyBinary, rounds: usize, at_once: usize) -> anyhow::Result<Vec<Overshoot>> {
    let variants = variants();
    let world = World::start(envoy, &variants, Answer::Direct, 1).await?;
    let mut overshoots: Vec<Overshoot> =
        variants.iter().map(|variant| Overshoot { variant: variant.name, sorted: Vec::new() }).collect();
    for _ in 0..rounds {
        for (index, overshoot) in overshoots.iter_mut().enumerate() {
            let mut sent = JoinSet::new();
            for _ in 0..at_once {
                let (mut client, request) = (world.client(index), variants[index].request.clone());
                sent.spawn(async move {
                    let started = Instant::now();
                    client.send(&request).await.map(|_| started.elapsed())
                });
            }
            while let Some(elapsed) = sent.join_next().await {
                overshoot.sorted.push(elapsed??.saturating_sub(ASKED));
            }
        }
    }
    world.stop().await;
    overshoots.iter_mut().for_each(|overshoot| overshoot.sorted.sort_unstable());
    Ok(overshoots)
}

fn variants() -> Vec<Variant> {
    let native = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "delay": { "fixed_delay": "0.050s", "percentage": { "numerator": 100 } },
    });
    let fault = json!({ "delay": { "millis": 50, "per_million": 1_000_000 } });
    vec![variant("delay, Envoy's own", vec![native]), variant("delay, ours", vec![ours(policy::FAULT_ROOT_ID, &fault)])]
}
