//! Rules about routes: their order, their hosts, their protocols, what becomes of requests.

use expect_test::{Expect, expect};

use crate::mesh_findings::{self, places};

#[track_caller]
fn check(slug: &str, text: &str, expected: Expect) {
    expected.assert_eq(&mesh_findings::of(slug, text));
}

#[track_caller]
fn quiet(slug: &str, text: &str) {
    assert_eq!(mesh_findings::of(slug, text), "");
}

/// Services `a.svc` (of which this is said, from line 4 on), `b.svc` and, over gRPC, `g.svc`; `redis.svc` speaks `tcp`.
fn service(says: &str) -> String {
    let others = "service \"b.svc\" { endpoint \"10.0.0.2:80\"; }\nservice \"g.svc\" { protocol \"grpc\"; endpoint \"10.0.0.3:80\"; }";
    let redis = "service \"redis.svc\" { protocol \"tcp\"; port 6379; endpoint \"10.0.0.4:6379\"; }";
    format!("service \"a.svc\" {{\nendpoint \"10.0.0.1:80\"\n{says}\n}}\n{others}\n{redis}")
}

/// A gateway of which this is said, from line 3 on.
fn gateway(says: &str) -> String {
    format!("gateway \"front\" {{\n{says}\n}}\n{}", service(""))
}

