//! Every field of a service or an endpoint can be said as an annotation, by its way from there.

use expect_test::{Expect, expect};
use meshwright_compiler::annotation;
use spec::{Color, Diagnostics, SourceFile, Sources, Syntax, annotate, parse, print, render};

/// Applies the annotations of a mesh, and gives the report, or the mesh without them.
#[track_caller]
fn check(yaml: &str, expected: Expect) {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("mesh.yaml", yaml));
    let mut mesh = parse(file, Syntax::Yaml, &sources, &mut found).expect("a mesh");
    annotation::apply(&mut mesh, &mut found);
    let report = render(&found, &sources, Color::Plain);
    let mesh = if found.has_errors() { String::new() } else { print(&mesh, Syntax::Kdl) };
    expected.assert_eq(&format!("{report}{mesh}"));
}

#[test]
fn a_key_is_the_way_to_the_field() {
    check(
        r#"
mesh: shop
service:
  beta:
    protocol: http
    retry: {attempts: 2}
    annotations:
      retry.on: gateway-error,reset
      retry.per-try-timeout: 250ms
      outlier-detection.consecutive-5xx: 7
      outlier-detection.interval: "10s"
      load-balancing.policy: ring-hash
      load-balancing.hash-on.1.header: x-user
      rate-limit.2.requests: "100"
      rate-limit.10.requests: "5"
      rate-limit.10.per: 1m
      subset.v2.labels.app.version: "2"
      cors.allow-origin: https://shop.example
      route.1.path-prefix: /old
      route.1.redirect.path: /new
      timeout: 2s
"#,
        expect![[r#"
            mesh "shop" {
                service "beta" {
                    protocol "http"
                    timeout "2s"
                    subset "v2" {
                        labels {
                            "app.version" "2"
                        }
                    }
                    outlier-detection consecutive-5xx=7 interval="10s"
                    load-balancing {
                        policy "ring-hash"
                        hash-on header="x-user"
                    }
                    retry attempts=2 per-try-timeout="250ms" {
                        on "gateway-error" "reset"
                    }
                    route path-prefix="/old" {
                        redirect path="/new"
                    }
                    rate-limit requests=100
                    rate-limit requests=5 per="1m"
                    cors {
                        allow-origin "https://shop.example"
                    }
                }
            }
        "#]],
    );
}

#[test]
fn access_by_address_and_limits_are_said_as_labels() {
    check(
        r#"
mesh: shop
service:
  beta:
    annotations:
      ip-access.allow: 10.0.0.0/8,2001:db8::/32
      ip-access.deny: 10.66.0.0/16
      ip-access.trusted-hops: "2"
      ip-access.status: "404"
      rate-limit.1.requests: "100"
      rate-limit.1.per: 1m
      rate-limit.1.shared: "true"
      rate-limit.1.headers: both
      rate-limit.1.unkeyed: refuse
      rate-limit.1.except: 10.0.0.9
      rate-limit.1.by.1.cookie: Session
      rate-limit.1.by.1.except: probe
      rate-limit.1.by.2.caller: "true"
"#,
        expect![[r#"
            mesh "shop" {
                service "beta" {
                    ip-access deny="10.66.0.0/16" trusted-hops=2 status=404 {
                        allow "10.0.0.0/8" "2001:db8::/32"
                    }
                    rate-limit requests=100 per="1m" shared=#true unkeyed="refuse" except="10.0.0.9/32" headers="both" {
                        by cookie="Session" except="probe"
                        by caller=#true
                    }
                }
            }
        "#]],
    );
}

#[test]
fn what_is_said_of_an_endpoint_is_said_where_it_belongs() {
    check(
        r#"
mesh: shop
service:
  beta:
    endpoint:
      - address: "10.0.0.1:80"
        annotations: {endpoint.zone: eu-central-1a, endpoint.labels.version: "2"}
      - address: "10.0.0.2:80"
    annotations: {endpoint.zone: eu-central-1b}
"#,
        expect![[r#"
            mesh "shop" {
                service "beta" {
                    endpoint "10.0.0.1:80" zone="eu-central-1a" {
                        labels {
                            version "2"
                        }
                    }
                    endpoint "10.0.0.2:80" zone="eu-central-1b"
                }
            }
        "#]],
    );
}

#[test]
fn commas_stand_between_the_values_of_a_list() {
    check(
        r#"
mesh: shop
service:
  beta:
    annotations:
      cors.allow-origin: https://a.example, https://b.example
      cors.allow-origin-regex: "https://[a-z]{1,3}"
      authorization.rule.1.decision: deny
      authorization.rule.1.claim: team=red,team=blue
      authorization.rule.1.method: PUT, POST
      authorization.rule.1.source: 10.0.0.0/8, fd00::/8
      jwt.provider: idp
      jwt.except-path-prefix: /healthz,/ready
      retry.attempts: "2"
      retry.status: "502, 503"
"#,
        expect![[r#"
            mesh "shop" {
                service "beta" {
                    retry attempts=2 {
                        status 502 503
                    }
                    cors {
                        allow-origin "https://a.example" "https://b.example"
                        allow-origin-regex "https://[a-z]{1,3}"
                    }
                    jwt provider="idp" {
                        except-path-prefix "/healthz" "/ready"
                    }
                    authorization {
                        rule "deny" {
                            source "10.0.0.0/8" "fd00::/8"
                            claim "team=red" "team=blue"
                            method "PUT" "POST"
                        }
                    }
                }
            }
        "#]],
    );
}

#[test]
fn what_says_the_same_in_other_words_is_no_conflict() {
    check(
        r#"
mesh: shop
service:
  beta:
    idle-timeout: 60s
    retry: {attempts: 2, on: [5xx, reset]}
    load-balancing: {sticky-cookie: {name: seat}}
    annotations:
      idle-timeout: 1m
      retry.on: 5xx, reset
      load-balancing.sticky-cookie.name: seat
      load-balancing.sticky-cookie.ttl: 10s
"#,
        expect![[r#"
            mesh "shop" {
                service "beta" {
                    idle-timeout "1m"
                    load-balancing {
                        sticky-cookie "seat" ttl="10s"
                    }
                    retry attempts=2 {
                        on "5xx" "reset"
                    }
                }
            }
        "#]],
    );
    check(
        r#"
mesh: shop
service:
  beta:
    load-balancing: {sticky-cookie: {name: seat}}
    annotations: {load-balancing.sticky-cookie.name: place}
"#,
        expect![[r#"
            error[conflicting-annotation]: the annotation `load-balancing.sticky-cookie.name` and a field say different things
             --> mesh.yaml:6:54
              |
            5 |     load-balancing: {sticky-cookie: {name: seat}}
              |                                            ---- the field
            6 |     annotations: {load-balancing.sticky-cookie.name: place}
              |                                                      ^^^^^ the annotation
              |
              = help: say it once

        "#]],
    );
}

#[test]
fn a_name_of_digits_stays_as_it_is() {
    check(
        "mesh: shop\nservice:\n  beta:\n    annotations: {subset.007.labels.version: bond}\n",
        expect![[r#"
        mesh "shop" {
            service "beta" {
                subset "007" {
                    labels {
                        version "bond"
                    }
                }
            }
        }
    "#]],
    );
}

#[test]
fn mistakes_are_found_at_the_annotation() {
    check(
        r#"
mesh: shop
service:
  beta:
    idle-timeout: 5s
    annotations:
      retry.atempts: 3
      outlier-detection.interval: soon
      outlier-detection.max-ejection-percent: 101
      idle-timeout: 6s
      rate-limit.x.requests: 1
      name: gamma
"#,
        expect![[r#"
            error[unknown-annotation]: no annotation is called `retry.atempts` (on service `beta`)
             --> mesh.yaml:7:7
              |
            7 |       retry.atempts: 3
              |       ^^^^^^^^^^^^^
              |
              = help: did you mean `retry.attempts`?

            error[unknown-annotation]: no annotation is called `rate-limit.x.requests` (on service `beta`)
              --> mesh.yaml:11:7
               |
            11 |       rate-limit.x.requests: 1
               |       ^^^^^^^^^^^^^^^^^^^^^
               |
               = help: did you mean `rate-limit.N.requests`?

            error[unknown-annotation]: no annotation is called `name` (on service `beta`)
              --> mesh.yaml:12:7
               |
            12 |       name: gamma
               |       ^^^^

            error[conflicting-annotation]: the annotation `idle-timeout` and a field say different things
              --> mesh.yaml:10:21
               |
             5 |     idle-timeout: 5s
               |                   -- the field
            ...
            10 |       idle-timeout: 6s
               |                     ^^ the annotation
               |
               = help: say it once

            error[wrong-type]: expected a duration such as `15s`, found `soon`
             --> mesh.yaml:8:35
              |
            8 |       outlier-detection.interval: soon
              |                                   ^^^^

            error[invalid-value]: `101` is not between 0 and 100
             --> mesh.yaml:9:47
              |
            9 |       outlier-detection.max-ejection-percent: 101
              |                                               ^^^

        "#]],
    );
}

#[test]
fn keys_that_will_go_say_what_to_write() {
    check(
        "mesh: shop\nservice:\n  beta:\n    annotations: {enable-retry: x}\n",
        expect![[r#"
        warning[deprecated]: `enable-retry` on service `beta` will go
         --> mesh.yaml:4:19
          |
        4 |     annotations: {enable-retry: x}
          |                   ^^^^^^^^^^^^
          |
          = help: write `retry.attempts`

        mesh "shop" {
            service "beta" {
                retry attempts=1
            }
        }
    "#]],
    );
}

/// The keys of the manual are those that are read.
#[test]
fn every_key_of_the_manual_leads_to_its_field() {
    for key in annotate::service_keys() {
        let written = key.pattern.replace(".N.", ".1.").replace(".NAME.", ".v1.").replace(".KEY", ".a.b");
        let target = annotate::of_service(&written).unwrap_or_else(|| panic!("{written}"));
        assert!(std::ptr::eq(target.field, key.target.field), "{written}");
    }
    for key in annotate::endpoint_keys() {
        let written = key.pattern.replace(".KEY", ".a.b");
        assert!(annotate::of_endpoint(&written).is_some(), "{written}");
    }
}

#[test]
fn a_fault_in_fields_alone_needs_no_inject() {
    check(
        r#"
mesh: shop
service:
  beta:
    annotations:
      fault.delay.duration: 50ms
      fault.delay.percent: "15"
      fault.delay.jitter: 20ms
      fault.abort.status: "503"
      fault.abort.percent: "0.5"
      fault.abort.body: sorry
      fault.abort.set.1.name: retry-after
      fault.abort.set.1.value: "7"
      fault.callers.source: 10.0.0.0/8,fd00::/8
      fault.select.by-header: x-user
      fault.window.until: "2030-01-31T08:00:00Z"
      fault.max-active: "3"
      fault.header-control.max-percent: "50"
      fault.header-control.max-delay: 2s
      fault.header-control.abort: 429,503
      fault.header-control.callers.source: 10.0.0.0/8
"#,
        expect![[r#"
            mesh "shop" {
                service "beta" {
                    fault {
                        delay "50ms" percent=15 jitter="20ms"
                        abort 503 percent=0.5 body="sorry" {
                            set "retry-after" value="7"
                        }
                        callers {
                            source "10.0.0.0/8" "fd00::/8"
                        }
                        select by-header="x-user"
                        window until="2030-01-31T08:00:00Z"
                        max-active 3
                        header-control max-percent=50 max-delay="2s" {
                            abort 429 503
                            callers source="10.0.0.0/8"
                        }
                    }
                }
            }
        "#]],
    );
}

#[test]
fn a_fault_of_bents_takes_fields_beside_inject() {
    check(
        r#"
mesh: shop
service:
  beta:
    annotations:
      fault.inject: "yes"
      fault.delay.duration: "50"
      fault.delay.percent: "15"
      fault.delay.jitter: 20ms
      fault.select.by-header: x-user
"#,
        expect![[r#"
            mesh "shop" {
                service "beta" {
                    fault {
                        delay "50ms" percent=15 jitter="20ms"
                        select by-header="x-user"
                    }
                }
            }
        "#]],
    );
}

#[test]
fn bents_pieces_of_a_fault_alone_still_need_inject() {
    check(
        r#"
mesh: shop
service:
  beta:
    annotations:
      fault.delay.percent: "15"
"#,
        expect![[r#"
            warning[ineffective-annotation]: `fault.delay.percent` has no effect on service `beta` without `fault.inject`
             --> mesh.yaml:6:28
              |
            6 |       fault.delay.percent: "15"
              |                            ^^^^
              |
              = help: add `fault.inject`, or leave it out

            mesh "shop" {
                service "beta"
            }
        "#]],
    );
}
