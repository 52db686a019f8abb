//! An AWS that cannot be read: that is seen, whether anything can be served or not.

use std::process::Command;

use crate::process::{Folder, MESH, Serve};

const CLUSTERS: &str = r#"mesh "shop" {
    ecs { cluster "shop"; owner "orders.svc" family="orders"; }
    service "orders.svc" { ecs cluster="shop" service="orders" container="app" port=8080; }
    node "orders" { serves "orders.svc"; calls "*"; }
}
"#;

/// What an earlier run had read.
fn remember(folder: &Folder) {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/ecs-fargate/observed.json");
    std::fs::create_dir_all(folder.path("here/ecs")).unwrap();
    std::fs::copy(example, folder.path("here/ecs/observed.json")).unwrap();
}

#[test]
fn before_ecs_was_read_for_the_first_time_the_pages_say_why_it_is_not() {
    let folder = Folder::with(MESH);
    let serve = Serve::unheard(&folder, &["--ecs", "--interval", "1s"]);
    let status = serve.until(|status| !status["discovery"]["failing"].is_null());
    assert!(status["serving"].is_null(), "{status:#}");
    assert_eq!((serve.get("/healthz").0, serve.get("/readyz").0), (200, 503));
    let (_, page) = serve.get("/status");
    assert!(page.contains("never since the start, ") && page.contains("failing "), "{page}");
    assert_eq!(serve.stop().code(), Some(0));
}

#[test]
fn what_an_earlier_run_had_read_is_served_and_stale_from_the_first_moment() {
    let folder = Folder::with(CLUSTERS);
    remember(&folder);
    let serve = Serve::start(&folder, &["--ecs", "--state", "here"]);
    let reason = "ECS was not read since the start";
    let status = serve.until(|status| status["stale"].as_str().is_some_and(|stale| stale.starts_with(reason)));
    assert_eq!(status["serving"]["from"], "compiled", "{status:#}");
    assert!(status["ecs"]["routable"].as_u64() > Some(0), "{status:#}");
}

#[test]
fn only_tasks_of_clusters_that_the_mesh_names_are_taken() {
    let folder =
        Folder::with(&CLUSTERS.replace("cluster \"shop\"", "cluster \"other\"").replace("cluster=\"shop\" ", ""));
    remember(&folder);
    let serve = Serve::start(&folder, &["--ecs", "--state", "here"]);
    assert_eq!(serve.status()["ecs"]["routable"], 0, "{:#}", serve.status());
}

#[test]
fn the_help_is_there() {
    let help = Command::new(env!("CARGO_BIN_EXE_meshwright")).args(["serve", "--help"]).output().unwrap();
    assert!(help.status.success(), "{}", String::from_utf8_lossy(&help.stderr));
    assert!(String::from_utf8_lossy(&help.stdout).contains("--cluster"));
}
