//! Rules about bounds, outliers, balancing and failover.

use expect_test::expect;

use crate::mesh_findings::{check_rule as check, quiet, service};

#[test]
fn an_endpoint_is_left_out_for_longer_than_the_longest_time() {
    check(
        "ejection-time",
        &service("outlier-detection base-ejection-time=\"1m\" max-ejection-time=\"10s\""),
        expect![[r#""#]],
    );
}

#[test]
fn the_time_that_nobody_wrote_is_too_long() {
    check(
        "ejection-time",
        &format!("{}\nnode \"n\" {{\ncalls \"a.svc\" {{\noutlier-detection max-ejection-time=\"29s\"\n}}\n}}", service("")),
        expect![[r#""#]],
    );
    quiet("ejection-time", &service("outlier-detection max-ejection-time=\"30s\""));
    quiet("ejection-time", &service("outlier-detection base-ejection-time=\"10m\""));
}

#[test]
fn no_request_may_wait_or_none_may_be_under_way() {
    check(
        "zero-limit",
        &service("circuit-breaker max-connections=0 max-pending=0 max-retries=0\ninbound max-requests=0"),
        expect![[r#""#]],
    );
}

#[test]
fn a_route_has_a_budget() {
    check(
        "route-budget",
        &service("route path-prefix=\"/x\" {\nto \"a.svc\"\nretry attempts=1 {\nbudget percent=5\n}\n}"),
        expect![[r#""#]],
    );
    quiet("route-budget", &service("retry attempts=1 {\nbudget percent=5\n}"));
}

#[test]
fn a_service_stands_in_for_itself() {
    check("failover-to-self", &service("failover \"A.svc\""), expect![[r#""#]]);
}

#[test]
fn another_subset_is_somebody_else() {
    let subsets = "subset \"v1\" {\nlabels {\nv \"1\"\n}\n}\nsubset \"v2\" {\nlabels {\nv \"2\"\n}\n}\ndefault-subset \"v1\"";
    quiet("failover-to-self", &service(&format!("{subsets}\nfailover \"a.svc\" subset=\"v2\"")));
    check(
        "failover-to-self",
        &service(&format!("{subsets}\nfailover \"a.svc\" subset=\"v2\"\nfailover \"a.svc\" subset=\"v2\"\nfailover \"a.svc\"")),
        expect![[r#""#]],
    );
}

#[test]
fn nobody_notices_when_to_fail_over() {
    let other = "service \"b.svc\" {\nendpoint \"10.0.0.2:80\"\n}";
    check("blind-failover", &format!("{}\n{other}", service("failover \"b.svc\"")), expect![[r#""#]]);
    check("blind-failover", &service("endpoint \"10.0.0.3:80\" priority=1"), expect![[r#""#]]);
    check("blind-failover", &service("load-balancing {\nlocality \"failover\"\n}"), expect![[r#""#]]);
}

#[test]
fn somebody_notices_when_to_fail_over() {
    let first = "endpoint \"10.0.0.3:80\" priority=1";
    quiet("blind-failover", &service(&format!("{first}\nhealth-check")));
    quiet("blind-failover", &format!("defaults {{\noutlier-detection\n}}\n{}", service(first)));
    let call = "node \"n\" {\ncalls \"a.svc\" {\noutlier-detection\n}\n}";
    quiet("blind-failover", &format!("{}\n{call}", service(first)));
}

#[test]
fn settings_of_another_policy() {
    check(
        "without-effect",
        &service("load-balancing policy=\"random\" choice-count=3 min-ring-size=10 {\nslow-start \"10s\"\n}"),
        expect![[r#""#]],
    );
    quiet("without-effect", &service("load-balancing {\nslow-start \"10s\"\n}"));
}

#[test]
fn settings_of_another_protocol() {
    check(
        "without-effect",
        &service("connection-pool max-requests-per-connection=1 max-concurrent-streams=5"),
        expect![[r#""#]],
    );
    check(
        "without-effect",
        &service("protocol \"tcp\"\nport 80\nconnection-pool max-connection-duration=\"1m\" idle-timeout=\"1m\""),
        expect![[r#""#]],
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
        expect![[r#""#]],
    );
    quiet("protocol-mismatch", &service("protocol \"http2\"\nhealth-check protocol=\"grpc\""));
}
