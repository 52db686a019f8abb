//! Changes of files are served; mistakes change nothing.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{Folder, MESH, Serve};

fn fresh(status: &Value) -> bool {
    status["stale"].is_null()
}

/// The compiler of these tests is not optimised, and shares the machine with other tests.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn mistakes_change_nothing_are_told_and_end_when_they_are_mended() {
    let folder = Folder::with(MESH);
    let serve = Serve::start(&folder, &[]);
    let before = serve.digest();
    let mistakes = [
        ("syntax", "mesh \"tiny\" {\n  service", "error[syntax]"),
        ("semantics", &MESH.replace("serves=\"beta.svc\"", "serves=\"betta.svc\""), "error[unknown-service]"),
        (
            "a pattern that Envoy refuses",
            &MESH.replace(
                "endpoint \"10.0.0.1:3000\";",
                "endpoint \"10.0.0.1:3000\"; route { match path-regex=\"/(\"; split { to \"beta.svc\" weight=1; }; };",
            ),
            "error[",
        ),
        ("a format string", &MESH.replace("calls=\"*\"", "calls=\"*\" { access-log format=\"100%\\n\"; }"), "error["),
        ("no text", "\u{0}\u{1}", "error["),
    ];
    for (number, (what, mesh, finding)) in mistakes.into_iter().enumerate() {
        folder.write(mesh);
        let status = serve.until(|status| !fresh(status));
        let findings = status["reconcile"]["findings"].to_string();
        assert!(findings.contains(finding), "{what}: {findings}");
        assert_eq!((serve.digest(), serve.metric("stale")), (before.clone(), Some(1.0)), "{what}");
        assert_eq!(serve.metric("reconciles_total{outcome=\"invalid\"}"), Some(number as f64 + 1.0), "{what}");
        assert_eq!(serve.get("/readyz").0, 200, "{what}: what was good before is served");
        let begun = Instant::now();
        folder.write(MESH);
        serve.until(fresh);
        println!("{what}: mended after {:?}", begun.elapsed());
        assert!(begun.elapsed() < SOON, "{what}: {:?}", begun.elapsed());
        assert_eq!((serve.digest(), serve.metric("stale")), (before.clone(), Some(0.0)), "{what}");
    }
    assert_eq!(serve.metric("publications_total"), Some(1.0));
}

#[test]
fn a_secret_in_the_text_is_on_no_page_whatever_else_is_wrong_with_its_line() {
    let folder = Folder::with(MESH);
    let serve = Serve::start(&folder, &[]);
    let line = r#"service "beta.svc" { endpoint "10.0.0.1:3000"; request-headers { set "Authorization" value="Basic hunter2hunter2"; }; route path="/" { to "nowhere.svc"; }; }"#;
    folder.write(&MESH.replace(r#"service "beta.svc" { endpoint "10.0.0.1:3000"; }"#, line));
    let status = serve.until(|status| !fresh(status));
    let findings = status["reconcile"]["findings"].to_string();
    assert!(findings.contains("error[secret-in-text]") && findings.contains("error[unknown-service]"), "{findings}");
    for page in ["/status", "/status?format=json", "/metrics"] {
        assert!(!serve.get(page).1.contains("hunter2"), "{page}");
    }
    assert!(!serve.stderr().contains("hunter2"));
}

#[test]
fn an_edit_is_served_soon_and_in_one_line_of_the_log() {
    let folder = Folder::with(MESH);
    let serve = Serve::start(&folder, &[]);
    let before = serve.digest();
    let begun = Instant::now();
    folder.write(&MESH.replace("10.0.0.2", "10.0.0.3"));
    serve.until(|status| status["serving"]["digest"] != before.as_str());
    println!("served after {:?}", begun.elapsed());
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    let log = serve.stderr();
    let line = log.lines().rfind(|line| line.contains("published")).unwrap();
    assert!(line.contains("1 set of endpoints changed for "), "{log}");
}

#[test]
fn included_files_and_files_of_passwords_are_followed() {
    let mesh =
        MESH.replace("endpoint \"10.0.0.1:3000\";", "endpoint \"10.0.0.1:3000\"; basic-auth htpasswd-file=\"users\";");
    let folder = Folder::with(&mesh.replace("mesh \"tiny\" {", "mesh \"tiny\" { include \"services.kdl\""));
    std::fs::write(folder.path("services.kdl"), "service \"delta.svc\" { endpoint \"10.0.0.9:80\"; }\n").unwrap();
    std::fs::write(folder.path("users"), "ann:$apr1$s1sVbrmV$2CBKFC2RgjsjOsIVsS1SV1\n").unwrap();
    let serve = Serve::start(&folder, &[]);
    let first = serve.digest();
    std::fs::write(folder.path("services.kdl"), "service \"delta.svc\" { endpoint \"10.0.0.10:80\"; }\n").unwrap();
    let second = serve.until(|status| status["serving"]["digest"] != first.as_str());
    std::fs::write(folder.path("users"), "bob:$apr1$s1sVbrmV$2CBKFC2RgjsjOsIVsS1SV1\n").unwrap();
    serve.until(|status| status["serving"]["digest"] != second["serving"]["digest"]);
    assert!(!serve.stderr().contains("apr1") && !serve.status().to_string().contains("apr1"));
}

#[test]
fn what_drops_too_much_is_held_until_it_is_allowed() {
    let folder = Folder::with(MESH);
    let serve = Serve::start(&folder, &[]);
    let before = serve.digest();
    folder.write("mesh \"tiny\" { service \"beta.svc\" { endpoint \"10.0.0.1:3000\"; }; }\n");
    let held = serve.until(|status| !status["held"].is_null());
    let digest = held["held"]["digest"].as_str().unwrap().to_owned();
    assert_eq!(held["held"]["reason"], "the mesh would have no proxy at all");
    assert_eq!((serve.digest(), serve.metric("held")), (before, Some(1.0)));
    assert!(serve.stderr().contains("not published: the mesh would have no proxy at all"));
    let (code, _) = serve.ask("POST", "/allow/0000");
    assert_eq!(code, 404);
    let (code, said) = serve.ask("POST", &format!("/allow/{digest}"));
    assert_eq!(code, 200, "{said}");
    let status = serve.until(|status| status["held"].is_null());
    assert!(status["stale"].is_null(), "{status:#}");
    assert_eq!(status["reconcile"]["outcome"], "published");
}

#[test]
fn touching_and_hanging_up_publish_nothing() {
    let folder = Folder::with(MESH);
    let serve = Serve::start(&folder, &[]);
    for _ in 0..100 {
        serve.signal("HUP");
    }
    folder.write(MESH);
    folder.write(&format!("{MESH}\n// the end\n"));
    serve.until(|status| status["reconcile"]["outcome"] == "unchanged");
    assert_eq!(serve.metric("publications_total"), Some(1.0));
    let log = serve.stderr();
    assert_eq!(log.matches("published").count(), 1, "{log}");
}

#[test]
fn two_control_planes_serve_the_same() {
    let folder = Folder::with(MESH);
    let (first, second) = (Serve::start(&folder, &["--no-state"]), Serve::start(&folder, &["--no-state"]));
    assert_eq!(first.digest(), second.digest());
    folder.write(&MESH.replace("10.0.0.2", "10.0.0.3"));
    let before = first.digest();
    for serve in [&first, &second] {
        serve.until(|status| status["serving"]["digest"] != before.as_str());
    }
    assert_eq!(first.digest(), second.digest());
}
