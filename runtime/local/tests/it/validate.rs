//! What the real Envoy says of itself and of configurations.

use std::fs;

use crate::world::{envoy, static_answer};

#[tokio::test]
async fn the_installed_envoy_has_the_supported_version() {
    let version = envoy().version().await.expect("a version");
    assert!(version.is_supported(), "{version}");
}

#[tokio::test]
async fn a_good_configuration_is_accepted_without_a_word() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("envoy.yaml");
    fs::write(&config, static_answer("127.0.0.1", "hello")).expect("a file");
    let report = envoy().validate(&config, folder.path()).await.expect("a report");
    assert!(report.accepted, "{report:?}");
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(report.warnings, Vec::<String>::new());
}

#[tokio::test]
async fn a_bad_configuration_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("envoy.yaml");
    fs::write(&config, "static_resources: { listners: [] }").expect("a file");
    let report = envoy().validate(&config, folder.path()).await.expect("a report");
    assert!(!report.accepted);
    assert!(report.problems.iter().any(|problem| problem.contains("listners")), "{report:?}");
}

#[tokio::test]
async fn a_deprecated_field_is_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("envoy.yaml");
    let text = "{admin: {access_log_path: /dev/null, address: {socket_address: {address: 127.0.0.1, port_value: 0}}}}";
    fs::write(&config, text).expect("a file");
    let report = envoy().validate(&config, folder.path()).await.expect("a report");
    assert!(report.accepted, "{report:?}");
    assert!(report.warnings.iter().any(|warning| warning.contains("access_log_path")), "{report:?}");
}
