//! How it ends: exit codes, signals, and a compiler that is not given what it wants.

use std::net::TcpListener;

use crate::process::{Folder, MESH, Serve, ended};

#[test]
fn a_first_mesh_with_mistakes_is_refused_as_check_does_it() {
    let folder = Folder::with(&MESH.replace("serves=\"beta.svc\"", "serves=\"betta.svc\""));
    let (code, said) = ended(&folder, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("error[unknown-service]: ") && said.contains("did you mean `beta.svc`?"), "{said}");
}

#[test]
fn a_first_mesh_that_is_not_there() {
    let folder = Folder::with(MESH);
    std::fs::remove_file(folder.path("mesh.kdl")).unwrap();
    let (code, said) = ended(&folder, &[]);
    assert_eq!(code, 74, "{said}");
    assert!(said.contains("cannot read mesh.kdl: "), "{said}");
}

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = Folder::with(MESH);
    for flag in ["--listen", "--admin"] {
        let (code, said) = ended(&folder, &["--no-state", flag, &address]);
        assert_eq!(code, 74, "{flag}: {said}");
        assert!(said.contains(&format!("cannot listen on {address}")), "{flag}: {said}");
    }
}

#[test]
fn what_nobody_means() {
    let folder = Folder::with(MESH);
    let wrong: [&[&str]; 7] = [
        &["--listen", "0.0.0.0:0"],
        &["--admin", "0.0.0.0:0"],
        &["--tls-key", "key.pem"],
        &["--max-drop", "101"],
        &["--grace", "soon"],
        &["--local=10.0.0.0/8"],
        &["--state", "here", "--no-state"],
    ];
    for arguments in wrong {
        let (code, said) = ended(&folder, arguments);
        assert_eq!(code, 64, "{arguments:?}: {said}");
    }
}

#[test]
fn a_compiler_without_time_or_memory_is_told_and_hurts_nobody() {
    let folder = Folder::with(MESH);
    let (code, said) = ended(&folder, &["--compile-time", "1ms", "--no-state"]);
    assert_eq!(code, 74, "{said}");
    assert!(said.contains("compiling took longer than"), "{said}");
    let (code, said) = ended(&folder, &["--compile-memory", "30", "--no-state"]);
    assert_eq!(code, 74, "{said}");
    assert!(said.contains("the compiler ended with "), "{said}");
}

#[test]
fn a_compiler_that_dies_while_serving_changes_nothing() {
    let folder = Folder::with(MESH);
    // Enough for the mesh, not for a file of fifty megabytes.
    let serve = Serve::start(&folder, &["--compile-memory", "500"]);
    let before = serve.digest();
    let large = format!("{MESH}{}", "// words\n".repeat(500_000));
    folder.write(&large);
    let status = serve.until(|status| !status["stale"].is_null() || status["reconcile"]["outcome"] == "unchanged");
    assert_eq!(serve.digest(), before, "{status:#}");
    folder.write(MESH);
    serve.until(|status| status["stale"].is_null());
    assert_eq!(serve.digest(), before);
}

#[test]
fn it_ends_when_it_is_asked() {
    for signal in ["TERM", "INT"] {
        let folder = Folder::with(MESH);
        let serve = Serve::start(&folder, &[]);
        serve.signal(signal);
        assert_eq!(serve.stop_unasked().code(), Some(0), "{signal}");
    }
}

#[test]
fn it_serves_although_nobody_hears_what_it_says() {
    let folder = Folder::with(MESH);
    let serve = Serve::unheard(&folder, &[]);
    assert_eq!(serve.stop().code(), Some(0));
}

#[test]
fn it_says_what_it_serves_and_how_to_connect() {
    let folder = Folder::with(MESH);
    let serve = Serve::start(&folder, &[]);
    let said = &serve.introduction;
    assert!(said.contains(" for 3 proxies\n"), "{said}");
    assert!(said.contains("plain text, clients of this machine\n"), "{said}");
    assert!(said.contains("connect  meshwright bootstrap mesh.kdl --node NAME --xds 127.0.0.1:"), "{said}");
}
