//! What scripts and people rely on: exit codes, streams, bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) fn meshwright(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meshwright"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("ENVOY")
        .output()
        .expect("the command starts")
}

pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the project is there")
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_owned()).expect("output is text")
}

/// Every file below a folder, by its relative path.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let relative = path.strip_prefix(root).expect("below the root").to_owned();
                found.insert(relative, std::fs::read(path).expect("a file"));
            }
        }
    }
    found
}

#[test]
fn compiling_twice_writes_the_same_bytes_and_says_so() {
    let out = tempfile::tempdir().expect("a folder");
    let (first, second) = (out.path().join("a"), out.path().join("b"));
    for folder in [&first, &second] {
        let folder = folder.to_str().expect("text");
        let output = meshwright(
            &project(),
            &["compile", "examples/bent-playground/config.yaml", "--from", "bent", "-o", folder],
        );
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    }
    let written = files(&first);
    assert_eq!(written, files(&second));
    let bootstraps = written.keys().filter(|path| path.ends_with("envoy.yaml")).count();
    let modules = written
        .keys()
        .filter(|path| path.starts_with("filters") && path.extension().is_some_and(|kind| kind == "wasm"));
    assert_eq!((bootstraps, modules.count()), (8, 1));
    let again = first.to_str().expect("text");
    let output =
        meshwright(&project(), &["compile", "examples/bent-playground/config.yaml", "--from", "bent", "-o", again]);
    assert!(text(&output.stdout).ends_with(", 0 changed\n"), "{}", text(&output.stdout));
}

#[test]
fn a_mesh_on_standard_input_is_yaml() {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_meshwright"))
        .args(["check", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the command starts");
    child.stdin.take().expect("a pipe").write_all(b"mesh: tiny\nnode:\n  a:\n").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "mesh tiny: 0 services, 1 node, 0 gateways\n");
}

#[test]
fn mistakes_are_all_reported_on_standard_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let mesh = r#"mesh "shop" {
    service "checkout.svc" { endpoint "10.0.0.1:80" weight=900 }
    service "cart.svc" { endpoint "10.0.0.2:99999" }
    node "web" calls="chekout.svc"
    node "cart" serves="cart.svc" { cals "checkout.svc" }
}
"#;
    std::fs::write(folder.path().join("mesh.kdl"), mesh).expect("it is written");
    let output = meshwright(folder.path(), &["check", "mesh.kdl"]);
    assert_eq!(code(&output), 1);
    assert_eq!(text(&output.stdout), "");
    let findings = text(&output.stderr);
    for place in ["mesh.kdl:2:", "mesh.kdl:3:", "mesh.kdl:5:"] {
        assert!(findings.contains(place), "{place} is missing:\n{findings}");
    }
    assert!(!findings.contains('\u{1b}'), "no colours in a pipe:\n{findings}");
}

#[test]
fn exit_codes_tell_usage_from_files() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mesh.kdl"), "mesh \"m\" {\n    node \"a\"\n}\n").expect("it is written");
    let run = |arguments: &[&str]| code(&meshwright(folder.path(), arguments));
    assert_eq!(run(&["--help"]), 0);
    assert_eq!(run(&["check", "mesh.kdl"]), 0);
    assert_eq!(run(&["chek", "mesh.kdl"]), 64);
    assert_eq!(run(&["check"]), 64);
    assert_eq!(run(&["check", "mesh.txt"]), 64);
    assert_eq!(run(&["import", "mesh.kdl"]), 64);
    assert_eq!(run(&["check", "config.yaml", "--from", "bent"]), 74);
    assert_eq!(run(&["compile", "mesh.kdl", "-o", "/dev/null/out"]), 74);
    assert_eq!(run(&["up", "mesh.kdl", "--subnet", "10.0.0.0/24"]), 64);
    assert_eq!(run(&["rule", "sintax"]), 64);
    assert_eq!(run(&["rule", "syntax"]), 0);
    assert_eq!(run(&["check", "mesh.kdl", "--allow", "syntax"]), 64);
    assert_eq!(run(&["check", "mesh.kdl", "--deny", "empty-blok"]), 64);
    assert_eq!(run(&["up", "mesh.kdl", "--envoy", "/nowhere/envoy"]), 74);
}

#[test]
fn an_imported_mesh_compiles_to_what_its_source_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = project().join("examples/bent-playground");
    for file in ["config.yaml", "users.htpasswd"] {
        std::fs::copy(source.join(file), folder.path().join(file)).expect("it is copied");
    }
    for (syntax, file) in [("kdl", "mesh.kdl"), ("yaml", "mesh.yaml")] {
        let imported = meshwright(folder.path(), &["import", "config.yaml", "--from", "bent", "--to", syntax]);
        assert_eq!(code(&imported), 0, "{}", text(&imported.stderr));
        std::fs::write(folder.path().join(file), imported.stdout).expect("it is written");
    }
    for arguments in [
        ["compile", "config.yaml", "--from", "bent", "-o", "direct"].as_slice(),
        &["compile", "mesh.kdl", "-o", "kdl"],
        &["compile", "mesh.yaml", "-o", "yaml"],
    ] {
        let output = meshwright(folder.path(), arguments);
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    }
    // What each was made from differs.
    let [direct, kdl, yaml] = ["direct", "kdl", "yaml"].map(|name| {
        let mut files = files(&folder.path().join(name));
        assert!(files.remove(Path::new("meshwright.lock")).is_some());
        files
    });
    assert!(direct == kdl && direct == yaml);
}

#[test]
fn no_password_hash_reaches_a_diagnostic() {
    let folder = tempfile::tempdir().expect("a folder");
    let mesh = "mesh \"m\" {\n    gateway \"front\" listen=8080 {\n        calls \"*\"\n        basic-auth htpasswd-file=\"users.htpasswd\"\n    }\n}\n";
    std::fs::write(folder.path().join("mesh.kdl"), mesh).expect("it is written");
    let users = "ada:canary-plain\n\nbob:$apr1$canary$canarycanarycanary\nada:{SHA}canary\n:{SHA}zEOp7H70348xUgAhwoeLWFeqmUQ=\ncanary\n";
    std::fs::write(folder.path().join("users.htpasswd"), users).expect("it is written");
    for format in ["text", "json", "sarif", "junit", "github"] {
        let output = meshwright(folder.path(), &["check", "mesh.kdl", "--format", format]);
        assert_eq!(code(&output), 1);
        let findings = text(&output.stdout) + &text(&output.stderr);
        assert!(!findings.contains("canary"), "{findings}");
        assert!(findings.contains("users.htpasswd"), "{findings}");
    }
}
