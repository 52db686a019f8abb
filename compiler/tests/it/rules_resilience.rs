//! Rules about retries, time limits, health and faults.

use expect_test::expect;

use crate::mesh_findings::{check_rule as check, places, quiet, service};

#[test]
fn one_try_longer_than_the_request_of_one_caller() {
    check(
        "timeout-order",
        &format!(
            "{}\nnode \"n\" {{\ncalls \"a.svc\" timeout=\"1s\"\n}}",
            service("timeout \"9s\"\nretry attempts=1 per-try-timeout=\"2s\"")
        ),
        expect![[r#"
            error[timeout-order]: one try may take longer than the whole request
              5:34 this limit never acts
              8:23 the whole request ends here
              help: make `per-try-timeout` shorter than `timeout`
        "#]],
    );
}

#[test]
fn one_try_longer_than_the_request_by_defaults() {
    check(
        "timeout-order",
        &format!("defaults {{\nretry attempts=1 per-try-timeout=\"20s\"\n}}\n{}", service("")),
        expect![[r#"
        error[timeout-order]: one try may take longer than the whole request
          3:34 this limit never acts
          help: make `per-try-timeout` shorter than `timeout`
          help: without a `timeout`, the whole request may take 15s
    "#]],
    );
}

#[test]
fn the_last_try_has_no_time_left() {
    check(
        "retry-overrun",
        &service("timeout \"4s\"\nretry attempts=2 per-try-timeout=\"2s\""),
        expect![[r#"
        warning[retry-overrun]: 3 tries of 2s do not fit into 4s
          5:16 when the tries before it hang, the last one never begins
          4:9 the whole request ends here
          help: make `attempts` or `per-try-timeout` smaller, or `timeout` longer
    "#]],
    );
}

#[test]
fn the_last_try_has_some_time_left() {
    quiet("retry-overrun", &service("timeout \"5s\"\nretry attempts=2 per-try-timeout=\"2s\""));
}

#[test]
fn tries_that_hang_for_ever() {
    check(
        "retry-without-limit",
        &service("timeout \"0s\"\nretry attempts=2"),
        expect![[r#"
        warning[retry-without-limit]: a try that hangs is never given up
          5:16 no try has a time limit
          4:9 nor has the whole request
          help: add `per-try-timeout`
    "#]],
    );
}

#[test]
fn tries_end_by_either_limit() {
    quiet("retry-without-limit", &service("timeout \"0s\"\nretry attempts=2 per-try-timeout=\"1s\""));
    quiet("retry-without-limit", &service("retry attempts=10"));
}

#[test]
fn an_answer_of_its_own_is_tried_once() {
    quiet("retry-without-limit", &service("route path=\"/\" {\ntimeout \"0s\"\nretry attempts=2\nrespond 404\n}"));
}

#[test]
fn one_try_longer_than_the_request_at_a_gateway() {
    let text = format!(
        "{}\ngateway \"g\" listen=80 {{\ntimeout \"1s\"\nhost \"*\" {{\nto \"a.svc\"\n}}\n}}",
        service("retry attempts=1 per-try-timeout=\"2s\"")
    );
    assert_eq!(places("timeout-order", &text), "error 4:34\n");
}

#[test]
fn more_tries_than_anybody_waits_for() {
    check(
        "retry-without-limit",
        &service("retry attempts=11"),
        expect![[r#"
        warning[retry-without-limit]: a request may be tried 12 times
          4:16 a service that is failing gets so many times its load
          help: write 10 or less; two or three tries are enough for an endpoint that is gone
    "#]],
    );
}

#[test]
fn retries_multiply_along_nodes_that_serve_and_call() {
    check(
        "retry-storm",
        r#"
service "a" { endpoint "10.0.0.1:80"; retry attempts=3; }
service "b" { endpoint "10.0.0.2:80"; retry attempts=3; }
service "c" { endpoint "10.0.0.3:80"; retry attempts=3; }
node "a" serves="a" calls="b"
node "b" serves="b" calls="c"
gateway "front" listen=8080 { calls "a"; }
"#,
        expect![[r#"
            warning[retry-storm]: one request may become 64 requests to `c`
              5:54 each request to `c` is tried 4 times
              4:54 times 4 tries of `b`
              3:54 times 4 tries of `a`
              help: retry at one place of the chain, best at the caller next to what fails
        "#]],
    );
}

#[test]
fn a_chain_is_told_once_however_many_begin_it() {
    let clients: String = (0..50).map(|n| format!("node \"client-{n}\" calls=\"a\"\n")).collect();
    let text = format!(
        r#"
service "a" {{ endpoint "10.0.0.1:80"; retry attempts=9; }}
service "b" {{ endpoint "10.0.0.2:80"; retry attempts=9; }}
node "a" serves="a" calls="b"
{clients}"#
    );
    assert_eq!(places("retry-storm", &text), "warning 4:54\n");
}

#[test]
fn few_retries_along_a_chain_and_many_beside_each_other() {
    quiet(
        "retry-storm",
        r#"
service "a" { endpoint "10.0.0.1:80"; retry attempts=2; }
service "b" { endpoint "10.0.0.2:80"; retry attempts=2; }
service "c" { endpoint "10.0.0.3:80"; retry attempts=2; }
service "d" { endpoint "10.0.0.4:80"; retry attempts=8; }
node "a" serves="a" { calls "b"; calls "d"; }
node "b" serves="b" calls="c"
node "web" calls="a"
"#,
    );
}

#[test]
fn calls_in_a_circle_end() {
    check(
        "retry-storm",
        r#"
service "a" { endpoint "10.0.0.1:80"; retry attempts=5; }
service "b" { endpoint "10.0.0.2:80"; retry attempts=5; }
node "a" serves="a" calls="b"
node "b" serves="b" calls="a"
node "web" calls="a"
"#,
        expect![[r#"
            warning[retry-storm]: one request may become 36 requests to `b`
              4:54 each request to `b` is tried 6 times
              3:54 times 6 tries of `a`
              help: retry at one place of the chain, best at the caller next to what fails
        "#]],
    );
}

#[test]
fn words_of_another_vocabulary() {
    check(
        "retry-vocabulary",
        &service("retry attempts=1 on=\"server-error\""),
        expect![[r#"
        error[retry-vocabulary]: Envoy has no such condition
          4:21 a word of App Mesh
          help: or say `vocabulary="app-mesh"`, and all words in that one
          help: write `5xx`
    "#]],
    );
    check(
        "retry-vocabulary",
        &service("retry attempts=1 on=\"5xx\" vocabulary=\"app-mesh\""),
        expect![[r#"
        error[retry-vocabulary]: App Mesh has no such condition
          4:21 a word of Envoy
          4:38 the vocabulary is said here
          help: write `server-error`
    "#]],
    );
}

#[test]
fn words_of_the_said_vocabulary() {
    quiet(
        "retry-vocabulary",
        &service("retry attempts=1 on=\"server-error,stream-error,unavailable\" vocabulary=\"app-mesh\""),
    );
    quiet("retry-vocabulary", &service("retry attempts=1 on=\"5xx,gateway-error,unavailable\""));
}

#[test]
fn a_post_is_tried_again_by_the_retry_of_its_service() {
    check(
        "unsafe-retry",
        &service("retry attempts=1\nroute path-prefix=\"/\" method=\"POST\" {\nto \"a.svc\"\n}"),
        expect![[r#"
            warning[unsafe-retry]: a `POST` may be done twice
              4:16 `gateway-error`, which counts when nothing is said, does not tell whether the request was done
              5:30 requests that change something are tried again
              help: write `on="connect-failure,refused-stream,reset-before-request"` for these requests
        "#]],
    );
}

#[test]
fn only_what_was_not_done_is_tried_again() {
    quiet(
        "unsafe-retry",
        &service(
            "route path-prefix=\"/\" method=\"POST\" {\nretry attempts=1 on=\"connect-failure,refused-stream\"\nto \"a.svc\"\n}",
        ),
    );
    quiet(
        "unsafe-retry",
        &service("route path-prefix=\"/\" method=\"PUT\" {\nretry attempts=1 on=\"5xx\"\nto \"a.svc\"\n}"),
    );
}

#[test]
fn a_service_waits_longer_than_its_callers() {
    check(
        "timeout-chain",
        r#"
service "a" { endpoint "10.0.0.1:80"; timeout "2s"; }
service "b" { endpoint "10.0.0.2:80"; timeout "0s"; }
service "c" { endpoint "10.0.0.3:80"; }
node "a" serves="a" { calls "b"; calls "c" timeout="2s"; }
"#,
        expect![[r#"
            warning[timeout-chain]: `a` waits without end for `b`, and its callers 2s for `a`
              6:29 what it still waits for, nobody wants any more
              4:47 so long a request to `b` may take
              3:47 so long a request to `a` may take
              help: give this call a `timeout` of less than 2s
        "#]],
    );
}

#[test]
fn a_service_waits_as_long_as_its_callers_by_default() {
    quiet(
        "timeout-chain",
        "service \"a\" { endpoint \"10.0.0.1:80\"; }\nservice \"b\" { endpoint \"10.0.0.2:80\"; }\nnode \"a\" serves=\"a\" calls=\"b\"",
    );
}

#[test]
fn outliers_among_one_endpoint() {
    check(
        "outlier-without-choice",
        &service("outlier-detection consecutive-5xx=3"),
        expect![[r#"
        warning[outlier-without-choice]: `a.svc` has one endpoint: there is nothing to leave out
          4:1 this has no effect
          3:10 the only endpoint
          help: add a second endpoint or a `failover`, or delete `outlier-detection`
    "#]],
    );
}

#[test]
fn outliers_where_there_may_be_others() {
    quiet("outlier-without-choice", "service \"a\" { dns \"a.internal:80\"; outlier-detection consecutive-5xx=3; }");
    quiet("outlier-without-choice", &format!("defaults {{ outlier-detection consecutive-5xx=3; }}\n{}", service("")));
}

#[test]
fn a_check_that_takes_longer_than_its_interval() {
    check(
        "health-check-overlap",
        &service("health-check interval=\"2s\""),
        expect![[r#"
        warning[health-check-overlap]: a check may take 3s, and there is to be one every 2s
          4:23 an endpoint that hangs is asked more seldom than one that answers
          help: make `timeout` shorter than `interval`
    "#]],
    );
    quiet("health-check-overlap", &service("health-check interval=\"3s\""));
}

#[test]
fn a_fault_for_everybody() {
    check(
        "total-fault",
        &service("fault { delay \"1s\" percent=100; }"),
        expect![[r#"
            warning[total-fault]: every request is delayed
              4:28 no request is spared
              help: write a smaller `percent`, or name the requests with `header` or `callers`
        "#]],
    );
}

#[test]
fn a_fault_for_some_or_for_who_asks() {
    quiet("total-fault", &service("fault { delay \"1s\" percent=99.9; }"));
    quiet("total-fault", &service("fault { delay \"1s\" percent=100; header \"x-chaos\" present=#true; }"));
    quiet("total-fault", &service("fault { delay \"1s\" percent=100; callers source=\"10.0.0.0/8\"; }"));
}

#[test]
fn a_fault_whose_times_cannot_be() {
    check(
        "invalid-value",
        &service(
            "fault {\ndelay \"50ms\" percent=1 jitter=\"60ms\" up-to=\"50ms\"\n\
             window from=\"2030-01-31T08:00:00Z\" until=\"2030-01-31T09:00:00+01:00\"\n}",
        ),
        expect![[r#"
            error[invalid-value]: no request can wait for less than no time
              5:31 longer than the delay
              5:7 the delay
              help: make `jitter` shorter, or say the longest delay with `up-to`
            error[invalid-value]: the longest delay is not longer than the shortest
              5:44
              5:7 the shortest delay
              help: make `up-to` longer, or leave it out
            error[invalid-value]: a delay is spread in one way
              5:44
              5:31 the other one
              help: leave out `jitter` or `up-to`
            error[invalid-value]: this window is over before it begins
              6:42
              6:13 it begins here
              help: make `until` later than `from`
        "#]],
    );
    quiet("invalid-value", &service("fault { delay \"50ms\" percent=1 jitter=\"50ms\"; }"));
    quiet("invalid-value", &service("fault { delay \"50ms\" percent=1 up-to=\"51ms\"; }"));
}

#[test]
fn a_fault_whose_answer_is_too_long() {
    let fault = |length| service(&format!("fault {{ abort 503 percent=1 body=\"{}\"; }}", "x".repeat(length)));
    check(
        "invalid-value",
        &fault(4097),
        expect![[r#"
        error[invalid-value]: this answer has 4097 bytes
          4:34 a filter answers with at most 4096
          help: let a service answer it
    "#]],
    );
    quiet("invalid-value", &fault(4096));
}

#[test]
fn what_a_fault_says_needs_one_engine() {
    check(
        "engine-mismatch",
        &service("fault {\nabort 503 percent=1 body=\"x\"\nselect by-header=\"x-user\"\nengine \"native\"\n}"),
        expect![[r#"
            error[engine-mismatch]: Envoy's own fault filter has no `body`
              5:26 only our filter does this
              7:8 Envoy's own is chosen here
              help: leave out `engine`, or this
            error[engine-mismatch]: Envoy's own fault filter has no `select`
              6:18 only our filter does this
              7:8 Envoy's own is chosen here
              help: leave out `engine`, or this
        "#]],
    );
    check(
        "engine-mismatch",
        &service("fault {\nabort 503 percent=1\nwindow until=\"2030-01-31T08:00:00Z\"\nheader \"x-a\" regex=\"a+\"\n}"),
        expect![[r#"
            error[engine-mismatch]: Envoy's own fault filter has no `window`
              6:1 only our filter does this
              7:14 only Envoy's own compares with a regular expression
              help: compare with `exact`, `prefix`, `suffix` or `contains`
        "#]],
    );
    check(
        "engine-mismatch",
        &service("fault {\nresponse-rate-limit 64 percent=1\ncallers source=\"10.0.0.0/8\"\n}"),
        expect![[r#"
            error[engine-mismatch]: `callers` cannot choose whose responses are slow
              6:1
              5:21 Envoy's own filter does this, and knows nothing of it
              help: choose requests by `header`
        "#]],
    );
    quiet("engine-mismatch", &service("fault { abort 503 percent=1 body=\"x\"; response-rate-limit 64 percent=1; }"));
    quiet(
        "engine-mismatch",
        &service("fault { grpc-abort 8 percent=1; header \"x-a\" regex=\"a+\"; engine \"wasm\"; }"),
    );
}

#[test]
fn a_fault_of_callers_whom_nothing_proves() {
    check(
        "unproven-caller",
        &service("fault {\nabort 503 percent=1\ncallers from=\"a.svc\"\n}"),
        expect![[r#"
        error[unproven-caller]: nothing proves who is calling
          6:14 only a certificate of the caller says which service it is
          2:9 here callers may come without a certificate
          help: ask for one: `tls mode="strict"` with `client` in it
    "#]],
    );
    let control = "fault {\nheader-control max-percent=1 max-delay=\"1s\" {\n\
                   callers from-identity=\"spiffe://a/b\"\n}\n}";
    assert_eq!(places("unproven-caller", &service(control)), "error 6:23\n");
    let unknown = service("fault {\nabort 503 percent=1\ncallers from=\"nobody.svc\"\n}");
    assert_eq!(places("unknown-service", &unknown), "error 6:14\n");
}

#[test]
fn an_answer_cannot_say_how_long_it_is() {
    check(
        "reserved-header",
        &service("fault {\nabort 503 percent=1 {\nset \"Content-Length\" value=\"1\"\n}\n}"),
        expect![[r#"
            error[reserved-header]: `content-length` cannot be set
              6:5 where the message ends depends on it
              help: choose another header
        "#]],
    );
    quiet("reserved-header", &service("fault { abort 503 percent=1 { set \"content-type\" value=\"text/html\"; }; }"));
}

#[test]
fn tries_that_end_by_themselves_need_no_limit() {
    let retry = |says: &str| service(&format!("timeout \"0s\"\nretry attempts=2 {says}"));
    assert_eq!(places("retry-without-limit", &retry("on=\"unavailable\"")), "warning 5:16\n");
    quiet("retry-without-limit", &retry("per-try-idle-timeout=\"5s\""));
    quiet("retry-without-limit", &retry("on=\"connect-failure,refused-stream\""));
}

#[test]
fn a_chain_of_time_limits_is_as_long_as_its_most_patient_caller() {
    let chain = |a: &str, rest: &str| {
        format!(
            "service \"a\" {{ endpoint \"10.0.0.1:80\"; timeout \"2s\"; {a} }}\nservice \"b\" {{ endpoint \"10.0.0.2:80\"; }}\nnode \"a\" {{ serves \"a\"; calls \"b\" timeout=\"9s\"; }}\n{rest}"
        )
    };
    assert_eq!(places("timeout-chain", &chain("", "node \"web\" calls=\"a\"")), "warning 4:30\n");
    quiet("timeout-chain", &chain("route path-prefix=\"/long\" timeout=\"20s\" { to \"a\"; }", ""));
    quiet("timeout-chain", &chain("", "node \"web\" { calls \"a\" timeout=\"20s\"; }"));
    quiet(
        "timeout-chain",
        &chain("", "gateway \"front\" listen=80 { timeout \"20s\"; host \"shop.example\" { to \"a\"; }; }"),
    );
    quiet(
        "timeout-chain",
        &chain("", "service \"router\" { timeout \"20s\"; route path-prefix=\"/\" { to \"a\"; }; }"),
    );
}

#[test]
fn retries_multiply_across_routes_to_other_services() {
    let chain = |route: &str| {
        format!(
            "defaults {{ retry attempts=5 }}\nservice \"a\" {{ endpoint \"10.0.0.1:80\"; {route} }}\nservice \"a-v2\" {{ endpoint \"10.0.0.2:80\"; }}\nservice \"b\" {{ endpoint \"10.0.0.3:80\"; }}\nnode \"web\" calls=\"a\"\nnode \"a-v2\" serves=\"a-v2\" calls=\"b\""
        )
    };
    assert_eq!(places("retry-storm", &chain("route path-prefix=\"/\" { to \"a-v2\"; }")), "warning 2:27\n");
    quiet("retry-storm", &chain(""));
}

#[test]
fn a_parameter_whose_name_would_end_the_format() {
    check(
        "invalid-value",
        &service("rate-limit requests=5 {\nby query=\"a)%REQ(x\"\n}"),
        expect![[r#"
        error[invalid-value]: nothing is counted by a parameter called `a)%REQ(x`
          5:4 Envoy takes `)` for the end of the name
          help: count by another parameter, or by a header
    "#]],
    );
}
