//! What users are told about their mistakes.
use expect_test::{Expect, expect};
use meshwright_spec::{Color, Diagnostics, SourceFile, Sources, Syntax, parse, render};

#[track_caller]
fn check(name: &str, text: &str, expected: Expect) {
    let mut sources = Sources::new();
    let file = sources.add(SourceFile::public(name, text));
    let mut diagnostics = Diagnostics::new();
    parse(file, Syntax::of(name).unwrap(), &sources, &mut diagnostics);
    expected.assert_eq(&render(&diagnostics, &sources, Color::Plain));
}

#[test]
fn full_example() {
    check(
        "mesh.kdl",
        r##"
mesh "shop" {
    defaults { timeout "15s"; access-log "json" }            // access-log: "json" | "off"
    service "beta.svc" {
        timeout "15s"
        endpoint "10.123.0.21:3000" weight=95 node="beta-1"   // annotations child allowed
        health-check path="/healthz" interval="10s" timeout="3s" cache="30s" port=8081 expect="200-299" healthy-threshold=3 unhealthy-threshold=3
        circuit-breaker max-connections=1000 max-pending=1000 max-requests=1000 max-retries=3
        retry attempts=3 on="gateway-error,reset" per-try-timeout="250ms"   // on: comma list string, or in YAML also a list
        route path-prefix="/admin" {                          // or path="/exact"; neither: prefix "/"
            timeout "5s"
            retry attempts=1
            header "x-canary" exact="on"                      // exact= | prefix= | suffix= | present=#true ; invert=#true
            to "beta-canary.svc" weight=5
            to "beta.svc" weight=95
        }
        fault { delay "50ms" percent=15; abort 503 percent=5 }   // percent: number or string, up to 4 decimals
        basic-auth realm="shop" htpasswd-file="users.htpasswd" forward-user-header="x-user"
        header-routing { rule to="beta-canary.svc" { header "x-canary" exact="on" } }
        annotations { "healthcheck.cache" "30000" }
    }
    node "beta-1" serves="beta.svc" calls="gamma.svc"          // several: serves "a" "b" as child with arguments, or repeated children
    node "beta-2" {
        bind "10.0.0.5"
        serves "beta.svc" { upstream "127.0.0.1:3000" weight=1; fault { abort 503 percent=5 }; annotations { } }
        calls "*"
    }
    gateway "front" listen=8080 {
        bind "0.0.0.0"
        calls "*"
        basic-auth realm="shop" htpasswd-file="users.htpasswd"
        timeout "10s"
        retry attempts=2
        host "*.shop.example" { to "beta.svc" }                 // `to` directly in host = one route on prefix "/"
        host "shop.example" { route path-prefix="/admin" { to "beta.svc" } }
    }
}
"##,
        expect![[""]],
    );
}

#[test]
fn yaml_example() {
    check(
        "mesh.yaml",
        r##"
mesh: shop
defaults: {timeout: 15s, access-log: off}
service:
  beta.svc:
    timeout: 15s
    endpoint:
      - {address: "10.123.0.21:3000", weight: 95, node: beta-1}
      - 10.123.0.22:3000
    retry: {attempts: 3, on: [5xx, reset]}
    route:
      - path-prefix: /admin
        header: {name: x-canary, exact: on}
        to:
          - {service: beta-canary.svc, weight: 5}
          - service: beta.svc
            weight: 95
    fault: {delay: {duration: 50ms, percent: 15}, abort: {status: 503, percent: 5}}
    header-routing:
      rule:
        - {to: beta-canary.svc, header: [{name: x-canary, exact: on}]}
    annotations: {healthcheck.cache: 30000}
node:
  alpha:
  beta-1: {serves: beta.svc, calls: [gamma.svc]}
  beta-2: {serves: {beta.svc: {upstream: "127.0.0.1:3000"}}, calls: "*"}
gateway:
  front: {listen: 8080, host: {"*.shop.example": {to: beta.svc}}}
"##,
        expect![[""]],
    );
}

#[test]
fn mistakes() {
    check(
        "mesh.kdl",
        r##"
mesh "shop" {
    defaults { timeut 15s; access-log true }
    service "beta svc" {
        timeout "15 seconds"
        endpont "10.123.0.21:3000" weight=95 node="beta-1"
        endpoint "localhost:3000" weight=0
        retry on="gateway-err" attempts=0
        route path="admin" { to }
        timeout "16s"
        fault { delay "50ms" }
    }
    gateway "x" lisen=80
    }
}
"##,
        expect![[""]],
    );
    check(
        "mesh.yaml",
        "mesh: shop\nservice:\n  a.svc:\n    timeout: 15\n    retry: [1]\n    frobnicate: 1\n    timeout: 3s\n  b.svc: [\n",
        expect![[""]],
    );
}
