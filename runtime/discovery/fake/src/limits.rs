//! How many calls an account may make: token buckets that several actions share, as AWS has them.

use std::time::Duration;

use serde::Deserialize;

/// `burst` calls at once, and `rate` a second in the long run.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    /// Full.
    pub fn new(rate: f64, burst: f64) -> Self {
        Bucket { rate, burst, tokens: burst, at: Duration::ZERO }
    }

    /// Takes a token, if there is one. `now` counts from any moment, and never goes back.
    pub fn take(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(self.burst);
        self.at = now;
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }
}

/// Buckets, each with the actions that share it. An action may be in none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits(Vec<(Vec<&'static str>, Bucket)>);

/// How the door over HTTP names them.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rate {
    pub rate: f64,
    pub burst: f64,
}

const CLUSTER_RESOURCES: [&str; 4] =
    ["ListTasks", "DescribeTasks", "ListContainerInstances", "DescribeContainerInstances"];
const SERVICES: [&str; 2] = ["ListServices", "DescribeServices"];
const DEFINITIONS: [&str; 2] = ["DescribeTaskDefinition", "ListTaskDefinitions"];
const CLUSTERS: [&str; 2] = ["ListClusters", "DescribeClusters"];

impl Limits {
    /// None: what a new fake has.
    pub fn none() -> Self {
        Limits::default()
    }

    /// What AWS documents for every account and region.
    pub fn aws() -> Self {
        Limits(vec![
            (CLUSTER_RESOURCES.to_vec(), Bucket::new(20.0, 100.0)),
            (SERVICES.to_vec(), Bucket::new(20.0, 100.0)),
            (DEFINITIONS.to_vec(), Bucket::new(20.0, 50.0)),
            (CLUSTERS.to_vec(), Bucket::new(20.0, 50.0)),
        ])
    }

    /// One bucket for all that is asked of ECS.
    pub fn shared(rate: f64, burst: f64) -> Self {
        let actions = [&CLUSTER_RESOURCES[..], &SERVICES, &DEFINITIONS, &CLUSTERS].concat();
        Limits(vec![(actions, Bucket::new(rate, burst))])
    }

    /// Whether the account may make this call now.
    pub fn allow(&mut self, action: &str, now: Duration) -> bool {
        let bucket = self.0.iter_mut().find(|(actions, _)| actions.contains(&action));
        bucket.is_none_or(|(_, bucket)| bucket.take(now))
    }
}
