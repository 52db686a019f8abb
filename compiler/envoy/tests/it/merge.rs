//! JSON merged into messages: objects field by field, everything else in place of what was there.

use meshwright_envoy::config::cluster::v3::Cluster;
use meshwright_envoy::config::listener::v3::Listener;
use meshwright_envoy::{merge_json, to_json};
use serde_json::{Value, json};

/// What becomes of a message when JSON is merged into it.
#[track_caller]
fn merged<M: prost::Name + Default>(before: Value, change: Value) -> Result<Value, String> {
    // A message is made of JSON by merging it into nothing.
    let message: M = merge_json(&M::default(), &before).expect("the message itself");
    let after = merge_json(&message, &change).map_err(|error| error.reason)?;
    Ok(serde_json::from_str(&to_json(&after)).expect("JSON"))
}

#[track_caller]
fn cluster(before: Value, change: Value, after: Value) {
    assert_eq!(merged::<Cluster>(before, change), Ok(after));
}

#[test]
fn objects_are_merged_and_lists_replaced() {
    cluster(
        json!({"name": "a", "circuit_breakers": {"thresholds": [{"max_requests": 1}, {"max_requests": 2}]}}),
        json!({"circuitBreakers": {"thresholds": [{"max_retries": 3}]}, "connect_timeout": "2s"}),
        json!({"name": "a", "connect_timeout": "2s", "circuit_breakers": {"thresholds": [{"max_retries": 3}]}}),
    );
    cluster(
        json!({"dns_jitter": "1s", "common_lb_config": {"healthy_panic_threshold": {"value": 10.0}}}),
        json!({"common_lb_config": {"update_merge_window": "1s"}}),
        json!({
            "dns_jitter": "1s",
            "common_lb_config": {"healthy_panic_threshold": {"value": 10}, "update_merge_window": "1s"},
        }),
    );
}

#[test]
fn null_and_defaults_take_a_field_away() {
    cluster(
        json!({"name": "a", "connect_timeout": "1s", "lb_policy": "RANDOM"}),
        json!({"connect_timeout": null, "lb_policy": "ROUND_ROBIN"}),
        json!({"name": "a"}),
    );
}

#[test]
fn a_choice_replaces_the_other() {
    cluster(json!({"type": "EDS"}), json!({"cluster_type": {"name": "x"}}), json!({"cluster_type": {"name": "x"}}));
}

#[test]
fn entries_of_maps_and_structs_are_merged() {
    let options = |name: &str| json!({"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": name, "connect_timeout": "1s"});
    cluster(
        json!({
            "metadata": {"filter_metadata": {"a": {"b": {"c": 1, "d": 2}}, "e": {"f": 1}}},
            "typed_extension_protocol_options": {"one": options("one"), "two": options("two")},
        }),
        json!({
            "metadata": {"filter_metadata": {"a": {"b": {"c": 3}}, "g": {"h": true}}},
            "typed_extension_protocol_options": {"one": {"name": "other"}, "two": null},
        }),
        json!({
            "metadata": {"filter_metadata": {"a": {"b": {"c": 3, "d": 2}}, "e": {"f": 1}, "g": {"h": true}}},
            "typed_extension_protocol_options": {"one": options("other")},
        }),
    );
}

#[test]
fn an_extension_of_another_type_is_replaced() {
    let socket = "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";
    let with = |config: Value| json!({"transport_socket": {"name": "t", "typed_config": config}});
    cluster(
        with(json!({"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "one"})),
        with(json!({"@type": socket})),
        with(json!({"@type": socket})),
    );
}

#[test]
fn what_the_message_does_not_have_is_refused() {
    assert_eq!(
        merged::<Listener>(json!({}), json!({"adress": {}})),
        Err("unrecognized field name 'adress'".to_owned())
    );
    assert!(merged::<Listener>(json!({}), json!({"name": 1})).is_err());
    assert!(merged::<Listener>(json!({}), json!([])).is_err());
}
