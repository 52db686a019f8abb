//! Rules about who may do what, secrets and the outside world.

use expect_test::expect;

use crate::mesh_findings::{self, MUTUAL, check_rule as check, places, quiet, service, with_ca};

#[test]
fn authorization_that_refuses_nothing() {
    check(
        "open-authorization",
        &service("authorization default=\"allow\""),
        expect![[r#"
        error[open-authorization]: every request passes this authorization
          4:1 no rule refuses anything, and what no rule takes passes too
          help: name the callers that may, as in `rule "allow" from="SERVICE"`, and leave the rest to `default="deny"`
    "#]],
    );
    check(
        "open-authorization",
        &service("authorization {\nrule \"allow\" path-prefix=\"/\"\n}"),
        expect![[r#"
        error[open-authorization]: every request passes this authorization
          5:6 this rule takes every request
          help: name the callers that may, as in `rule "allow" from="SERVICE"`, and leave the rest to `default="deny"`
    "#]],
    );
    check(
        "open-authorization",
        &service("authorization {\nrule \"allow\" source=\"0.0.0.0/0,::/0\"\n}"),
        expect![[r#"
        error[open-authorization]: every request passes this authorization
          5:6 this rule takes every request
          help: name the callers that may, as in `rule "allow" from="SERVICE"`, and leave the rest to `default="deny"`
    "#]],
    );
}

#[test]
fn authorization_that_refuses_something() {
    quiet("open-authorization", &service("authorization default=\"allow\" {\nrule \"deny\" path-prefix=\"/admin\"\n}"));
    quiet("open-authorization", &service("authorization {\nrule \"allow\" source=\"0.0.0.0/0\"\n}"));
    quiet("open-authorization", &service("authorization"));
}

#[test]
fn a_condition_that_is_too_large_as_an_expression() {
    let rule = |rule: &str| service(&format!("authorization default=\"allow\" {{\nrule {rule}\n}}"));
    let long = "x".repeat(90);
    check(
        "regex",
        &rule(&format!("\"deny\" {{ header \"x-token\" exact=\"{long}\"; query \"q\" prefix=\"{long}\"; }}")),
        expect![[r#"
            error[regex]: Envoy does not load so large a condition
              5:32 as a regular expression it may have 120 steps, and Envoy loads at most 100
              help: compare a shorter text, or only its beginning with `prefix`
            error[regex]: Envoy does not load so large a condition
              5:142 as a regular expression it may have 123 steps, and Envoy loads at most 100
              help: compare a shorter text, or only its beginning with `prefix`
        "#]],
    );
    quiet("regex", &rule(&format!("\"allow\" {{ header \"x-token\" exact=\"{long}\"; }}")));
}

#[test]
fn a_caller_with_the_name_of_a_service() {
    let mesh = |caller: &str| {
        let rule = "authorization {\nrule \"allow\" from=\"a.svc\"\n}";
        format!("{}\n{caller}", with_ca(&format!("{MUTUAL}\n{rule}")))
    };
    check(
        "unproven-caller",
        &mesh("node \"a.svc\" calls=\"*\""),
        expect![[r#"
        error[unproven-caller]: the node `a.svc` passes for the service of that name
          10:6 its certificate has this name, and the service's has the same
          7:19 a rule takes the one for the other
          help: give the node a name that no service has
    "#]],
    );
    check(
        "unproven-caller",
        &mesh("gateway \"A.svc\" {\nlisten 8080\n}"),
        expect![[r#"
        error[unproven-caller]: the gateway `A.svc` passes for the service of that name
          10:9 its certificate has this name, and the service's has the same
          7:19 a rule takes the one for the other
          help: give the gateway a name that no service has
    "#]],
    );
}

#[test]
fn a_rule_below_a_wider_one() {
    check(
        "shadowed-access-rule",
        &service(
            "authorization {\nrule \"allow\" source=\"10.0.0.0/8\"\nrule \"deny\" source=\"10.1.0.0/16,10.2.3.4\" method=\"POST\"\n}",
        ),
        expect![[r#"
            error[shadowed-access-rule]: this rule never decides
              6:6 the first match decides
              5:6 this earlier rule takes all of its requests
              help: move the narrower rule up, or delete it
        "#]],
    );
}

#[test]
fn a_rule_below_a_narrower_or_another_one() {
    for (first, second) in [
        ("source=\"10.1.0.0/16\"", "source=\"10.0.0.0/8\""),
        ("source=\"10.1.0.0/16\"", "source=\"10.2.0.0/16\""),
        ("source=\"10.0.0.0/8\"", "source=\"::/0\""),
        ("source=\"10.0.0.0/8\"", "path-prefix=\"/\" method=\"GET\""),
        ("path-prefix=\"/a\"", "path-prefix=\"/b\""),
    ] {
        let text = service(&format!("authorization {{\nrule \"deny\" {first}\nrule \"allow\" {second}\n}}"));
        assert_eq!(places("shadowed-access-rule", &text), "", "{first} {second}");
    }
}

#[test]
fn callers_by_name_without_certificates() {
    check(
        "unproven-caller",
        &service("authorization {\nrule \"allow\" from=\"a.svc\"\n}"),
        expect![[r#"
        error[unproven-caller]: nothing proves who is calling
          5:19 only a certificate of the caller says which service it is
          2:9 here callers may come without a certificate
          help: ask for one: `tls mode="strict"` with `client` in it
    "#]],
    );
}

#[test]
fn callers_by_claim_without_tokens() {
    check(
        "unproven-caller",
        &service("authorization {\nrule \"allow\" claim=\"role=admin\"\n}"),
        expect![[r#"
        error[unproven-caller]: nothing proves what callers claim
          5:20 only a signed token says so
          2:9 here no token is asked for
          help: add `jwt` with the `provider` that signs the tokens
    "#]],
    );
}

#[test]
fn callers_by_name_with_certificates() {
    quiet("unproven-caller", &with_ca(&format!("{MUTUAL}\nauthorization {{\nrule \"allow\" from=\"a.svc\"\n}}")));
}

#[test]
fn a_refused_caller_may_leave_out_encryption() {
    let permissive = MUTUAL.replace("tls", "tls mode=\"permissive\"");
    let rule =
        |decision: &str| with_ca(&format!("{permissive}\nauthorization {{\nrule \"{decision}\" from=\"a.svc\"\n}}"));
    assert_eq!(places("unproven-caller", &rule("deny")), "error 7:18\n");
    assert_eq!(places("unproven-caller", &rule("allow")), "");
}

#[test]
fn what_defaults_say_is_proven_where_it_holds() {
    let defaults = "defaults {\nauthorization {\nrule \"allow\" from=\"a.svc\"\n}\n}\n";
    assert_eq!(places("unproven-caller", &format!("{defaults}{}", with_ca(MUTUAL))), "");
    let two = format!("{defaults}{}\nservice \"b.svc\" {{ endpoint \"10.0.0.2:80\"; }}", service(""));
    assert_eq!(places("unproven-caller", &two), "error 4:19\n");
}

#[test]
fn secrets_are_found_and_not_shown() {
    let secrets = [
        "request-headers { set \"Authorization\" value=\"Basic hunter2hunter2\"; }",
        "request-headers { add \"x-api-key\" value=\"hunter2hunter2\"; }",
        "response-headers { set \"x-a\" value=\"AKIAHUNTER2HUNTER2AB\"; }",
        "route path=\"/\" { respond 200 body=\"-----BEGIN EC PRIVATE KEY-----hunter2hunter2\"; }",
        "route path=\"/\" { header \"authorization\" exact=\"Bearer eyJhunter2.eyJhunter2.hunter2hunter2hunter2\"; to \"a.svc\"; }",
        "filter \"f\" configuration=#\"{\"db\": [{\"Password\": \"hunter2hunter2\"}]}\"#",
        "filter \"f\" configuration=\"key: ghp_hunter2hunter2hunter2hunter2hunter2hunter2\"",
        "envoy-overlay \"cluster\" reason=\"r\" json=#\"{\"metadata\": {\"filter_metadata\": {\"a\": {\"token\": \"hunter2\"}}}}\"#",
    ];
    for says in secrets {
        let text = format!("wasm-filter \"f\" {{ file \"f.wasm\"; }}\n{}", service(says));
        let found = mesh_findings::of("secret-in-text", &text);
        assert_eq!(places("secret-in-text", &text).lines().count(), 1, "{says}\n{found}");
        assert!(!found.to_ascii_lowercase().contains("hunter2"), "{found}");
    }
}

#[test]
fn texts_that_only_look_like_secrets() {
    for says in [
        "request-headers { set \"authorization\" value=\"%REQ(x-token)%\" format=#true; }",
        "request-headers { set \"x-a\" value=\"AKIA\"; set \"x-b\" value=\"a.b.c\"; }",
        "filter \"f\" configuration=#\"{\"password_file\": \"/run/p\", \"token\": \"\", \"secret\": {\"name\": \"db\"}}\"#",
        "filter \"f\" configuration=\"password: none\"",
    ] {
        let text = format!("wasm-filter \"f\" {{ file \"f.wasm\"; }}\n{}", service(says));
        assert_eq!(places("secret-in-text", &text), "", "{says}");
    }
}

#[test]
fn credentials_on_a_plain_port() {
    let gateway = |says: &str| {
        format!(
            "{}\njwt-provider \"idp\" {{ jwks-file \"k.json\"; }}\ngateway \"g\" listen=80 {{\n{says}\njwt provider=\"idp\"\ncalls \"a.svc\"\n}}",
            with_ca("")
        )
    };
    assert_eq!(places("plaintext-credentials", &gateway("")), "warning 10:1\n");
    assert_eq!(places("plaintext-credentials", &gateway("trusted-hops 1")), "");
    assert_eq!(places("plaintext-credentials", &gateway("bind \"127.0.0.1\"")), "");
    let tls = gateway("").replace("listen=80 {", "{\nlisten 443 { tls { certificate provider=\"ca\"; }; }");
    assert_eq!(places("plaintext-credentials", &tls), "");
}

#[test]
fn checks_that_fail_open() {
    check(
        "fail-open",
        &service("external-auth service=\"a.svc\" failure=\"open\""),
        expect![[r#"
        error[fail-open]: requests pass when nobody answers for them
          4:39 whoever slows down the other server needs no permission
          help: say `failure="closed"`, or leave it out
    "#]],
    );
    check(
        "fail-open",
        &format!("wasm-filter \"f\" {{\nfile \"f.wasm\"\nfailure \"open\"\n}}\n{}", service("filter \"f\"")),
        expect![[r#"
            error[fail-open]: requests pass the filter by when it fails
              4:9 one request that makes it fail opens the way for all others
              help: say `failure="reload"`, or leave it out: the filter is back within about a second
        "#]],
    );
    check(
        "fail-open",
        &format!(
            "jwt-provider \"idp\" {{ jwks-file \"k.json\"; }}\n{}",
            service("jwt provider=\"idp\" optional=#true")
        ),
        expect![[r#"
            note[fail-open]: requests without a token pass
              5:29 nothing else decides about them here
              help: say in `authorization` what they may do, or leave `optional` out
        "#]],
    );
}

#[test]
fn tokens_may_be_left_out_where_something_else_decides() {
    quiet(
        "fail-open",
        &format!(
            "jwt-provider \"idp\" {{ jwks-file \"k.json\"; }}\n{}",
            service("jwt provider=\"idp\" optional=#true\nauthorization {\nrule \"allow\" claim=\"a=b\"\n}")
        ),
    );
}

#[test]
fn a_module_without_a_digest() {
    let filter = |says: &str| format!("wasm-filter \"f\" {{\n{says}\n}}\n{}", service("filter \"f\""));
    check(
        "wasm-digest",
        &filter("url \"https://m.example/f.wasm\""),
        expect![[r#"
        error[wasm-digest]: the module of `f` is fetched without a digest
          3:1 whatever is found there would run in every sidecar
          help: add `sha256`, as `sha256sum FILE` prints it
    "#]],
    );
    quiet("wasm-digest", &filter("file \"f.wasm\""));
}

#[test]
fn every_origin_with_cookies() {
    check(
        "cors-credentials",
        &service("cors {\nallow-origin \"*\"\nallow-credentials #true\n}"),
        expect![[r#"
        error[cors-credentials]: any web page may act for the user who looks at it
          5:14 every origin is allowed
          6:19 its requests bring the user's cookies
          help: name the origins, as in `allow-origin "https://shop.example"`
    "#]],
    );
    check(
        "cors-credentials",
        &service("cors {\nallow-origin-regex \".*\"\nallow-credentials #true\n}"),
        expect![[r#"
        error[cors-credentials]: any web page may act for the user who looks at it
          5:20 every origin is allowed
          6:19 its requests bring the user's cookies
          help: name the origins, as in `allow-origin "https://shop.example"`
    "#]],
    );
    quiet("cors-credentials", &service("cors { allow-origin \"*\"; }"));
    quiet(
        "cors-credentials",
        &service("cors {\nallow-origin-regex \"https://[a-z]+\\\\.shop\\\\.example\"\nallow-credentials #true\n}"),
    );
}

#[test]
fn keys_over_a_plain_connection() {
    let provider =
        |url: &str| format!("jwt-provider \"idp\" {{\njwks-url \"{url}\"\n}}\n{}", service("jwt provider=\"idp\""));
    check(
        "insecure-keys",
        &provider("http://idp.example/keys"),
        expect![[r#"
        error[insecure-keys]: the keys of `idp` are fetched without encryption
          3:1 whoever changes the answer can sign tokens that are believed
          help: write `https://`, or put the keys beside the mesh and name them with `jwks-file`
    "#]],
    );
    quiet("insecure-keys", &provider("http://a.svc/keys"));
    quiet("insecure-keys", &provider("https://idp.example/keys"));
}

#[test]
fn hosts_and_the_egress_policy() {
    let node = |egress: &str| format!("{}\nnode \"n\" serves=\"a.svc\" {{\n{egress}\n}}", service(""));
    check(
        "egress-hosts",
        &node("egress \"listed\""),
        expect![[r#"
        error[egress-hosts]: no host is listed
          7:8 nothing can be reached
          help: add `host "api.example"`, or say `egress "none"`
    "#]],
    );
    check(
        "egress-hosts",
        &node("egress \"none\" {\nhost \"b.example\"\n}"),
        expect![[r#"
        error[egress-hosts]: `none` asks for no hosts
          8:6 this host changes nothing
          7:8 the policy
          help: say `egress "listed"`, or leave the hosts out
    "#]],
    );
    check(
        "open-egress",
        &node("egress \"allow-all\""),
        expect![[r#"
        warning[open-egress]: everything outside the mesh can be reached
          7:8 an application that is taken over can send data anywhere
          help: say `egress "listed"` and name the hosts that are needed
    "#]],
    );
    quiet("egress-hosts", &node("egress \"listed\" { host \"b.example\"; }"));
    quiet("egress-hosts", &node("egress \"none\""));
}

#[test]
fn metadata_is_out_of_reach_wherever_a_host_is_said() {
    for says in [
        "service \"b\" { dns \"metadata.google.internal:80\"; }",
        "service \"b\" { dns \"localhost:80\"; }",
        "service \"b\" { dns \"0x7f.1:80\"; }",
        "service \"b\" { endpoint \"[::ffff:169.254.170.2]:80\"; }",
        "defaults { tracing \"otlp\" address=\"169.254.169.254:80\"; }",
        "defaults { tracing \"otlp\" address=\"localhost:9901\"; }",
        "defaults { access-log \"json\" otlp=\"2852039166:80\"; }",
        "defaults { stats { sink statsd=\"127.0.0.1:4100\"; }; }",
        "jwt-provider \"i\" { jwks-url \"https://[fd00:ec2::254]/k\"; }",
        "jwt-provider \"i\" { jwks-url \"https://127.1:8443/k\"; }",
        "certificate-provider \"p\" { sds-address \"169.254.1.1:80\"; }",
        "node \"m\" { egress \"listed\" { host \"a.localhost\"; }; }",
        "node \"m\" { egress \"listed\" { host \"0251.0376.0251.0376\"; }; }",
        "service \"b\" { endpoint \"10.0.0.3:80\"; route path=\"/\" { redirect host=\"169.254.169.254\"; }; }",
        "service \"b\" { endpoint \"10.0.0.3:80\"; route path=\"/\" { rewrite host=\"169.254.169.254\"; to \"b\"; }; }",
    ] {
        assert_eq!(places("forbidden-address", says).lines().count(), 1, "{says}");
    }
}

#[test]
fn a_collector_may_listen_beside_the_sidecar() {
    for says in [
        "defaults { tracing \"xray\" address=\"127.0.0.1:2000\"; }",
        "defaults { stats { sink dog-statsd=\"localhost:8125\"; }; }",
        "defaults { access-log \"json\" otlp=\"127.0.0.1:4317\"; }",
        "service \"b\" { endpoint \"10.0.0.3:80\"; route path=\"/\" { rewrite host=\"localhost\"; to \"b\"; }; }",
    ] {
        assert_eq!(places("forbidden-address", says), "", "{says}");
    }
}

#[test]
fn a_forbidden_collector_is_named() {
    check(
        "forbidden-address",
        "defaults { tracing \"otlp\" address=\"localhost:9901\"; }",
        expect![[r#"
        error[forbidden-address]: `localhost` cannot be a collector
          2:35 Envoy's administration listens here
          help: name a host that is meant for this
    "#]],
    );
}

#[test]
fn headers_that_nobody_sets() {
    let edits =
        |says: &str| format!("service \"a.svc\" {{\nendpoint \"10.0.0.1:80\"\nrequest-headers {{ {says} }}\n}}");
    for says in
        ["set \"Host\" value=\"b\"", "add \"x-meshwright-route\" value=\"b\"", "set \"content-length\" value=\"0\""]
    {
        assert_eq!(places("reserved-header", &edits(says)), "error 4:23\n", "{says}");
    }
    assert_eq!(places("reserved-header", &edits("remove \"host\"")), "error 4:26\n");
    assert_eq!(places("reserved-header", &edits("set \"x-team\" value=\"shop\"; remove \"x-meshwright-route\"")), "");
    let key = "service \"a.svc\" { endpoint \"10.0.0.1:80\"; api-key header=\"x-key\" keys-file=\"k\" forward-client-header=\"x-envoy-a\"; }";
    assert_eq!(places("reserved-header", key), "error 2:102\n");
}

#[test]
fn every_origin_in_other_words() {
    let cors = |regex: &str| {
        format!(
            "service \"a.svc\" {{\nendpoint \"10.0.0.1:80\"\ncors {{ allow-origin-regex \"{regex}\"; allow-credentials #true; }}\n}}"
        )
    };
    assert_eq!(places("cors-credentials", &cors("(?i).*")).lines().count(), 1);
    assert_eq!(places("cors-credentials", &cors("^https?://.*$")).lines().count(), 1);
    assert_eq!(places("cors-credentials", &cors("(?:https)://shop[.]example")), "");
}

#[test]
fn what_only_our_filter_decides_by_address() {
    check(
        "engine-mismatch",
        &service("ip-access engine=\"native\" trusted-hops=1 { allow \"10.0.0.0/8\"; }"),
        expect![[r#"
            error[engine-mismatch]: `native` cannot decide access by address with `trusted-hops`
              4:18 Envoy's own filter knows nothing of it
              help: leave `engine` out, or `trusted-hops`
        "#]],
    );
    check(
        "invalid-value",
        &service("ip-access status=200 { deny \"10.0.0.0/8\"; }"),
        expect![[r#"
        error[invalid-value]: access by address cannot answer 200
          4:18 this is no error
          help: write 403, which says that it is forbidden, or another status from 400
    "#]],
    );
    check(
        "invalid-value",
        &service("ip-access status=404"),
        expect![[r#"
        error[invalid-value]: this refuses nobody
          4:1 no network is allowed or denied
          help: write `allow "10.0.0.0/8"`, or `deny …`
    "#]],
    );
}

#[test]
fn what_only_our_filter_counts() {
    check(
        "engine-mismatch",
        &service("rate-limit requests=5 engine=\"native\" {\nby cookie=\"session\"\n}"),
        expect![[r#"
            error[engine-mismatch]: `native` cannot limit rates with `by cookie`
              4:30 Envoy's own filter knows nothing of it
              help: leave `engine` out, or `by cookie`
        "#]],
    );
    check(
        "invalid-value",
        &service("rate-limit requests=5 cost=6"),
        expect![[r#"
        error[invalid-value]: every request is refused
          4:28 a bucket never holds more than 5
          help: write a `cost` of 5 or less, or a larger `burst`
    "#]],
    );
    check(
        "invalid-value",
        &service("rate-limit requests=5 unkeyed=\"refuse\""),
        expect![[r#"
        error[invalid-value]: all requests are counted together
          4:31 no key is said that one could lack
          help: write what requests are counted `by`, or delete `unkeyed`
    "#]],
    );
}

#[test]
fn a_gateway_has_one_number_of_trusted_hops() {
    let gateway = |says: &str| {
        format!(
            "gateway \"front\" {{\nlisten 80\n{says}\nhost \"shop.example\" {{ route path-prefix=\"/\" {{ respond 200; }}; }}\n}}"
        )
    };
    check(
        "invalid-value",
        &gateway("ip-access trusted-hops=1 { deny \"10.0.0.0/8\"; }"),
        expect![[r#"
        error[invalid-value]: a gateway has one number of trusted hops
          4:24 its clients are told by the gateway's own
          help: delete it, and write `trusted-hops` at the gateway
    "#]],
    );
    check(
        "invalid-value",
        &gateway("rate-limit requests=1 trusted-hops=1 { by source-address=#true; }"),
        expect![[r#"
        error[invalid-value]: a gateway has one number of trusted hops
          4:36 its clients are told by the gateway's own
          help: delete it, and write `trusted-hops` at the gateway
    "#]],
    );
}
