//! What was served last outlives the process.

use crate::process::{Folder, MESH, Serve, exists};

#[test]
fn after_a_crash_what_was_served_last_is_served_although_nothing_can_be_read() {
    let folder = Folder::with(MESH);
    let serve = Serve::start(&folder, &[]);
    let digest = serve.digest();
    // Until it is on disk.
    let states = || std::fs::read_dir(folder.path("state/meshwright")).into_iter().flatten().flatten();
    let deadline = std::time::Instant::now() + crate::process::PATIENCE;
    while !states().any(|state| exists(&state.path().join("current"))) {
        assert!(std::time::Instant::now() < deadline, "{}", serve.stderr());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    serve.kill();
    for ruin in [None, Some("mesh {")] {
        match ruin {
            None => std::fs::remove_file(folder.path("mesh.kdl")).unwrap(),
            Some(text) => folder.write(text),
        }
        let serve = Serve::start(&folder, &[]);
        let status = serve.until(|status| !status["reconcile"].is_null());
        assert_eq!(
            (&status["serving"]["digest"], &status["serving"]["from"]),
            (&digest.clone().into(), &"stored".into())
        );
        assert!(status["stale"].is_string(), "{status:#}");
        assert_eq!((serve.get("/readyz").0, serve.metric("stale")), (200, Some(1.0)));
        assert_eq!(serve.stop().code(), Some(0));
    }
    folder.write(MESH);
    let serve = Serve::start(&folder, &[]);
    let status = serve.until(|status| status["stale"].is_null());
    assert_eq!(status["serving"]["digest"], digest.as_str());
}

#[test]
fn a_folder_that_cannot_be_written_stops_nothing_but_is_told() {
    let folder = Folder::with(MESH);
    std::fs::write(folder.path("file"), "").unwrap();
    let serve = Serve::start(&folder, &["--state", "file/below"]);
    assert!(serve.introduction.contains("kept in  nothing: cannot write file/below"), "{}", serve.introduction);
    assert_eq!(serve.get("/readyz").0, 200);
}

#[test]
fn two_processes_do_not_write_into_one_folder() {
    let folder = Folder::with(MESH);
    let first = Serve::start(&folder, &["--state", "here"]);
    let second = Serve::start(&folder, &["--state", "here"]);
    assert!(first.introduction.contains("kept in  here\n"), "{}", first.introduction);
    assert!(second.introduction.contains("kept in  here, by another process\n"), "{}", second.introduction);
    let before = second.digest();
    folder.write(&MESH.replace("10.0.0.2", "10.0.0.3"));
    let status = second.until(|status| !status["store_error"].is_null());
    assert_eq!(status["store_error"], "here is in use by another process");
    let status = first.until(|status| status["serving"]["digest"] != before.as_str());
    assert_eq!((&status["store_error"], second.digest()), (&serde_json::Value::Null, first.digest()));
}
