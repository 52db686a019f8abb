//! Reads the inputs of tests: bootstraps as YAML text.

use std::sync::LazyLock;

use meshwright_envoy::config::bootstrap::v3::Bootstrap;
use prost_reflect::{DescriptorPool, DynamicMessage};

pub(crate) static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let bytes = include_bytes!("../../descriptors/envoy-1.40.fds");
    DescriptorPool::decode(bytes.as_slice()).expect("a complete descriptor set")
});

#[track_caller]
pub(crate) fn bootstrap(yaml: &str) -> Bootstrap {
    let value: serde_json::Value = serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{error} in\n{yaml}"));
    let descriptor = POOL.get_message_by_name("envoy.config.bootstrap.v3.Bootstrap").expect("a bootstrap");
    let message = DynamicMessage::deserialize(descriptor, value).unwrap_or_else(|error| panic!("{error} in\n{yaml}"));
    message.transcode_to().expect("the generated type has the same fields")
}

/// The text with every line after the first moved right.
pub(crate) fn indented(text: &str, columns: usize) -> String {
    text.trim_end().replace('\n', &format!("\n{}", " ".repeat(columns)))
}
