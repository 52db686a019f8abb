//! What holds for keys of callers, whatever a request's bytes.

use meshwright_policy::testdata::{Case, End, run};
use meshwright_policy::{
    ApiKey, ApiKeyConfig, ApiKeySource, ClientKey, Header, HeaderSource, HttpPolicy, KeyHash, parse_api_keys,
};
use proptest::collection::vec;
use proptest::prelude::*;

const KEY: &[u8] = b"3f5a1c9e7b2d4860";

fn shop_only() -> ApiKey {
    ApiKey::new(ApiKeyConfig {
        sources: vec![
            ApiKeySource::Header(HeaderSource { name: "x-api-key".to_owned(), scheme: None }),
            ApiKeySource::Header(HeaderSource { name: "authorization".to_owned(), scheme: Some("Bearer".to_owned()) }),
            ApiKeySource::Query("key".to_owned()),
            ApiKeySource::Cookie("key".to_owned()),
        ],
        keys: vec![ClientKey { client: "shop".to_owned(), sha256: KeyHash::of_key(KEY) }],
        clients: Vec::new(),
        realm: "shop".to_owned(),
        forward_client_header: Some("x-client".to_owned()),
        hide: true,
    })
}

fn request() -> impl Strategy<Value = Vec<Header>> {
    let name = prop_oneof![
        Just("x-api-key"),
        Just("X-Api-Key"),
        Just("authorization"),
        Just("cookie"),
        Just("x-client"),
        Just(":path"),
    ];
    let key = String::from_utf8_lossy(KEY).into_owned();
    let value = prop_oneof![
        vec(any::<u8>(), 0..30),
        Just(KEY.to_vec()),
        Just(format!("Bearer {key}").into_bytes()),
        Just(format!("/?a=b&key={key}&c").into_bytes()),
        Just(format!("a=b; key={key}; c").into_bytes()),
        "[a-c=&%;?/ key\"]{0,20}".prop_map(String::into_bytes),
    ];
    vec((name.prop_map(|name| name.as_bytes().to_vec()), value), 0..5)
}

fn case(request: Vec<Header>) -> Case {
    Case { request, repeat: 1, ..Case::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_passes_brought_the_key_and_is_called_by_its_client(request in request()) {
        let brought = request.iter().any(|(_, value)| value.windows(KEY.len()).any(|part| part == KEY));
        if let End::Forwarded { headers, .. } = run(&mut shop_only(), &case(request)).end {
            prop_assert!(brought);
            let clients: Vec<_> = headers.iter().filter(|(name, _)| name == b"x-client").collect();
            prop_assert!(matches!(&clients[..], [(_, client)] if client == b"shop"));
        }
    }

    #[test]
    fn only_the_key_itself_passes(key in vec(b'!'..=b'~', 1..40)) {
        let request = vec![(b"x-api-key".to_vec(), key.clone())];
        let passed = matches!(run(&mut shop_only(), &case(request)).end, End::Forwarded { .. });
        prop_assert_eq!(passed, key == KEY);
    }

    #[test]
    fn a_key_that_is_hidden_is_gone_and_the_rest_of_the_query_is_there(
        before in "[a-j0-9=%]{0,10}", after in "[a-j0-9=%]{0,10}"
    ) {
        let path = format!("/p?{before}&key=3f5a1c9e7b2d4860&{after}");
        let request = vec![(b":path".to_vec(), path.into_bytes())];
        let End::Forwarded { headers, .. } = run(&mut shop_only(), &case(request)).end else {
            return Err(TestCaseError::fail("refused"));
        };
        let (_, path) = headers.iter().find(|(name, _)| name == b":path").expect("a path");
        prop_assert_eq!(String::from_utf8_lossy(path), format!("/p?{before}&{after}"));
    }

    #[test]
    fn no_message_about_a_file_of_keys_holds_a_key(
        lines in vec("(shop:|mill:|:|)(\\{SHA256\\}|\\{MD5\\}|)hunter2[ -9;-~]{0,8}", 0..6)
    ) {
        let (keys, errors) = parse_api_keys(&lines.join("\r\n"));
        let shown: String = errors.iter().map(ToString::to_string).collect();
        let printed = format!("{keys:?} {errors:?} {shown}");
        prop_assert!(!printed.contains("hunter2"));
    }
}

#[test]
fn no_debug_print_holds_a_key_or_its_hash() {
    let hash = KeyHash::of_key(KEY);
    let printed = format!("{:?} {hash:?}", shop_only());
    assert!(!printed.contains(&hash.to_hex()) && !printed.contains("3f5a1c9e"), "{printed}");
}
