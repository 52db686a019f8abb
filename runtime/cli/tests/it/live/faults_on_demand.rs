//! Requests ask for faults as far as they may, and nobody behind the filter hears of it.

use std::time::{Duration, Instant};

use local::{Client, Request, Response};
use world::{Authority, TlsDial};

use super::{Live, received, service};

const ASKING: [&str; 7] = [
    "x-envoy-fault-abort-request",
    "x-envoy-fault-abort-grpc-request",
    "x-envoy-fault-abort-request-percentage",
    "x-envoy-fault-delay-request",
    "x-envoy-fault-delay-request-percentage",
    "x-envoy-fault-throughput-response",
    "x-envoy-fault-throughput-response-percentage",
];

async fn asked(live: &Live, host: &str, headers: &[(&str, &str)]) -> (Response, Duration) {
    let request = headers.iter().fold(Request::get("/").host(host), |it, (name, value)| it.header(name, value));
    let begin = Instant::now();
    (live.send("alpha", request).await, begin.elapsed())
}

#[tokio::test]
async fn what_is_allowed_happens_and_nothing_else() {
    let live = Live::up(
        r#"
        service "asked.svc" {
            endpoint "10.0.0.1:3000"
            fault { header-control max-percent=100 max-delay="400ms" { abort 418 429; grpc-abort 14; }; }
        }
        service "closed.svc" { endpoint "10.0.0.1:3001"; fault { abort 503 percent=0; }; }
        service "native.svc" { endpoint "10.0.0.1:3002"; fault { abort 503 percent=0; engine "native"; }; }
        service "strangers.svc" {
            endpoint "10.0.0.1:3003"
            fault { header-control max-percent=100 { abort 418; callers source="192.0.2.0/24"; }; }
        }
        node "alpha" calls="*"
        node "all" { serves "asked.svc" "closed.svc" "native.svc" "strangers.svc" }
        "#,
    )
    .await;
    assert_eq!(asked(&live, "asked.svc", &[("x-envoy-fault-abort-request", "418")]).await.0.status, 418);
    assert_eq!(asked(&live, "asked.svc", &[("x-envoy-fault-abort-grpc-request", "14")]).await.0.status, 503);
    let (answer, time) = asked(&live, "asked.svc", &[("x-envoy-fault-delay-request", "1000000000")]).await;
    assert_eq!(service(&answer), "asked.svc");
    assert!((400..5000).contains(&time.as_millis()), "{time:?}");

    for refused in ["503", "999", "abc", "-418", "418, 429", ""] {
        let (answer, _) = asked(&live, "asked.svc", &[("x-envoy-fault-abort-request", refused)]).await;
        assert_eq!(service(&answer), "asked.svc", "{refused}");
    }
    let twice = [("x-envoy-fault-abort-request", "418"), ("x-envoy-fault-abort-request", "418")];
    assert_eq!(service(&asked(&live, "asked.svc", &twice).await.0), "asked.svc");

    // Whoever may not ask changes nothing, and whatever was asked reaches no application.
    let everything = ASKING.map(|name| (name, if name.ends_with("percentage") { "100" } else { "418" }));
    for host in ["closed.svc", "native.svc", "strangers.svc"] {
        let (answer, time) = asked(&live, host, &everything).await;
        assert_eq!(service(&answer), host);
        assert!(time < Duration::from_millis(400), "{time:?}");
        assert!(ASKING.iter().all(|name| received(&answer, name).is_empty()), "{}", answer.text());
    }
    let refused = ASKING.map(|name| (name, "none"));
    let (answer, _) = asked(&live, "asked.svc", &refused).await;
    assert!(ASKING.iter().all(|name| received(&answer, name).is_empty()), "{}", answer.text());
}

#[tokio::test]
async fn who_may_ask_is_proved_by_a_certificate() {
    let authority = Authority::new("mesh");
    let live = Live::of(
        r#"
        service "beta.svc" {
            endpoint "10.0.0.1:3000"
            tls {
                certificate { files chain="${folder}/beta/tls.crt" key="${folder}/beta/tls.key"; }
                client ca-file="${folder}/beta/ca.crt"
            }
            fault {
                header-control max-percent=100 {
                    abort 418
                    callers from="tests.svc" from-identity="spiffe://elsewhere/tests"
                }
            }
        }
        service "tests.svc" { endpoint "10.0.0.2:3000"; }
        node "beta" serves="beta.svc"
        "#,
    )
    .files(authority.leaf(&["beta.svc"]).files("beta"))
    .up()
    .await;
    for (name, status) in [
        ("spiffe://live/tests.svc", 418),
        ("spiffe://elsewhere/tests", 418),
        ("spiffe://live/tests.svc.evil", 200),
        ("spiffe://live/other.svc", 200),
        ("tests.svc", 200),
    ] {
        let dial = TlsDial::new(&authority.pem(), "beta.svc").certificate(&authority.leaf(&[name]));
        let mut client = Client::over(dial.dialer(), live.at("beta", 4100));
        let request = Request::get("/").host("beta.svc").header("x-envoy-fault-abort-request", "418");
        let request = request.header("x-forwarded-client-cert", "URI=spiffe://live/tests.svc");
        assert_eq!(client.send(&request).await.unwrap().status, status, "{name}");
    }
}
