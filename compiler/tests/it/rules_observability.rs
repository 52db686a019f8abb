//! Rules about logs, traces, and the user's own Envoy configuration.

use expect_test::expect;

use crate::mesh_findings::{self, check_rule as check, quiet};

fn log(says: &str) -> String {
    format!("defaults {{\naccess-log {says}\n}}")
}

fn overlay(target: &str, json: &str) -> String {
    format!("envoy-overlay \"{target}\" reason=\"why\" json=##\"{json}\"##")
}

#[test]
fn format_strings_that_envoy_refuses() {
    check(
        "format-string",
        &log("\"text\" line=\"100%\""),
        expect![[r#"
        error[format-string]: this format string cannot be used
          3:24 a `%` that begins nothing
          help: write `%%` for the sign itself, and an operator as `%NAME%` or `%NAME(ARGUMENT)%`
    "#]],
    );
    check(
        "format-string",
        &log("\"text\" line=\"%RESPONSE_KODE%\""),
        expect![[r#"
        error[format-string]: this format string cannot be used
          3:24 Envoy has no operator `RESPONSE_KODE`
          help: operators are listed in Envoy's manual, under access logging
    "#]],
    );
    check(
        "format-string",
        &log("\"json\" { fields { a \"%REQ%\"; }; }"),
        expect![[r#"
        error[format-string]: this format string cannot be used
          3:32 `REQ` needs an argument
          help: write a header, as in `%REQ(x-user)%` or `%REQ(x-user?x-client)%`
    "#]],
    );
    check(
        "format-string",
        &log("\"text\" line=\"%DURATION(ms)%\""),
        expect![[r#"
        error[format-string]: this format string cannot be used
          3:24 `DURATION` takes no argument
          help: leave out the parentheses
    "#]],
    );
}

#[test]
fn format_strings_that_show_secrets() {
    check(
        "format-string",
        &log("\"text\" line=\"%ENVIRONMENT(HOME)%\""),
        expect![[r#"
        error[format-string]: this format string cannot be used
          3:24 `ENVIRONMENT` shows what is not for others
          help: name what the application may tell in the mesh itself: the sidecar's environment has its keys
    "#]],
    );
    check(
        "format-string",
        &log("\"text\" line=\"%REQ(x-a?Authorization):10%\""),
        expect![[r#"
        error[format-string]: `authorization` would stand in the log
          3:24 whoever reads logs could act in the caller's name
          help: log who is calling instead, such as the header that `forward-user-header` sets
    "#]],
    );
    check(
        "format-string",
        &log("\"text\" line=\"%COALESCE({})%\""),
        expect![[r#"
        error[format-string]: this format string cannot be used
          3:24 the argument of `COALESCE` cannot be checked
          help: use a plain operator; or an `envoy-overlay`, if nothing else will do
    "#]],
    );
}

#[test]
fn format_strings_that_envoy_accepts() {
    quiet("format-string", &log("\"text\" line=\"[%START_TIME(%Y-%m-%d)%] %REQ(:PATH):20% %RESPONSE_CODE% 100%%\\n\""));
    quiet("format-string", &log("\"json\" { fields { a \"plain\"; b \"%DYNAMIC_METADATA(f:k)%\"; }; }"));
}

#[test]
fn the_value_of_a_header_is_a_format_only_when_said() {
    let header = |format: &str| {
        format!(
            "service \"a\" {{\nendpoint \"10.0.0.1:80\"\nrequest-headers {{\nset \"x-a\" value=\"100%\" {format}\n}}\n}}"
        )
    };
    quiet("format-string", &header(""));
    check(
        "format-string",
        &header("format=#true"),
        expect![[r#"
        error[format-string]: this format string cannot be used
          5:17 a `%` that begins nothing
          help: write `%%` for the sign itself, and an operator as `%NAME%` or `%NAME(ARGUMENT)%`
    "#]],
    );
}

#[test]
fn spans_without_a_collector() {
    check(
        "tracing-address",
        "defaults { tracing \"datadog\"; }",
        expect![[r#"
        error[tracing-address]: spans are sent nowhere
          2:20 tracing needs a collector
          help: add `address`, as in `address="127.0.0.1:8126"`
    "#]],
    );
    quiet("tracing-address", "defaults { tracing \"off\"; }");
    quiet("tracing-address", "defaults { tracing \"datadog\" address=\"127.0.0.1:8126\"; }");
}

#[test]
fn overlays_that_envoy_does_not_read() {
    check(
        "invalid-overlay",
        &overlay("cluster", "{\"connect_timout\": \"1s\"}"),
        expect![[r#"
        error[invalid-overlay]: Envoy reads no `envoy.config.cluster.v3.Cluster` from this
          2:38 unrecognized field name 'connect_timout'
          2:15 what is changed
          help: write the fields of that message in JSON, as Envoy's manual names them
    "#]],
    );
    check(
        "invalid-overlay",
        &overlay("cluster", "{\"connect_timeout\": 1}"),
        expect![[r#"
        error[invalid-overlay]: Envoy reads no `envoy.config.cluster.v3.Cluster` from this
          2:38 invalid type: integer `1`, expected a duration string
          2:15 what is changed
          help: write the fields of that message in JSON, as Envoy's manual names them
    "#]],
    );
    check(
        "invalid-overlay",
        &overlay("listener", "{"),
        expect![[r#"
        error[invalid-overlay]: Envoy reads no `envoy.config.listener.v3.Listener` from this
          2:39 EOF while parsing an object
          2:15 what is changed
          help: write the fields of that message in JSON, as Envoy's manual names them
    "#]],
    );
    check(
        "invalid-overlay",
        &overlay("bootstrap", "[]"),
        expect![[r#"
        error[invalid-overlay]: Envoy reads no `envoy.config.bootstrap.v3.Bootstrap` from this
          2:40 invalid type: sequence, expected a map
          2:15 what is changed
          help: write the fields of that message in JSON, as Envoy's manual names them
    "#]],
    );
    check(
        "invalid-overlay",
        &overlay(
            "listener",
            "{\"access_log\": [{\"name\": \"a\", \"typed_config\": {\"@type\": \"type.googleapis.com/nope\"}}]}",
        ),
        expect![[r#"
            error[invalid-overlay]: Envoy reads no `envoy.config.listener.v3.Listener` from this
              2:39 message 'nope' not found
              2:15 what is changed
              help: write the fields of that message in JSON, as Envoy's manual names them
        "#]],
    );
}

#[test]
fn overlays_that_envoy_reads() {
    quiet("invalid-overlay", &overlay("cluster", "{\"connect_timeout\": \"1s\", \"lbPolicy\": \"RANDOM\"}"));
    quiet("invalid-overlay", &overlay("http-connection-manager", "{\"server_name\": \"shop\"}"));
    quiet("invalid-overlay", &overlay("route-configuration", "{\"most_specific_header_mutations_wins\": true}"));
}

#[test]
fn a_deep_overlay_is_an_answer_and_no_crash() {
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let text = overlay("cluster", &format!("{{\"metadata\": {{\"filter_metadata\": {{\"a\": {{\"b\": {deep}}}}}}}}}"));
    assert_eq!(mesh_findings::places("invalid-overlay", &text), "error 2:38\n");
}

#[test]
fn an_overlay_without_a_reason() {
    check(
        "unexplained-overlay",
        "envoy-overlay \"cluster\" json=\"{}\"",
        expect![[r#"
        note[unexplained-overlay]: this overlay does not say why it is needed
          2:15 whoever comes next cannot tell whether it may go
          help: add `reason="…"`
    "#]],
    );
}

#[test]
fn an_overlay_whose_result_envoy_would_refuse() {
    let mesh =
        |overlay: &str| format!("node \"n\" {{\nserves \"a.svc\"\n}}\n{}\n{overlay}", mesh_findings::service(""));
    check(
        "invalid-overlay",
        &mesh(&overlay("listener", "{\"name\": \"mine\"}")),
        expect![[r#"
        error[invalid-overlay]: this overlay cannot be merged
          9:39 it would change the name that others use
          help: look at the result of `compile` without it: what is said here is merged into that
    "#]],
    );
    check(
        "invalid-overlay",
        &mesh(&overlay("cluster", "{\"lb_policy\": 99}")),
        expect![[r#"
        error[invalid-overlay]: this overlay cannot be merged
          9:38 lb_policy: must be a value of `LbPolicy` (enum.defined_only)
          help: look at the result of `compile` without it: what is said here is merged into that
    "#]],
    );
    let named = "envoy-overlay \"listener\" name=\"none\" reason=\"why\" json=\"{}\"";
    check(
        "invalid-overlay",
        &mesh(named),
        expect![[r#"
        error[invalid-overlay]: this overlay cannot be merged
          9:51 nothing of this kind is called `none`
          help: look at the result of `compile` without it: what is said here is merged into that
    "#]],
    );
    quiet("invalid-overlay", &mesh(&named.replace("none", "default-ingress")));
    let of_service = mesh_findings::service("envoy-overlay \"listener\" reason=\"why\" json=\"{}\"");
    check(
        "invalid-overlay",
        &format!("node \"n\" {{ serves \"a.svc\"; }}\n{of_service}"),
        expect![[r#"
        error[invalid-overlay]: this overlay cannot be merged
          5:39 a service has clusters, and nothing else that can be changed
          help: look at the result of `compile` without it: what is said here is merged into that
    "#]],
    );
}

#[test]
fn names_where_datagrams_go() {
    let stats = |sink: &str| format!("defaults {{ stats {{ sink {sink}; }}; }}");
    check(
        "invalid-address",
        &stats("statsd=\"statsd.local:8125\""),
        expect![[r#"
        error[invalid-address]: `statsd` needs an IP address
          2:25 `statsd.local` is a name
          help: write the address; an agent beside the sidecar is at `127.0.0.1`
    "#]],
    );
    check(
        "invalid-address",
        &stats("dog-statsd=\"statsd.local:8125\""),
        expect![[r#"
        error[invalid-address]: `dog-statsd` needs an IP address
          2:25 `statsd.local` is a name
          help: write the address; an agent beside the sidecar is at `127.0.0.1`
    "#]],
    );
    quiet("invalid-address", &stats("otlp=\"collector.local:4317\""));
    quiet("invalid-address", &stats("statsd=\"[::1]:8125\""));
    let tracing = |says: &str| format!("defaults {{ tracing {says}; }}");
    check(
        "invalid-address",
        &tracing("\"xray\" address=\"daemon.local:2000\""),
        expect![[r#"
        error[invalid-address]: `xray` needs an IP address
          2:35 `daemon.local` is a name
          help: write the address; an agent beside the sidecar is at `127.0.0.1`
    "#]],
    );
    quiet("invalid-address", &tracing("\"otlp\" address=\"collector.local:4317\""));
}

#[test]
fn what_a_rate_limit_answers() {
    let limit = |status: u16| mesh_findings::service(&format!("rate-limit requests=1 status={status}"));
    check(
        "invalid-value",
        &limit(200),
        expect![[r#"
        error[invalid-value]: a rate limit cannot answer 200
          4:30 this is no error that HTTP knows
          help: write 429, which says that there were too many, or another status from 400
    "#]],
    );
    check(
        "invalid-value",
        &limit(430),
        expect![[r#"
        error[invalid-value]: a rate limit cannot answer 430
          4:30 this is no error that HTTP knows
          help: write 429, which says that there were too many, or another status from 400
    "#]],
    );
    quiet("invalid-value", &limit(503));
}
