//! Requests of which the host shows too little: each policy does what is safe.

use meshwright_policy::{
    BasicAuth, Env, Fault, HeaderEdit, HeaderList, HeaderRouting, HttpPolicy, ROUTE_HEADER, Verdict,
};

fn decide<P: HttpPolicy>(config: &str, headers: &[(&str, &str)]) -> Verdict {
    let policy = P::new(serde_json::from_str(config).expect("a valid configuration"));
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let mut env = Env { random: &mut || 0, count: &mut |_| {} };
    policy.on_request(&mut HeaderList::from_wire(headers), &mut env)
}

#[test]
fn a_request_without_a_host_must_authenticate() {
    let config = r#"{"rules":[{"hosts":["shop.svc"],"realm":"shop","users":[]}]}"#;
    assert!(matches!(decide::<BasicAuth>(config, &[]), Verdict::Respond(_)));
}

#[test]
fn a_request_without_a_path_is_no_health_check() {
    let config = r#"{"rules":[{"exempt_paths":["/healthz"],"realm":"shop","users":[]}]}"#;
    assert!(matches!(decide::<BasicAuth>(config, &[(":method", "GET")]), Verdict::Respond(_)));
}

#[test]
fn a_request_without_a_host_has_no_host_s_faults() {
    let config = r#"{"rules":[{"hosts":["shop.svc"],"abort":{"status":503,"per_million":1000000}}]}"#;
    assert_eq!(decide::<Fault>(config, &[]), Verdict::Continue(Vec::new()));
}

#[test]
fn a_request_that_shows_no_header_loses_the_route_it_may_hide() {
    let removed = HeaderEdit::Remove { name: ROUTE_HEADER.to_owned() };
    let verdict = decide::<HeaderRouting>(r#"{"rules":[]}"#, &[]);
    assert_eq!(verdict, Verdict::Continue(vec![removed]));
}
