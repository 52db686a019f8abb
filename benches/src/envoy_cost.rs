//! What filters cost inside real Envoy: CPU time of its process per request, in one run, round by round.
//!
//! One worker, a listener for each variant. Rounds are interleaved and the least of each variant counts: noise only
//! adds. A worker that does nothing else passes as many requests in a second as their CPU time fits into it, so the
//! ratio of two costs is the ratio of the throughputs.

use local::EnvoyBinary;

use crate::in_envoy::{Answer, Variant, World};

/// What a request costs with one chain of filters.
#[derive(Clone, Debug)]
pub struct Cost {
    pub variant: &'static str,
    /// Microseconds of CPU per request, least of all rounds.
    pub micros: f64,
}

/// Runs `rounds` rounds of `requests` requests for every variant, and one round before that.
pub async fn measure(
    envoy: &EnvoyBinary,
    variants: &[Variant],
    answer: Answer,
    rounds: usize,
    requests: usize,
) -> anyhow::Result<Vec<Cost>> {
    let world = World::start(envoy, variants, answer, 1).await?;
    let mut costs: Vec<Cost> =
        variants.iter().map(|variant| Cost { variant: variant.name, micros: f64::INFINITY }).collect();
    // Connections are kept: what differs is the filter.
    let mut clients: Vec<_> = (0..variants.len()).map(|index| world.client(index)).collect();
    for round in 0..=rounds {
        for ((variant, client), cost) in variants.iter().zip(&mut clients).zip(&mut costs) {
            let before = world.cpu_micros()?;
            for _ in 0..requests {
                let response = client.send(&variant.request).await?;
                let (name, status) = (variant.name, response.status);
                anyhow::ensure!(status == 200, "{name}: status {status}: {}", response.text());
            }
            let micros = (world.cpu_micros()? - before) / requests as f64;
            // The first round warms up connections, caches and V8.
            if round > 0 {
                cost.micros = cost.micros.min(micros);
            }
        }
    }
    world.stop().await;
    Ok(costs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variants;

    #[tokio::test]
    async fn every_variant_answers() {
        let envoy = local::find(None).unwrap_or_else(|error| panic!("{error}"));
        for answer in [Answer::Direct, Answer::Upstream] {
            let costs = measure(&envoy, &variants::all(), answer, 1, 5).await;
            let costs = costs.unwrap_or_else(|error| panic!("{error:#}"));
            assert!(costs.iter().all(|cost| cost.micros.is_finite() && cost.micros > 0.0), "{costs:?}");
        }
    }
}
