//! `lb_policy` and its configuration, `CommonLbConfig`.

use envoy::config::cluster::v3::{
    Cluster,
    cluster::{
        CommonLbConfig, LbConfig, LbPolicy, LeastRequestLbConfig, RingHashLbConfig, RoundRobinLbConfig,
        SlowStartConfig,
        common_lb_config::{LocalityConfigSpecifier, LocalityWeightedLbConfig, ZoneAwareLbConfig},
    },
};
use envoy::r#type::v3::Percent;
use spec::mesh::{LoadBalancing, LoadBalancingPolicy, Locality, LocalityMode, SlowStart};

use crate::envoy::duration;

pub(super) fn apply(cluster: &mut Cluster, declared: &LoadBalancing) {
    let policy = declared.policy.as_ref().map_or(LoadBalancingPolicy::RoundRobin, |said| said.value);
    let slow_start_config = declared.slow_start.as_ref().map(slow_start);
    let (policy, config) = match policy {
        LoadBalancingPolicy::RoundRobin => (
            LbPolicy::RoundRobin,
            slow_start_config
                .map(|config| LbConfig::RoundRobinLbConfig(RoundRobinLbConfig { slow_start_config: Some(config) })),
        ),
        LoadBalancingPolicy::LeastRequest => {
            let choice_count = declared.choice_count.as_ref().map(|said| said.value);
            let config = LeastRequestLbConfig { choice_count, slow_start_config, ..Default::default() };
            (LbPolicy::LeastRequest, Some(LbConfig::LeastRequestLbConfig(config)))
        }
        LoadBalancingPolicy::Random => (LbPolicy::Random, None),
        LoadBalancingPolicy::RingHash => {
            let minimum_ring_size = declared.min_ring_size.as_ref().map(|said| u64::from(said.value));
            let config = RingHashLbConfig { minimum_ring_size, ..Default::default() };
            (LbPolicy::RingHash, Some(LbConfig::RingHashLbConfig(config)))
        }
        LoadBalancingPolicy::Maglev => (LbPolicy::Maglev, None),
    };
    cluster.lb_policy = policy.into();
    cluster.lb_config = config;
    let common = CommonLbConfig {
        healthy_panic_threshold: declared.panic_threshold.as_ref().map(|said| Percent { value: f64::from(said.value) }),
        locality_config_specifier: declared.locality.as_ref().and_then(locality),
        ..Default::default()
    };
    cluster.common_lb_config = (common != CommonLbConfig::default()).then_some(common);
}

/// Failover is a matter of the endpoints' priorities alone.
fn locality(declared: &Locality) -> Option<LocalityConfigSpecifier> {
    match declared.mode.value {
        LocalityMode::Off | LocalityMode::Failover => None,
        LocalityMode::ZoneAware => Some(LocalityConfigSpecifier::ZoneAwareLbConfig(ZoneAwareLbConfig {
            min_cluster_size: declared.min_endpoints.as_ref().map(|said| u64::from(said.value)),
            ..Default::default()
        })),
        LocalityMode::Weighted => {
            Some(LocalityConfigSpecifier::LocalityWeightedLbConfig(LocalityWeightedLbConfig::default()))
        }
    }
}

fn slow_start(declared: &SlowStart) -> SlowStartConfig {
    let least = declared.min_weight_percent.as_ref().map(|said| Percent { value: f64::from(said.value) });
    SlowStartConfig {
        slow_start_window: Some(duration(declared.window.value)),
        min_weight_percent: least,
        ..Default::default()
    }
}
