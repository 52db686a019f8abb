use super::*;

#[test]
fn hosts_with_a_flag_or_a_bad_word_are_unhealthy() {
    let text = r#"{"cluster_statuses": [
        {"name": "good", "host_statuses": [
            {"address": {"socket_address": {"address": "127.0.0.2", "port_value": 4100}},
             "health_status": {"eds_health_status": "HEALTHY"}}]},
        {"name": "bad", "host_statuses": [
            {"address": {"socket_address": {"address": "127.0.0.3", "port_value": 4100}},
             "health_status": {"eds_health_status": "HEALTHY", "failed_active_health_check": true}},
            {"address": {"socket_address": {"address": "127.0.0.4", "port_value": 4100}},
             "health_status": {"eds_health_status": "DRAINING"}}]},
        {"name": "empty"}]}"#;
    let clusters: Clusters = serde_json::from_str(text).expect("as Envoy writes it");
    let unhealthy: Vec<String> = clusters.unhealthy().iter().map(ToString::to_string).collect();
    assert_eq!(unhealthy, ["127.0.0.3:4100 of bad (failed_active_health_check)", "127.0.0.4:4100 of bad (draining)"]);
}

#[test]
fn a_counter_is_asked_for_by_its_whole_name() {
    assert_eq!(anchored_pattern("cluster.beta_svc.upstream_rq_503"), r"^cluster\.beta_svc\.upstream_rq_503$");
    assert_eq!(percent_encoded(r"^a\.b$"), "%5Ea%5C.b%24");
}