#[test]
fn routes_are_unreachable_by_priority() {
    let routes = |first: u32, second: u32| {
        service(&format!(
            "route path-prefix=\"/api\" priority={first} {{ to \"a.svc\"; }}\nroute path-prefix=\"/\" priority={second} {{ to \"b.svc\"; }}"
        ))
    };
    check(
        "unreachable-route",
        &routes(20, 10),
        expect![[r#"
        error[unreachable-route]: no request ever reaches this route
          4:7 the first match wins
          5:7 this earlier route takes all of them
          help: give the narrower route the lower `priority`, or delete it
    "#]],
    );
    quiet("unreachable-route", &routes(10, 20));
    let unsaid = "route path-prefix=\"/\" { to \"a.svc\"; }\nroute path-prefix=\"/api\" priority=5 { to \"b.svc\"; }";
    quiet("unreachable-route", &service(unsaid));
}

#[test]
fn nothing_is_left_for_a_hosts_own_target() {
    let host = |prefix: &str| {
        gateway(&format!(
            "listen 8080\nhost \"*\" {{\nroute path-prefix=\"{prefix}\" {{ to \"a.svc\"; }}\nto \"b.svc\"\n}}"
        ))
    };
    check(
        "unreachable-route",
        &host("/"),
        expect![[r#"
        error[unreachable-route]: no request is left for the host's own `to`
          6:4 the first match wins
          5:7 this earlier route takes all of them
          help: narrow that route with a path, or delete one of the two
    "#]],
    );
    quiet("unreachable-route", &host("/api"));
}

#[test]
fn a_grpc_match_is_a_path() {
    let routes = "route path-prefix=\"/shop.v1.Cart/\" { to \"g.svc\"; }\nroute grpc { service \"shop.v1.Cart\"; } { to \"g.svc\"; }";
    let routes =
        routes.replace("route grpc { service \"shop.v1.Cart\"; } {", "route {\ngrpc service=\"shop.v1.Cart\"\n");
    assert_eq!(places("unreachable-route", &service(&routes)).lines().count(), 1);
}

#[test]
fn overlapping_routes_of_one_priority() {
    let routes = |one: &str, other: &str| {
        service(&format!("route {one} {{ to \"a.svc\"; }}\nroute {other} {{ to \"b.svc\"; }}"))
    };
    let (narrow, wide) = ("path-prefix=\"/api/v2\"", "path-prefix=\"/api\"");
    check(
        "priority-tie",
        &routes(&format!("{narrow} priority=1"), &format!("{wide} priority=1")),
        expect![[r#"
        warning[priority-tie]: two routes that can take one request have priority 1
          5:35 this one is tried second, because it stands below
          4:7 this one is tried first
          help: give the narrower route the lower `priority`
    "#]],
    );
    quiet("priority-tie", &routes(&format!("{narrow} priority=1"), &format!("{wide} priority=2")));
    quiet("priority-tie", &routes(narrow, wide));
    quiet("priority-tie", &routes("path-prefix=\"/a\" priority=1", "path-prefix=\"/b\" priority=1"));
    quiet(
        "priority-tie",
        &routes("path-prefix=\"/a\" method=\"GET\" priority=1", "path-prefix=\"/\" method=\"POST\" priority=1"),
    );
}

#[test]
fn the_rest_below_prioritised_routes_is_no_tie() {
    let first = "route path=\"/health\" priority=1 { to \"b.svc\"; }\n";
    let rest = "route path-prefix=\"/api\" { to \"a.svc\"; }\nroute path-prefix=\"/\" { to \"b.svc\"; }";
    quiet("priority-tie", &service(&format!("{first}{rest}")));
    let crossed =
        "route path-prefix=\"/api\" { to \"a.svc\"; }\nroute path-prefix=\"/\" method=\"GET\" { to \"b.svc\"; }";
    assert_eq!(places("priority-tie", &service(&format!("{first}{crossed}"))), "warning 6:7\n");
}

#[test]
fn a_narrow_host_hides_routes_of_a_wide_one() {
    let hosts = |narrow: &str, route: &str| {
        let wide = "host \"*.shop.example\" { route path-prefix=\"/api\" { to \"a.svc\"; }; to \"b.svc\"; }";
        gateway(&format!("listen 8080\n{wide}\nhost \"{narrow}\" {{ {route}; to \"b.svc\"; }}"))
    };
    check(
        "shadowed-host",
        &hosts("a.shop.example", ""),
        expect![[r#"
        warning[shadowed-host]: requests for `a.shop.example` never meet the routes of `*.shop.example`
          5:6 the host is chosen before the path
          4:31 `a.shop.example` has no such route
          help: repeat the route in the more specific host, if it shall hold there too
    "#]],
    );
    quiet("shadowed-host", &hosts("a.shop.example", "route path-prefix=\"/api\" { to \"b.svc\"; }"));
    quiet("shadowed-host", &hosts("a.other.example", ""));
    assert_eq!(places("shadowed-host", &hosts("*.eu.shop.example", "")), "warning 5:6\n");
    assert_eq!(places("shadowed-host", &hosts("*.shop.example:8080", "")), "warning 5:6\n");
}

#[test]
fn a_narrow_host_with_services_of_its_own_is_another_site() {
    let hosts = |narrow: &str| {
        let wide = "host \"*.shop.example\" { route path-prefix=\"/api\" { to \"a.svc\"; }; }";
        gateway(&format!("listen 8080\n{wide}\nhost \"docs.shop.example\" {{ {narrow}; }}"))
    };
    quiet("shadowed-host", &hosts("to \"b.svc\""));
    quiet("shadowed-host", &hosts("route path=\"/old\" { redirect path=\"/new\"; }"));
    assert_eq!(places("shadowed-host", &hosts("route path=\"/x\" { to \"a.svc\"; }; to \"b.svc\"")), "warning 5:6\n");
}

#[test]
fn the_host_for_everything_else_hides_nothing() {
    let hosts =
        "listen 8080\nhost \"*\" { route path=\"/health\" { respond 200; }; }\nhost \"shop.example\" { to \"a.svc\"; }";
    quiet("shadowed-host", &gateway(hosts));
}

#[test]
fn redirects_in_a_circle() {
    let redirect = |conditions: &str, to: &str| {
        gateway(&format!("listen 8080\nhost \"shop.example\" {{\nroute {conditions} {{ redirect {to}; }}\n}}"))
    };
    check(
        "redirect-loop",
        &redirect("path-prefix=\"/old\"", "path=\"/old/index\""),
        expect![[r#"
        error[redirect-loop]: this redirect leads to where it came from
          5:28 callers give up after some twenty rounds
          help: change the host or the path, or match less
    "#]],
    );
    quiet("redirect-loop", &redirect("path-prefix=\"/old\"", "path=\"/new\""));
    quiet("redirect-loop", &redirect("path=\"/\"", "path=\"/home\""));
    assert_eq!(places("redirect-loop", &redirect("path-prefix=\"/\"", "host=\"shop.example\"")).lines().count(), 1);
    quiet("redirect-loop", &redirect("path-prefix=\"/\"", "host=\"www.shop.example\""));
    assert_eq!(places("redirect-loop", &redirect("path-prefix=\"/a/\"", "prefix=\"/a/b/\"")).lines().count(), 1);
    quiet("redirect-loop", &redirect("path-prefix=\"/\" method=\"POST\"", "path=\"/done\" status=303"));
}

#[test]
fn redirects_to_https() {
    let redirect = |hops: u32, conditions: &str| {
        gateway(&format!(
            "listen 8080\ntrusted-hops {hops}\nhost \"shop.example\" {{\nroute {conditions} {{ redirect scheme=\"https\"; }}\n}}"
        ))
    };
    quiet("redirect-loop", &redirect(0, "path-prefix=\"/\""));
    check(
        "redirect-loop",
        &redirect(1, "path-prefix=\"/\""),
        expect![[r#"
        error[redirect-loop]: this redirect leads to where it came from
          6:25 callers give up after some twenty rounds
          help: add `scheme="http"` to the route: what came with TLS need not be sent there
    "#]],
    );
    quiet("redirect-loop", &redirect(1, "path-prefix=\"/\" scheme=\"http\""));
}

#[test]
fn an_earlier_route_breaks_the_circle() {
    let host = "listen 8080\nhost \"*\" {\nroute path=\"/home\" { to \"a.svc\"; }\nroute path-prefix=\"/\" { redirect path=\"/home\"; }\n}";
    quiet("redirect-loop", &gateway(host));
    assert_eq!(
        places("redirect-loop", &gateway(&host.replace("path=\"/home\" {", "path=\"/other\" {"))),
        "error 6:25\n"
    );
}

#[test]
fn a_prefix_is_replaced_where_none_is_matched() {
    let route = |conditions: &str, rewrite: &str| {
        service(&format!("route {conditions} {{\nrewrite {rewrite}\nto \"a.svc\"\n}}"))
    };
    check(
        "rewrite-without-prefix",
        &route("path=\"/a\"", "prefix=\"/b\""),
        expect![[r#"
        error[rewrite-without-prefix]: a prefix is replaced, and no prefix is matched
          5:9 of which path is this the new beginning?
          4:7 this is matched as a whole
          help: write `path=` for a new path, or match with `path-prefix`
    "#]],
    );
    quiet("rewrite-without-prefix", &route("path=\"/a\"", "path=\"/b\""));
    quiet("rewrite-without-prefix", &route("path-prefix=\"/a\"", "prefix=\"/b\""));
}

#[test]
fn a_path_is_rewritten_once() {
    let route = |more: &str| {
        service(&format!("route path-prefix=\"/a\" {{\nrewrite path=\"/b\" {{ {more}; }}\nto \"a.svc\"\n}}"))
    };
    assert_eq!(places("invalid-value", &route("regex \"/a/(.*)\" substitution=\"/\\\\1\"")).lines().count(), 1);
    quiet("invalid-value", &route("host \"b.svc\"").replace("host \"b.svc\"", ""));
}

#[test]
fn copies_go_elsewhere() {
    check(
        "mirror-to-self",
        &service("mirror to=\"a.svc\""),
        expect![[r#"
        warning[mirror-to-self]: the copies go to `a.svc`, as the requests do
          4:11 it would do everything twice
          2:9 the requests go here
          help: name another service, or another subset
    "#]],
    );
    quiet("mirror-to-self", &service("mirror to=\"b.svc\""));
    let subset = "subset \"v2\" { labels {}; }\nmirror to=\"a.svc\" subset=\"v2\"";
    quiet("mirror-to-self", &service(subset));
    assert_eq!(places("mirror-to-self", &service(&format!("{subset}\ndefault-subset \"v2\""))), "warning 5:11\n");
    let route = "route path-prefix=\"/\" {\nto \"b.svc\"\nmirror to=\"b.svc\"\n}";
    assert_eq!(places("mirror-to-self", &service(route)), "warning 6:11\n");
}

#[test]
fn one_split_over_several_protocols() {
    check(
        "mixed-protocols",
        &service("route path-prefix=\"/\" {\nto \"a.svc\"\nto \"g.svc\"\n}"),
        expect![[r#"
        error[mixed-protocols]: `g.svc` speaks `grpc`, `a.svc` `http`
          6:4 it shares the requests of the other
          5:4 the other
          help: send requests of one protocol to services that speak it
    "#]],
    );
    quiet("mixed-protocols", &service("route path-prefix=\"/\" {\nto \"a.svc\"\nto \"b.svc\"\n}"));
    quiet("mixed-protocols", &service("protocol \"http2\"\nroute path-prefix=\"/\" {\nto \"a.svc\"\nto \"g.svc\"\n}"));
    assert_eq!(places("mixed-protocols", &service("failover \"g.svc\"")), "error 4:10\n");
}

#[test]
fn requests_are_asked_of_bytes() {
    check(
        "protocol-mismatch",
        &service("protocol \"tcp\"\nport 80\ntimeout \"5s\""),
        expect![[r#"
        error[protocol-mismatch]: `timeout` needs requests, and `a.svc` speaks `tcp`
          6:9 a connection is only bytes here
          4:10 the service's protocol
          help: delete it, or let the service speak `http`, `http2` or `grpc`
    "#]],
    );
    for policy in [
        "retry attempts=1",
        "fault { abort 503 percent=1; }",
        "rate-limit requests=1",
        "cors { allow-origin \"https://a.example\"; }",
        "request-headers { remove \"x-a\"; }",
        "header-routing { rule to=\"redis.svc\" { header \"x-a\" exact=\"1\"; }; }",
        "mirror to=\"redis.svc\"",
        "health-check path=\"/up\"",
        "basic-auth htpasswd-file=\"users\"",
        "api-key header=\"x-key\" keys-file=\"keys\"",
        "authorization { rule \"allow\" path-prefix=\"/\"; }",
        "load-balancing policy=\"maglev\" { hash-on header=\"x-a\"; }",
        "route path-prefix=\"/a\" { to \"redis.svc\"; }",
    ] {
        let found = places("protocol-mismatch", &service(&format!("protocol \"tcp\"\nport 80\n{policy}")));
        assert_eq!(found.lines().count(), 1, "{policy}: {found}");
    }
}

#[test]
fn what_a_tcp_service_may_say() {
    let says = "protocol \"tcp\"\nport 80\nhealth-check protocol=\"tcp\" interval=\"5s\"\nload-balancing policy=\"maglev\" { hash-on source-address=#true; }";
    quiet("protocol-mismatch", &service(says));
    quiet(
        "protocol-mismatch",
        &service("protocol \"tcp\"\nport 80\nroute {\nto \"a.svc\" weight=9\nto \"redis.svc\"\n}"),
    );
    quiet(
        "protocol-mismatch",
        &service("protocol \"tcp\"\nport 80\nauthorization { rule \"allow\" source=\"10.0.0.0/8\"; }"),
    );
}

#[test]
fn requests_do_not_go_to_bytes() {
    check(
        "protocol-mismatch",
        &service("route path-prefix=\"/\" { to \"redis.svc\"; }"),
        expect![[r#"
        error[protocol-mismatch]: requests cannot go to `redis.svc`: it speaks `tcp`
          4:28 requests are sent here
          8:9 a connection to it is only bytes
          help: send them to a service that speaks `http`, `http2` or `grpc`
    "#]],
    );
    assert_eq!(places("protocol-mismatch", &gateway("listen 8080\ncalls \"redis.svc\"")), "error 4:7\n");
    assert_eq!(places("protocol-mismatch", &gateway("listen 8080\nhost \"*\" { to \"redis.svc\"; }")), "error 4:15\n");
}

#[test]
fn grpc_needs_a_service_that_speaks_it() {
    check(
        "protocol-mismatch",
        &service("route {\ngrpc service=\"shop.v1.Cart\"\nto \"b.svc\"\n}"),
        expect![[r#"
        error[protocol-mismatch]: a gRPC match needs gRPC, and `b.svc` speaks `http`
          5:14 its answers never carry a status of gRPC
          9:9 the service's protocol
          help: give the service `protocol "grpc"`
    "#]],
    );
    quiet("protocol-mismatch", &service("route {\ngrpc service=\"shop.v1.Cart\"\nto \"g.svc\"\n}"));
    assert_eq!(places("protocol-mismatch", &service("retry attempts=1 on=\"unavailable\"")), "error 4:21\n");
    quiet("protocol-mismatch", &service("protocol \"grpc\"\nretry attempts=1 on=\"unavailable\""));
    assert_eq!(places("protocol-mismatch", &service("external-auth service=\"b.svc\" grpc=#true")), "error 4:36\n");
    quiet("protocol-mismatch", &service("external-auth service=\"g.svc\" grpc=#true"));
    assert_eq!(
        places("protocol-mismatch", &service("route websocket=#true path-prefix=\"/\" { to \"g.svc\"; }")),
        "error 4:17\n"
    );
}

#[test]
fn listeners_pass_bytes_or_serve_hosts() {
    let host = "host \"*\" { to \"a.svc\"; }";
    check(
        "protocol-mismatch",
        &gateway(&format!("listen 8080\nlisten 6379 protocol=\"tcp\"\n{host}")),
        expect![[r#"
        error[protocol-mismatch]: port 6379 passes bytes to nobody
          4:8 a `tcp` listener has no hosts, and no `to`
          help: write `listen 6379 protocol="tcp" { to "SERVICE"; }`
    "#]],
    );
    check(
        "protocol-mismatch",
        &gateway(&format!("listen 8080 {{ to \"a.svc\"; }}\n{host}")),
        expect![[r#"
        error[protocol-mismatch]: port 8080 serves hosts, and has no `to`
          3:18 only a `tcp` listener sends everything to one place
          3:8 the listener
          help: add `protocol="tcp"`, or write `host "*" { to "SERVICE"; }` in the gateway
    "#]],
    );
    quiet(
        "protocol-mismatch",
        &gateway(&format!("listen 8080\nlisten 6379 protocol=\"tcp\" {{ to \"redis.svc\"; }}\n{host}")),
    );
    let only_bytes = format!("listen 6379 protocol=\"tcp\" {{ to \"redis.svc\"; }}\n{host}");
    assert_eq!(places("protocol-mismatch", &gateway(&only_bytes)), "error 4:6\n");
    assert_eq!(places("protocol-mismatch", &gateway("listen 6379 protocol=\"tcp\" { to \"a.svc\"; }")), "error 3:33\n");
}

#[test]
fn a_regular_expression_that_takes_every_path() {
    let routes = service("route path-regex=\".*\" { to \"b.svc\"; }\nroute path-prefix=\"/api\" { to \"a.svc\"; }");
    assert_eq!(places("unreachable-route", &routes), "error 5:7\n");
}

/// A gateway whose one route says `outer` and leads to `a.svc`, of which `inner` is said.
fn behind(outer: &str, inner: &str) -> String {
    let front = format!("gateway \"front\" {{\nlisten 8080\nhost \"*\" {{ route {outer}; to \"a.svc\"; }} }}\n}}\n");
    format!("{front}{}", service(inner))
}

#[test]
fn an_expression_cannot_see_a_path_that_a_gateway_makes() {
    let prefix = "path-prefix=\"/shop/\" {\nrewrite prefix=\"/\"";
    check(
        "rewrite-then-regex",
        &behind(prefix, "route path-regex=\"/item/.*\" { to \"b.svc\"; }"),
        expect![[r#"
        error[rewrite-then-regex]: a rewritten path is compared with a regular expression
          5:9 the path is rewritten here
          9:7 the service's route, which sees the new path
          help: match with `path-prefix` or `path` in the service, or send the path on as it came
    "#]],
    );
    let rewrites = "route path-prefix=\"/item\" { rewrite { regex \"a\" substitution=\"b\"; }\nto \"b.svc\"; }";
    check(
        "rewrite-then-regex",
        &behind(prefix, rewrites),
        expect![[r#"
        error[rewrite-then-regex]: a path is rewritten twice, the second time by a regular expression
          5:9 the path is rewritten here
          9:45 the service's route, which sees the new path
          help: rewrite it in one place, or the second time with `prefix` or `path`
    "#]],
    );
    let regex = "path-prefix=\"/shop/\" {\nrewrite { regex \"^/shop\" substitution=\"\"; }";
    check(
        "rewrite-then-regex",
        &behind(regex, "route path-prefix=\"/item\" { to \"b.svc\"; }"),
        expect![[r#"
        error[rewrite-then-regex]: what a regular expression makes of a path, the service's routes cannot tell
          5:17 the path is rewritten here
          9:7 the service's route, which sees the new path
          help: rewrite with `prefix` or `path` in the gateway, or move the rewrite into the service's routes
    "#]],
    );
    quiet("rewrite-then-regex", &behind(regex, "route method=\"PUT\" { to \"b.svc\"; }"));
    quiet("rewrite-then-regex", &behind(prefix, "route path-prefix=\"/item\" { rewrite prefix=\"/\"; to \"b.svc\"; }"));
    quiet("rewrite-then-regex", &behind("path-prefix=\"/shop/\" {\n", rewrites));
}

#[test]
fn two_expressions_about_one_path_may_be_too_long_together() {
    let long = "a".repeat(90);
    let (outer, inner) = (format!("path-regex=\"/{long}.*\" {{\n"), "route path-regex=\"/a.*\" { to \"b.svc\"; }");
    check(
        "rewrite-then-regex",
        &behind(&outer, inner),
        expect![[r#"
        error[rewrite-then-regex]: together these two conditions on the path are more than Envoy takes
          4:18 as a program it may have 108 steps, and Envoy loads at most 100
          9:7 the service's route
          help: make the regular expression shorter, or match with a prefix
    "#]],
    );
    quiet("rewrite-then-regex", &behind("path-regex=\"/[^/]+/.*\" {\n", inner));
}

#[test]
fn a_sidecar_knows_no_other_host() {
    let mesh = |rewrite: &str, target: &str| {
        let routed = behind(&format!("path-prefix=\"/\" {{\nrewrite {rewrite}"), "");
        routed.replace("to \"a.svc\"", &format!("to \"{target}\"")) + "\nnode \"a\" serves=\"a.svc\"\n"
    };
    check(
        "unknown-host",
        &mesh("host=\"legacy.example\"", "a.svc"),
        expect![[r#"
        warning[unknown-host]: the sidecars of `a.svc` know it by its name alone
          5:9 requests with another host are answered 404 there
          14:17 a sidecar stands here
          help: leave it out: the application finds the first host in `x-forwarded-host`
    "#]],
    );
    for rewrite in ["host-kept=#true", "host-from-header=\"x-host\""] {
        assert_ne!(places("unknown-host", &mesh(rewrite, "a.svc")), "", "{rewrite}");
        quiet("unknown-host", &mesh(rewrite, "b.svc"));
    }
    for rewrite in ["host-of-service=#true", "host=\"A.svc\"", "prefix=\"/x\""] {
        quiet("unknown-host", &mesh(rewrite, "a.svc"));
    }
}

#[test]
fn what_envoy_would_refuse_of_a_route_is_found_before() {
    let found = |route: &str| mesh_findings::of("invalid-value", &service(route));
    for (valid, invalid) in [
        (
            "retry attempts=1 { backoff base=\"1s\" max=\"1s\"; }",
            "retry attempts=1 { backoff base=\"1s\" max=\"999ms\"; }",
        ),
        (
            "route path=\"/a\" { redirect path=\"/b\" status=303; }",
            "route path=\"/a\" { redirect path=\"/b\" status=304; }",
        ),
        (
            &format!("route path=\"/a\" {{ respond 200 body=\"{}\"; }}", "a".repeat(4096)),
            &format!("route path=\"/a\" {{ respond 200 body=\"{}\"; }}", "a".repeat(4097)),
        ),
        (
            "route method=\"GET,HEAD,POST,PUT,PATCH,DELETE,CONNECT,OPTIONS,TRACE\" { to \"b.svc\"; }",
            "route method=\"GET,HEAD,POST,PUT,PATCH,DELETE,CONNECT,OPTIONS,TRACE,PROPFIND,PROPPATCH,MKCOL,COPY,MOVE,LOCK,UNLOCK,REPORT,SEARCH\" { to \"b.svc\"; }",
        ),
    ] {
        assert_eq!(found(valid), "");
        assert!(found(invalid).starts_with("error[invalid-value]"), "{invalid}");
    }
}
