//! What holds for every request, whatever its bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshwright_policy::testdata::{Case, End, run};
use meshwright_policy::{
    BASIC_AUTH_ROOT_ID, BasicAuth, BasicAuthConfig, BasicAuthRule, BasicAuthUser, Header, HeaderRouting,
    HeaderRoutingConfig, HttpPolicy, PasswordHash, ROUTE_HEADER, find, normalised, parse_groups, parse_htpasswd,
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

fn user(name: &str, password: &str, groups: &[&str]) -> BasicAuthUser {
    let hash = PasswordHash::of_password(password.as_bytes(), b"salt");
    BasicAuthUser { name: name.to_owned(), hash, groups: groups.iter().map(|group| (*group).to_owned()).collect() }
}

fn of_users(users: Vec<BasicAuthUser>, rules: Vec<BasicAuthRule>) -> BasicAuth {
    BasicAuth::new(BasicAuthConfig {
        realm: "shop".to_owned(),
        users,
        rules,
        forward_user_header: Some("x-user".to_owned()),
        hide: false,
        cors_preflight: false,
        failure_micros_per_second: 100_000,
    })
}

fn rule() -> BasicAuthRule {
    BasicAuthRule {
        hosts: Vec::new(),
        path: None,
        path_prefix: None,
        methods: Vec::new(),
        public: false,
        groups: Vec::new(),
        users: Vec::new(),
    }
}

fn basic(user: &str, password: &str) -> Vec<u8> {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))).into_bytes()
}

