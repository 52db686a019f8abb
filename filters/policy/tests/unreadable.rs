//! Requests of which the host shows too little: each policy does what is safe.

use meshwright_policy::testdata::{Case, End, run};
use meshwright_policy::{BASIC_AUTH_ROOT_ID, find};

fn decide(root_id: &str, config: &str, headers: &[(&str, &str)]) -> End {
    let filter = find(root_id).expect("a filter");
    let mut policy = (filter.configure)(config.as_bytes()).expect("a valid configuration");
    let request = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    run(&mut *policy, &Case { request, repeat: 1, ..Case::default() }).end
}

#[test]
fn a_request_without_a_host_must_authenticate() {
    let config = r#"{"rules":[{"hosts":["shop.svc"],"realm":"shop","users":[]}]}"#;
    assert!(matches!(decide(BASIC_AUTH_ROOT_ID, config, &[]), End::Replied { .. }));
}

#[test]
fn a_request_without_a_path_is_no_health_check() {
    let config = r#"{"rules":[{"exempt_paths":["/healthz"],"realm":"shop","users":[]}]}"#;
    assert!(matches!(decide(BASIC_AUTH_ROOT_ID, config, &[(":method", "GET")]), End::Replied { .. }));
}
