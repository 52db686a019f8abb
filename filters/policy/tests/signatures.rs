//! What holds for signed requests, whatever their bytes.

use meshwright_policy::testdata::{Case, End, run};
use meshwright_policy::{
    Header, HmacSignature, HmacSignatureConfig, HttpPolicy, SigningKey, SigningSecret, parse_signing_secrets,
};
use proptest::collection::vec;
use proptest::prelude::*;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: u64 = 1_700_000_000;
const REQUEST: [(&str, &str); 5] =
    [(":method", "GET"), (":authority", "shop.svc"), (":path", "/a?b=c"), ("x-a", "1"), ("x-b", "2")];
const COMPONENTS: [&str; 6] = ["@method", "@authority", "@path", "@query", "x-a", "x-b"];

fn policy() -> HmacSignature {
    HmacSignature::new(HmacSignatureConfig {
        owner: "shop".to_owned(),
        keys: vec![SigningKey { id: "shop".to_owned(), secret: SigningSecret::new(SECRET) }],
        clients: Vec::new(),
        components: COMPONENTS.iter().map(ToString::to_string).collect(),
        label: None,
        tag: None,
        max_age_seconds: 300,
        clock_skew_seconds: 10,
        require_nonce: false,
        replay_memory: 100,
        check_body: true,
        forward_client_header: Some("x-client".to_owned()),
    })
}

fn decide(request: Vec<Header>) -> End {
    run(&mut policy(), &Case { request, repeat: 1, at: Some(NOW), ..Case::default() }).end
}

fn passes(request: Vec<Header>) -> bool {
    matches!(decide(request), End::Forwarded { .. })
}

/// The request with what its signature is about, and the signature.
fn signed(components: &[&str], secret: &[u8]) -> (String, [u8; 32]) {
    let values = [("@method", "GET"), ("@authority", "shop.svc"), ("@path", "/a"), ("@query", "?b=c")];
    let value = |name: &str| {
        let all = values.iter().chain(&REQUEST);
        all.into_iter().find(|(known, _)| *known == name).map(|(_, value)| *value).expect("a component")
    };
    let quoted: Vec<String> = components.iter().map(|name| format!("\"{name}\"")).collect();
    let parameters = format!("({});created={NOW};keyid=\"shop\"", quoted.join(" "));
    let lines: String = components.iter().map(|name| format!("\"{name}\": {}\n", value(name))).collect();
    let base = format!("{lines}\"@signature-params\": {parameters}");
    (parameters, SigningSecret::new(secret).sign(base.as_bytes()))
}

fn request(parameters: &str, signature: &[u8]) -> Vec<Header> {
    let base64: String = serde_json::from_value(serde_json::json!(SigningSecret::new(signature))).expect("a text");
    let mut request: Vec<Header> = REQUEST.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    request.push((b"signature-input".to_vec(), format!("sig={parameters}").into_bytes()));
    request.push((b"signature".to_vec(), format!("sig=:{base64}:").into_bytes()));
    request
}

#[test]
fn a_good_signature_passes() {
    let (parameters, signature) = signed(&COMPONENTS, SECRET);
    assert!(passes(request(&parameters, &signature)));
}

#[test]
fn no_debug_print_holds_a_secret() {
    let printed = format!("{:?} {:?}", policy(), SigningSecret::new(SECRET));
    assert!(!printed.contains("0123456789") && !printed.contains("[48, 49"), "{printed}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_other_bytes_are_a_signature(place in 0_usize..32, bit in 0_u32..8) {
        let (parameters, mut signature) = signed(&COMPONENTS, SECRET);
        signature[place] ^= 1_u8 << bit;
        prop_assert!(!passes(request(&parameters, &signature)));
    }

    #[test]
    fn no_other_secret_signs(secret in vec(any::<u8>(), 0..100)) {
        prop_assume!(secret != SECRET);
        let (parameters, signature) = signed(&COMPONENTS, &secret);
        prop_assert!(!passes(request(&parameters, &signature)));
    }

    #[test]
    fn any_order_is_signed_and_none_can_be_changed(
        order in Just(COMPONENTS.to_vec()).prop_shuffle(), other in Just(COMPONENTS.to_vec()).prop_shuffle()
    ) {
        let (parameters, signature) = signed(&order, SECRET);
        prop_assert!(passes(request(&parameters, &signature)));
        let (changed, _) = signed(&other, SECRET);
        prop_assert_eq!(passes(request(&changed, &signature)), order == other);
    }

    #[test]
    fn a_signature_about_less_does_not_pass(left_out in 0..COMPONENTS.len()) {
        let mut components = COMPONENTS.to_vec();
        components.remove(left_out);
        let (parameters, signature) = signed(&components, SECRET);
        prop_assert!(!passes(request(&parameters, &signature)));
    }

    #[test]
    fn no_byte_of_the_request_can_be_changed(header in 0..REQUEST.len(), place in 0_usize..8, by in 1_u8..=255) {
        let (parameters, signature) = signed(&COMPONENTS, SECRET);
        let mut request = request(&parameters, &signature);
        let value = &mut request[header].1;
        let place = place % value.len();
        // Hosts have no case.
        let as_before = value.to_ascii_lowercase();
        value[place] = value[place].wrapping_add(by);
        let same = header == 1 && value.to_ascii_lowercase() == as_before;
        // White space around a value is not part of it, and there is nothing but the byte.
        prop_assert_eq!(passes(request), same);
    }

    #[test]
    fn no_byte_of_what_a_signature_says_can_be_changed(place in 0_usize..200, by in 1_u8..=255) {
        let (parameters, signature) = signed(&COMPONENTS, SECRET);
        let mut request = request(&parameters, &signature);
        let value = &mut request[5].1;
        let place = place % value.len();
        value[place] = value[place].wrapping_add(by);
        prop_assert!(!passes(request));
    }

    #[test]
    fn whatever_the_bytes_the_answer_is_401(
        input in prop_oneof![vec(any::<u8>(), 0..80), "[a-z=(\"@);,:?0-9 ]{0,60}".prop_map(String::into_bytes)],
        signature in prop_oneof![vec(any::<u8>(), 0..80), "[a-z=:A-Z]{0,60}".prop_map(String::into_bytes)],
    ) {
        let mut request: Vec<Header> = REQUEST.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        request.push((b"signature-input".to_vec(), input));
        request.push((b"signature".to_vec(), signature));
        let refused = matches!(decide(request), End::Replied { status: 401, .. });
        prop_assert!(refused);
    }

    #[test]
    fn no_message_about_a_file_of_secrets_holds_a_secret(
        lines in vec("(shop:|mill:|:|)(\\{BASE64\\}|\\{HEX\\}|)hunter2[ -9;-~]{0,8}", 0..6)
    ) {
        let (keys, errors) = parse_signing_secrets(&lines.join("\r\n"));
        let shown: String = errors.iter().map(ToString::to_string).collect();
        let printed = format!("{keys:?} {errors:?} {shown}");
        prop_assert!(!printed.contains("hunter2"));
    }
}
