//! What holds for header edits, request ids and maintenance, whatever the request and the time.

use meshwright_policy::testdata::{Case, End, run};
use meshwright_policy::{
    Decide, HEADERS_ROOT_ID, Header, LONGEST_TEMPLATE as LONGEST, MAINTENANCE_ROOT_ID, REQUEST_ID_ROOT_ID, Template,
    find, sha256,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

fn policy(root_id: &str, config: &serde_json::Value) -> Box<dyn Decide> {
    let filter = find(root_id).expect("a filter");
    (filter.configure)(config.to_string().as_bytes()).unwrap_or_else(|invalid| panic!("{invalid}"))
}

fn request() -> impl Strategy<Value = Vec<Header>> {
    let name = prop_oneof![
        Just("x-a"),
        Just("X-B"),
        Just("x-made"),
        Just("cookie"),
        Just(":path"),
        Just(":method"),
        Just(":authority"),
        Just("x-request-id"),
        Just("x-pass"),
        Just("content-type"),
    ];
    let value = prop_oneof![
        vec(any::<u8>(), 0..40),
        vec(any::<u8>(), 0..40).prop_map(|junk| [b"/?q=", &junk[..]].concat()),
        vec(any::<u8>(), 0..40).prop_map(|junk| [b"c=", &junk[..]].concat()),
        "/(%[0-9a-f]{2}|[&=?./q]){0,20}".prop_map(String::into_bytes),
        Just(vec![b'a'; LONGEST + 1]),
        Just(b"secret".to_vec()),
        Just(b"6fa459ea-ee8a-4ca4-894e-db77e160355e".to_vec()),
    ];
    vec((name.prop_map(|name| name.as_bytes().to_vec()), value), 0..8)
}

fn template() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z {{}}%]{0,6}".prop_map(|text| text.replace('{', "{{").replace('}', "}}")),
        prop::sample::select(vec![
            "{header:x-a}",
            "{header:x-b|b}",
            "{cookie:c}",
            "{query:q|none}",
            "{query:q}",
            "{path}",
            "{method}",
            "{authority|nowhere}",
            "{request-id}",
            "{source-address|}",
            "{time}",
        ])
        .prop_map(str::to_owned),
    ];
    vec(part, 0..4).prop_map(|parts| parts.concat())
}

fn case(request: Vec<Header>) -> Case {
    Case { request, repeat: 1, ..Case::default() }
}

fn values<'h>(headers: &'h [Header], name: &str) -> Vec<&'h [u8]> {
    headers.iter().filter(|(known, _)| known == name.as_bytes()).map(|(_, value)| &value[..]).collect()
}

