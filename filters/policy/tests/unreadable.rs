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
fn a_request_of_which_nothing_is_known_does_not_pass_the_password() {
    for rules in [
        r#"[]"#,
        r#"[{"hosts":["shop.svc"],"public":true}]"#,
        r#"[{"path":"/","public":true}]"#,
        r#"[{"path_prefix":"","public":true}]"#,
        r#"[{"methods":["GET"],"public":true}]"#,
        r#"[{"hosts":["shop.svc"],"groups":["admins"]}]"#,
    ] {
        let config = format!(r#"{{"realm":"shop","rules":{rules}}}"#);
        assert!(matches!(decide(BASIC_AUTH_ROOT_ID, &config, &[]), End::Replied { .. }), "{rules}");
    }
}