fn alice_only() -> BasicAuth {
    of_users(vec![user("alice", "secret", &[])], Vec::new())
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

    #[test]
    fn without_the_password_nothing_but_what_is_public_passes(
        segments in vec(prop_oneof![
            Just("public".to_owned()), Just("admin".to_owned()), Just(".".to_owned()), Just("..".to_owned()), Just(String::new()),
            Just("%2e%2E".to_owned()), Just("..;x".to_owned()), Just("%70ublic".to_owned()), Just("..%2f".to_owned()),
            "[a-z%.;?#\\\\]{0,4}",
        ], 0..7),
        name in "[a-c]",
        password in prop_oneof![Just("secret".to_owned()), "[ -~]{0,8}"],
    ) {
        let public = BasicAuthRule { path_prefix: Some("/public/".to_owned()), public: true, ..rule() };
        let admin = BasicAuthRule { path_prefix: Some("/".to_owned()), groups: vec!["admins".to_owned()], ..rule() };
        let users = vec![user("a", "secret", &["admins"]), user("b", "secret", &["others"])];
        let mut policy = of_users(users, vec![public, admin]);
        let target = format!("/{}", segments.join("/"));
        let credentials = basic(&name, &password);
        let request = vec![(b":path".to_vec(), target.clone().into_bytes()), (b"authorization".to_vec(), credentials)];
        let path = normalised(target.as_bytes());
        let is_public = path.as_ref().is_some_and(|path| path.starts_with(b"/public/"));
        let proved = password == "secret" && name == "a" && path.is_some();
        match run(&mut policy, &case(request)).end {
            End::Forwarded { .. } => prop_assert!(is_public || proved, "{target}"),
            End::Replied { status: 403, .. } => prop_assert!(name == "b" && password == "secret" && !is_public),
            End::Replied { .. } => prop_assert!(!is_public && !proved, "{target}"),
        }
    }

    #[test]
    fn a_path_has_one_spelling(target in prop_oneof![vec(any::<u8>(), 0..40), "/[a-c./%;2eEfF\\\\?#]{0,30}".prop_map(String::into_bytes)]) {
        let Some(path) = normalised(&target) else { return Ok(()) };
        prop_assert!(path.iter().all(u8::is_ascii_graphic));
        prop_assert!(path == b"*" || path.starts_with(b"/"));
        prop_assert!(!path.iter().any(|byte| matches!(byte, b'?' | b'#' | b'\\')));
        prop_assert!(!path.windows(2).any(|two| two == b"//"));
        let segments = path.split(|byte| *byte == b'/');
        prop_assert!(segments.into_iter().all(|segment| segment != b"." && segment != b".."));
    }

    #[test]
    fn the_escaped_path_is_the_path(path in "/[a-zA-Z0-9_~!$&'()*+,;=:@-]{1,20}") {
        let escaped: String = path[1..].bytes().map(|byte| format!("%{byte:02x}")).collect();
        prop_assert_eq!(normalised(path.as_bytes()), Some(path.clone().into_bytes()));
        prop_assert_eq!(normalised(format!("//x/%2E%2e/{escaped}?{path}").as_bytes()), Some(path.into_bytes()));
    }

    #[test]
    fn any_text_is_a_hash_or_is_refused(
        mark in prop_oneof![
            Just(""), Just("{SHA}"), Just("{SSHA}"), Just("$2y$"), Just("$2b$04$"), Just("$apr1$"), Just("$1$"), Just("$5$"),
            Just("$6$rounds=1000$"), Just("$pbkdf2-sha256$"), Just("{PBKDF2-SHA512}1$"), Just("$argon2id$v=19$m=8,t=1,p=1$"),
            Just("$argon2id$"),
        ],
        rest in prop_oneof!["[ -~]{0,80}", "[./A-Za-z0-9+$=,]{0,100}", any::<String>()],
        password in vec(any::<u8>(), 0..90),
    ) {
        let text = format!("{mark}{rest}");
        let Ok(hash) = PasswordHash::parse(&text) else { return Ok(()) };
        prop_assert_eq!(hash.to_htpasswd(), text);
        // Of the rest, none is the hash of anything.
        if hash.check_micros() < 10_000 {
            let user = BasicAuthUser { name: "a".to_owned(), hash, groups: Vec::new() };
            let credentials = STANDARD.encode([b"a:", &password[..]].concat());
            let request = vec![(b"authorization".to_vec(), format!("Basic {credentials}").into_bytes())];
            let end = run(&mut of_users(vec![user], Vec::new()), &case(request)).end;
            let is_refused = matches!(end, End::Replied { status: 401, .. });
            prop_assert!(is_refused);
        }
    }

    #[test]
    fn any_file_is_read_or_refused_line_by_line(text in prop_oneof![any::<String>(), "([a-z:#{}$ \r\n]|\\{SHA\\}){0,80}"]) {
        let (users, errors) = parse_htpasswd(&text);
        let lines = text.lines().count().max(1);
        prop_assert!(!users.is_empty() || !errors.is_empty());
        prop_assert!(errors.iter().all(|error| (1..=lines).contains(&error.line)));
        prop_assert!(users.iter().all(|user| (1..=lines).contains(&user.line) && !user.name.is_empty()));
        let (groups, errors) = parse_groups(&text);
        prop_assert!(errors.iter().all(|error| (1..=lines).contains(&error.line)));
        prop_assert!(groups.iter().all(|group| (1..=lines).contains(&group.line) && !group.name.is_empty()));
    }

    #[test]
    fn any_configuration_decides_any_request_and_alike(config in any_config(), request in request()) {
        let json = serde_json::to_vec(&config).expect("text");
        let filter = find(BASIC_AUTH_ROOT_ID).expect("a filter");
        let mut policy = (filter.configure)(&json).expect("what was written can be read");
        let first = run(&mut *policy, &case(request.clone()));
        prop_assert_eq!(run(&mut *policy, &case(request)), first);
    }
}

fn any_config() -> impl Strategy<Value = BasicAuthConfig> {
    let text = || prop_oneof!["[a-z*./]{0,4}", any::<String>()];
    let rule = (
        vec(text(), 0..2),
        proptest::option::of(text()),
        proptest::option::of(text()),
        vec(text(), 0..2),
        any::<bool>(),
        vec(text(), 0..2),
    );
    let rule = rule.prop_map(|(hosts, path, path_prefix, methods, public, groups)| BasicAuthRule {
        users: groups.clone(),
        hosts,
        path,
        path_prefix,
        methods,
        public,
        groups,
    });
    let users = vec(text().prop_map(|name| user(&name, "secret", &["a"])), 0..4);
    (text(), users, vec(rule, 0..4), proptest::option::of(text()), any::<bool>(), any::<u32>()).prop_map(
        |(realm, users, rules, forward_user_header, flag, failure_micros_per_second)| BasicAuthConfig {
            realm,
            users,
            rules,
            forward_user_header,
            hide: flag,
            cors_preflight: flag,
            failure_micros_per_second,
        },
    )
}