fn forwarded(end: End) -> Result<(Vec<Header>, Vec<Header>), TestCaseError> {
    match end {
        End::Forwarded { headers, response } => Ok((headers, response)),
        End::Replied { .. } => Err(TestCaseError::fail("the request was answered")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_a_template_makes_is_one_short_line_and_nothing_of_it_is_forged(
        request in request(), template in template()
    ) {
        let config = json!({
            "request": [{"set": {"name": "x-made", "value": template}}],
            "response": [{"set": {"name": "x-made", "value": template}}],
        });
        let upstream = vec![(b"x-made".to_vec(), b"forged".to_vec())];
        let mut policy = policy(HEADERS_ROOT_ID, &config);
        let (headers, response) = forwarded(run(&mut *policy, &Case { upstream, ..case(request.clone()) }).end)?;
        let made = values(&headers, "x-made");
        prop_assert!(made.len() <= 1);
        prop_assert_eq!(&made, &values(&response, "x-made"));
        for value in made {
            prop_assert!(value.len() <= LONGEST);
            prop_assert!(value.iter().all(|byte| *byte >= b' ' && *byte != 0x7f));
        }
        let others = |headers: &[Header]| -> Vec<Header> {
            headers.iter().filter(|(name, _)| name != b"x-made").cloned().collect()
        };
        let seen = case(request).seen().headers().to_vec();
        prop_assert_eq!(others(&headers), others(&seen));
    }

    #[test]
    fn a_template_is_read_or_refused_with_a_place(text in "[{}|:a-z\\r%é]{0,24}") {
        match Template::parse(&text) {
            Ok(template) => prop_assert_eq!(template.text(), text),
            Err(error) => prop_assert!(text.get(error.at).is_some()),
        }
    }

    #[test]
    fn every_request_has_one_id_of_its_form_and_the_response_tells_it(
        request in request(), format in prop::sample::select(vec![("uuid4", 36), ("uuid7", 36), ("ulid", 26), ("hex", 32)]),
        random in vec(any::<u64>(), 2), trust_all in any::<bool>(), name in prop::sample::select(vec!["x-a", "x-request-id"]),
    ) {
        let (format, length) = format;
        let config = json!({"header": name, "format": format, "trust_all": trust_all, "response_header": "x-told"});
        let mut policy = policy(REQUEST_ID_ROOT_ID, &config);
        let case = Case { random: Some(random), ..case(request) };
        let (headers, response) = forwarded(run(&mut *policy, &case).end)?;
        let ids = values(&headers, name);
        prop_assert_eq!(ids.len(), 1);
        prop_assert_eq!(ids[0].len(), length);
        prop_assert!(ids[0].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-'));
        prop_assert_eq!(values(&response, "x-told"), ids);
    }

    #[test]
    fn nobody_passes_maintenance_without_the_one_secret(request in request()) {
        let digest: String = sha256(b"secret").iter().map(|byte| format!("{byte:02x}")).collect();
        let config = json!({"pass_headers": [{"name": "x-pass", "sha256": digest}]});
        let secrets: Vec<_> = request.iter().filter(|(name, _)| name == b"x-pass").collect();
        let may = matches!(secrets[..], [(_, secret)] if secret == b"secret");
        let end = run(&mut *policy(MAINTENANCE_ROOT_ID, &config), &case(request.clone())).end;
        prop_assert_eq!(matches!(end, End::Forwarded { .. }), may);
        if let End::Forwarded { headers, .. } = end {
            prop_assert!(values(&headers, "x-pass").is_empty());
        }
    }

    #[test]
    fn maintenance_ends_when_it_says_and_not_before(
        windows in vec((0_u64..400_000, 1_u64..90_000), 0..4),
        weekly in vec((vec(0_u8..7, 0..4), 0_u16..=1440, 0_u16..=1440), 0..3),
        at in 0_u64..1_000_000,
    ) {
        let windows: Vec<_> =
            windows.into_iter().map(|(from, length)| json!({"from": from, "until": from + length})).collect();
        let weekly: Vec<_> = weekly
            .into_iter()
            .map(|(days, from, until)| json!({"days": days, "from": from, "until": until}))
            .collect();
        prop_assume!(!windows.is_empty() || !weekly.is_empty());
        let mut policy = policy(MAINTENANCE_ROOT_ID, &json!({"windows": windows, "weekly": weekly}));
        let mut retry_after = |at: u64| match run(&mut *policy, &Case { at: Some(at), ..case(Vec::new()) }).end {
            End::Forwarded { .. } => None,
            End::Replied { headers, .. } => {
                let seconds = values(&headers, "retry-after").first().map(|value| String::from_utf8_lossy(value).into_owned());
                Some(seconds.map(|seconds| seconds.parse::<u64>().expect("seconds")))
            }
        };
        if let Some(Some(seconds)) = retry_after(at) {
            prop_assert!(seconds > 0);
            prop_assert_eq!(retry_after(at + seconds), None);
            prop_assert_eq!(retry_after(at + seconds - 1), Some(Some(1)));
            prop_assert_eq!(retry_after(at + seconds / 2), Some(Some(seconds - seconds / 2)));
        }
    }

    #[test]
    fn no_configuration_is_too_strange_to_be_refused(
        root_id in prop::sample::select(vec![HEADERS_ROOT_ID, REQUEST_ID_ROOT_ID, MAINTENANCE_ROOT_ID]),
        field in prop::sample::select(vec![
            "request", "response", "header", "format", "trust_from", "windows", "weekly", "pass_headers", "status",
        ]),
        value in prop::sample::select(vec![
            "1", "-1", "null", "[]", "[null]", "[{}]", "{}", "\"x\"", "1e99", "[{\"set\":{}}]", "[{\"remove\":\":path\"}]",
            "[\"10.0.0.0/99\"]", "[{\"days\":[7],\"from\":0,\"until\":0}]", "[{\"name\":\"a\",\"sha256\":\"00\"}]",
        ]),
    ) {
        let filter = find(root_id).expect("a filter");
        if let Ok(mut policy) = (filter.configure)(format!("{{\"{field}\":{value}}}").as_bytes()) {
            run(&mut *policy, &case(Vec::new()));
        }
    }
}

#[test]
fn grpc_clients_get_no_second_content_type() {
    let config = json!({"body": "back soon", "content_type": "text/html"});
    let grpc = |kind: &str| {
        let request = vec![(b"content-type".to_vec(), kind.as_bytes().to_vec())];
        match run(&mut *policy(MAINTENANCE_ROOT_ID, &config), &case(request)).end {
            End::Replied { headers, .. } => values(&headers, "content-type").len(),
            End::Forwarded { .. } => panic!("the request was forwarded"),
        }
    };
    assert_eq!(grpc("application/grpc"), 0);
    assert_eq!(grpc("application/grpc+proto"), 0);
    assert_eq!(grpc("application/json"), 1);
}

#[test]
fn digests_are_not_shown() {
    let digest = "ab".repeat(32);
    let config: meshwright_policy::MaintenanceConfig =
        meshwright_policy::decode(format!(r#"{{"pass_cookies":[{{"name":"a","sha256":"{digest}"}}]}}"#).as_bytes())
            .expect("a configuration");
    assert!(!format!("{config:?}").contains("abab"));
    assert!(serde_json::to_string(&config).expect("JSON").contains(&digest));
}
