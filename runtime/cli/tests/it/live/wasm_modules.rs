//! Modules that sidecars fetch.

use std::fmt::Write as _;

use local::{Behaviour, Request};
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, sleep};
use world::{Outside, Serves};

use super::{Live, PATIENCE, POLL, received};

async fn up(served: &'static [u8]) -> Live {
    let mut outside = Outside::new().await;
    outside.add("artifacts.example:8080", Serves::Http).await;
    let reply = Behaviour::Reply { status: 200, headers: Vec::new(), body: served.into() };
    outside.echo("artifacts.example:8080").behave(reply);
    let digest = Sha256::digest(guest_sdk::MODULE).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let mesh = format!(
        r#"
        wasm-filter "probe" {{
            url "http://artifacts.example:8080/probe.wasm"
            sha256 "{digest}"
            root-id "sdk-probe"
            configuration "good day"
            failure "closed"
        }}
        service "beta.svc" {{ endpoint "10.0.0.1:3000"; filter "probe"; }}
        node "alpha" calls="beta.svc"
        node "beta" serves="beta.svc"
        "#
    );
    Live::of(&mesh).outside(outside).up().await
}

#[tokio::test]
async fn nothing_passes_before_the_module_has_come() {
    let live = up(guest_sdk::MODULE).await;
    let deadline = Instant::now() + PATIENCE;
    let answer = loop {
        let answer = live.send("alpha", Request::get("/").host("beta.svc")).await;
        if answer.status == 200 {
            break answer;
        }
        assert_eq!(answer.status, 503);
        assert!(Instant::now() < deadline, "the module does not come");
        sleep(POLL).await;
    };
    assert_eq!(received(&answer, "x-probe-greeting"), ["good day"]);
    let asked = live.outside().echo("artifacts.example:8080").received();
    assert_eq!(asked.first().map(|it| it.path.as_str()), Some("/probe.wasm"));
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 1);
}

#[tokio::test]
async fn another_module_than_the_digest_says_is_not_run() {
    let live = up(b"\0asm\x01\0\0\0").await;
    let deadline = Instant::now() + PATIENCE;
    let server = live.outside().echo("artifacts.example:8080");
    while server.received_count() == 0 {
        assert!(Instant::now() < deadline, "nobody asks for the module");
        sleep(POLL).await;
    }
    for _ in 0..10 {
        assert_eq!(live.send("alpha", Request::get("/").host("beta.svc")).await.status, 503);
    }
    assert_eq!(live.workload("10.0.0.1:3000").received_count(), 0);
}
