//! Rules about bounds, outliers, balancing and failover.

use expect_test::expect;

use crate::mesh_findings::{check_rule as check, quiet, service};

#[test]
fn an_endpoint_is_left_out_for_longer_than_the_longest_time() {
    check(
        "ejection-time",
        &service("outlier-detection base-ejection-time=\"1m\" max-ejection-time=\"10s\""),
        expect![[r#"
            error[ejection-time]: endpoints are left out for 1m, and for 10s at the longest
              4:61 shorter than `base-ejection-time`
              4:38 they are left out for this time at first
              help: make it longer
        "#]],
    );
}

#[test]
fn the_time_that_nobody_wrote_is_too_long() {
    check(
        "ejection-time",
        &format!(
            "{}\nnode \"n\" {{\ncalls \"a.svc\" {{\noutlier-detection max-ejection-time=\"29s\"\n}}\n}}",
            service("")
        ),
        expect![[r#"
            error[ejection-time]: endpoints are left out for 30s, and for 29s at the longest
              8:37 shorter than `base-ejection-time`
              help: write `base-ejection-time="29s"` too: it is 30s unless said
        "#]],
    );
    quiet("ejection-time", &service("outlier-detection max-ejection-time=\"30s\""));
    quiet("ejection-time", &service("outlier-detection base-ejection-time=\"10m\""));
}

#[test]
fn no_request_may_wait_or_none_may_be_under_way() {
    check(
        "zero-limit",
        &service("circuit-breaker max-connections=0 max-pending=0 max-retries=0\ninbound max-requests=0"),
        expect![[r#"
            error[zero-limit]: `max-pending` of 0 lets no request through
              4:47 a request that waits for its connection is refused, and the first one must wait
              help: write at least 1, or leave it out for 1024
            error[zero-limit]: `max-requests` of 0 lets no request through
              5:22 every request is refused
              help: write at least 1, or leave it out for 1024
        "#]],
    );
}

#[test]
fn a_route_has_a_budget() {
    check(
        "route-budget",
        &service("route path-prefix=\"/x\" {\nto \"a.svc\"\nretry attempts=1 {\nbudget percent=5\n}\n}"),
        expect![[r#"
            error[route-budget]: a route cannot have a budget of its own
              7:16 Envoy counts retries and requests of a whole service
              help: say the `budget` in the `retry` of the service, of the call or of the gateway
        "#]],
    );
    quiet("route-budget", &service("retry attempts=1 {\nbudget percent=5\n}"));
}

#[test]
fn a_service_stands_in_for_itself() {
    check(
        "failover-to-self",
        &service("failover \"A.svc\""),
        expect![[r#"
        warning[failover-to-self]: `a.svc` stands in for itself
          4:10 these are the endpoints that are not healthy
          2:9 the service
          help: name another service, or another subset
    "#]],
    );
}

#[test]
fn another_subset_is_somebody_else() {
    let subsets =
        "subset \"v1\" {\nlabels {\nv \"1\"\n}\n}\nsubset \"v2\" {\nlabels {\nv \"2\"\n}\n}\ndefault-subset \"v1\"";
    quiet("failover-to-self", &service(&format!("{subsets}\nfailover \"a.svc\" subset=\"v2\"")));
    check(
        "failover-to-self",
        &service(&format!(
            "{subsets}\nfailover \"a.svc\" subset=\"v2\"\nfailover \"a.svc\" subset=\"v2\"\nfailover \"a.svc\""
        )),
        expect![[r#"
            warning[failover-to-self]: `a.svc` stands in twice
              16:10 the second time has no effect
              15:10 the first time
              help: delete one of them
            warning[failover-to-self]: `a.svc` stands in for itself
              17:10 these are the endpoints that are not healthy
              2:9 the service
              help: name another service, or another subset
        "#]],
    );
}

#[test]
fn nobody_notices_when_to_fail_over() {
    let other = "service \"b.svc\" {\nendpoint \"10.0.0.2:80\"\n}";
    check(
        "blind-failover",
        &format!("{}\n{other}", service("failover \"b.svc\"")),
        expect![[r#"
        warning[blind-failover]: nobody notices when endpoints of `a.svc` fail
          4:10 it would never stand in
          2:9 the service
          help: add a `health-check` or `outlier-detection`
    "#]],
    );
    check(
        "blind-failover",
        &service("endpoint \"10.0.0.3:80\" priority=1"),
        expect![[r#"
        warning[blind-failover]: nobody notices when endpoints of `a.svc` fail
          4:33 it would never be used
          2:9 the service
          help: add a `health-check` or `outlier-detection`
    "#]],
    );
    check(
        "blind-failover",
        &service("load-balancing {\nlocality \"failover\"\n}"),
        expect![[r#"
        warning[blind-failover]: nobody notices when endpoints of `a.svc` fail
          5:10 requests would never leave the nearest endpoints
          2:9 the service
          help: add a `health-check` or `outlier-detection`
    "#]],
    );
}

#[test]
fn somebody_notices_when_to_fail_over() {
    let first = "endpoint \"10.0.0.3:80\" priority=1";
    quiet("blind-failover", &service(&format!("{first}\nhealth-check")));
    quiet("blind-failover", &format!("defaults {{\noutlier-detection\n}}\n{}", service(first)));
    let call = "node \"n\" {\ncalls \"a.svc\" {\noutlier-detection\n}\n}";
    quiet("blind-failover", &format!("{}\n{call}", service(first)));
}

/// Measured: Envoy forgets the cookie in an aggregate cluster.
#[test]
fn a_cookie_beside_a_failover() {
    let other = "service \"b.svc\" {\nendpoint \"10.0.0.2:80\"\n}";
    check(
        "sticky-failover",
        &format!(
            "defaults {{\nload-balancing {{\nsticky-cookie \"at\"\n}}\n}}\n{}\n{other}",
            service("failover \"b.svc\"")
        ),
        expect![[r#"
            error[sticky-failover]: `a.svc` has a sticky cookie and a failover
              9:10 with it the cookie would keep nobody anywhere
              4:15 the cookie
              help: delete one of them; `policy="ring-hash"` keeps callers at an endpoint beside a failover too
        "#]],
    );
}

#[test]
fn settings_of_another_policy() {
    check(
        "without-effect",
        &service("load-balancing policy=\"random\" choice-count=3 min-ring-size=10 {\nslow-start \"10s\"\n}"),
        expect![[r#"
            warning[without-effect]: `choice-count` means nothing to `random`
              4:45 this has no effect
              4:23 the policy
              help: delete it, or write `policy="least-request"`
            warning[without-effect]: `min-ring-size` means nothing to `random`
              4:61 this has no effect
              4:23 the policy
              help: delete it, or write `policy="ring-hash"`
            warning[without-effect]: `slow-start` means nothing to `random`
              5:12 this has no effect
              4:23 the policy
              help: delete it, or write `policy="round-robin"` or `policy="least-request"`
        "#]],
    );
    quiet("without-effect", &service("load-balancing {\nslow-start \"10s\"\n}"));
}

#[test]
fn settings_of_another_protocol() {
    check(
        "without-effect",
        &service("connection-pool max-requests-per-connection=1 max-concurrent-streams=5"),
        expect![[r#"
            warning[without-effect]: `max-concurrent-streams` means nothing to `a.svc`: it speaks `http`
              4:70 this has no effect
              2:9 the service
              help: delete it
        "#]],
    );
    check(
        "without-effect",
        &service("protocol \"tcp\"\nport 80\nconnection-pool max-connection-duration=\"1m\" idle-timeout=\"1m\""),
        expect![[r#"
            warning[without-effect]: `max-connection-duration` means nothing to `a.svc`: it speaks `tcp`
              6:41 this has no effect
              2:9 the service
              help: delete it
        "#]],
    );
}

/// Envoy refuses the whole cluster, whatever port is asked.
#[test]
fn grpc_checks_where_http2_is_not_spoken() {
    check(
        "protocol-mismatch",
        &format!(
            "{}\nservice \"b.svc\" {{\nprotocol \"tcp\"\nport 5\nendpoint \"10.0.0.2:5\"\nhealth-check protocol=\"grpc\"\n}}",
            service("health-check protocol=\"grpc\" port=81")
        ),
        expect![[r#"
            error[protocol-mismatch]: a gRPC health check needs gRPC, and `a.svc` speaks `http`
              4:23 its answers never carry a status of gRPC
              2:9 the service's protocol
              help: give the service `protocol "grpc"`
            error[protocol-mismatch]: a health check by requests needs requests, and `b.svc` speaks `tcp`
              10:23 a connection is only bytes here
              7:10 the service's protocol
              help: delete it, or let the service speak `http`, `http2` or `grpc`
        "#]],
    );
    quiet("protocol-mismatch", &service("protocol \"http2\"\nhealth-check protocol=\"grpc\""));
}
