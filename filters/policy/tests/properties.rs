//! What holds for every request, whatever its bytes.

use meshwright_policy::testdata::{Case, End, run};
use meshwright_policy::{
    BasicAuth, BasicAuthConfig, BasicAuthRule, BasicAuthUser, Header, HeaderRouting, HeaderRoutingConfig, HttpPolicy,
    PasswordHash, ROUTE_HEADER, parse_htpasswd,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn request() -> impl Strategy<Value = Vec<Header>> {
    let name = prop_oneof![
        Just("authorization"),
        Just("Authorization"),
        Just("x-user"),
        Just("x-canary"),
        Just(ROUTE_HEADER),
        Just(":authority"),
        Just(":path"),
        Just("user-agent"),
    ];
    let value = prop_oneof![
        vec(any::<u8>(), 0..40),
        Just(b"shop.svc".to_vec()),
        Just(b"Basic YWxpY2U6c2VjcmV0".to_vec()),
        vec(any::<u8>(), 0..20).prop_map(|junk| [b"basic YWxpY2U6", &junk[..]].concat()),
    ];
    vec((name.prop_map(|name| name.as_bytes().to_vec()), value), 0..8)
}

fn case(request: Vec<Header>) -> Case {
    Case { request, repeat: 1, ..Case::default() }
}

fn alice_only() -> BasicAuth {
    let hash = PasswordHash::of_password(b"secret", b"salt");
    BasicAuth::new(BasicAuthConfig {
        rules: vec![BasicAuthRule {
            hosts: Vec::new(),
            exempt_paths: Vec::new(),
            realm: "shop".to_owned(),
            users: vec![BasicAuthUser { name: "alice".to_owned(), hash }],
            forward_user_header: Some("x-user".to_owned()),
        }],
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_upstream_hears_of_a_user_only_with_the_one_right_credential(request in request()) {
        // Envoy forgets an empty value beside another one as it joins them, so that the upstream sees one too.
        let credentials: Vec<_> = request
            .iter()
            .filter(|(name, value)| name.eq_ignore_ascii_case(b"authorization") && !value.is_empty())
            .map(|(_, value)| value.clone())
            .collect();
        let observed = run(&mut alice_only(), &case(request));
        if let End::Forwarded { headers, .. } = observed.end {
            let users: Vec<_> = headers.iter().filter(|(name, _)| name == b"x-user").collect();
            if !users.is_empty() {
                prop_assert_eq!(users.len(), 1);
                prop_assert_eq!(users[0].1.as_slice(), b"alice");
                prop_assert_eq!(credentials.len(), 1);
                let right = b"basic YWxpY2U6c2VjcmV0".as_slice();
                prop_assert!(credentials[0].eq_ignore_ascii_case(right));
            }
        }
    }

    #[test]
    fn no_client_sets_the_route(request in request()) {
        let mut policy = HeaderRouting::new(HeaderRoutingConfig { rules: Vec::new() });
        let End::Forwarded { headers, .. } = run(&mut policy, &case(request)).end else {
            return Err(TestCaseError::fail("header routing answered a request"));
        };
        prop_assert!(headers.iter().all(|(name, _)| name != ROUTE_HEADER.as_bytes()));
    }

    #[test]
    fn no_message_about_an_htpasswd_file_holds_its_secrets(
        lines in vec("(alice:|bob:|:|)(\\{SHA\\}|\\{SSHA\\}|\\$2y\\$|\\$|)hunter2[ -9;-~]{0,8}", 0..6)
    ) {
        let (users, errors) = parse_htpasswd(&lines.join("\r\n"));
        let printed = format!("{users:?} {errors:?}");
        let shown: String = errors.iter().map(ToString::to_string).collect();
        prop_assert!(!printed.contains("hunter2") && !shown.contains("hunter2"));
    }

    #[test]
    fn a_password_is_verified_by_its_own_hash(password in "[ -~é]{0,30}", salt in vec(any::<u8>(), 0..=64)) {
        let hash = PasswordHash::of_password(password.as_bytes(), &salt);
        let text = hash.to_htpasswd();
        prop_assert_eq!(PasswordHash::parse(&text), Ok(hash));
    }
}
