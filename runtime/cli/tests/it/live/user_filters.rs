//! Wasm filters of the user's own do in Envoy what they do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use local::Request;
use tokio::time::sleep;

use super::{Live, PATIENCE, POLL, received, service};

fn files() -> BTreeMap<PathBuf, Vec<u8>> {
    [("guest.wasm".into(), guest_sdk::MODULE.to_vec())].into()
}

#[tokio::test]
async fn a_filter_works_where_it_is_used() {
    let live = Live::with(
        files(),
        r#"
        wasm-filter "probe" { file "guest.wasm"; root-id "sdk-probe"; configuration "good day" }
        service "beta.svc" { endpoint "10.0.0.1:3000"; filter "probe" }
        service "gamma.svc" { endpoint "10.0.0.1:3001"; filter "probe" at="inbound-first" configuration="good night" }
        service "plain.svc" { endpoint "10.0.0.1:3002" }
        node "alpha" calls="*"
        node "caller" { calls "*"; filter "probe" at="outbound" configuration="going out" }
        node "all" { serves "beta.svc" "gamma.svc" "plain.svc" }
        gateway "front" { listen 8080; calls "*"; filter "probe" configuration="at the gate" }
        "#,
    )
    .await;
    let greetings = async |instance: &str, host: &str| {
        received(&live.send(instance, Request::get("/").host(host)).await, "x-probe-greeting")
    };
    assert_eq!(greetings("alpha", "beta.svc").await, ["good day"]);
    assert_eq!(greetings("alpha", "gamma.svc").await, ["good night"]);
    assert_eq!(greetings("alpha", "plain.svc").await, [] as [&str; 0]);
    assert_eq!(greetings("caller", "plain.svc").await, ["going out"]);
    assert_eq!(greetings("front", "plain.svc").await, ["at the gate"]);
    let forbidden = |host: &str| Request::get("/").host(host).header("x-probe-forbid", "not today");
    let refused = live.send("alpha", forbidden("beta.svc")).await;
    assert_eq!((refused.status, refused.text().as_ref()), (403, "not today"));
    assert_eq!(service(&live.send("alpha", forbidden("plain.svc")).await), "plain.svc");
}

#[tokio::test]
async fn a_filter_that_fails_refuses_and_comes_back() {
    let live = Live::with(
        files(),
        r#"
        wasm-filter "probe" { file "guest.wasm"; root-id "sdk-probe" }
        service "beta.svc" { endpoint "10.0.0.1:3000"; filter "probe" }
        node "alpha" calls="*"
        node "all" serves="beta.svc"
        "#,
    )
    .await;
    // The SDK panics on text that is none.
    let fatal = Request::get("/").host("beta.svc").header("x-probe-text", b"\xff");
    assert_eq!(live.send("alpha", fatal).await.status, 503);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let request = Request::get("/").host("beta.svc").header("x-probe-forbid", "no");
        // Never past the filter.
        match live.send("alpha", request).await.status {
            403 => break,
            status => assert_eq!(status, 503),
        }
        assert!(Instant::now() < deadline, "the filter stays away");
        sleep(POLL).await;
    }
}

#[tokio::test]
async fn what_a_filter_is_told_may_stand_in_a_file() {
    let mut files = files();
    files.insert("greeting.txt".into(), b"good evening".to_vec());
    let live = Live::with(
        files,
        r#"
        wasm-filter "probe" { file "guest.wasm"; root-id "sdk-probe"; configuration-file "greeting.txt"; }
        service "beta.svc" { endpoint "10.0.0.1:3000"; filter "probe"; }
        node "alpha" calls="*"
        node "all" serves="beta.svc"
        "#,
    )
    .await;
    let answer = live.send("alpha", Request::get("/").host("beta.svc")).await;
    assert_eq!(received(&answer, "x-probe-greeting"), ["good evening"]);
}
