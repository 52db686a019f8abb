//! Every example is right, and real Envoy accepts what it compiles to without a word about deprecation.

use std::path::Path;

use super::cli::{meshwright, project};

/// What Envoy says of every module by URL.
const MODULES_ARE_FETCHED: &str = "Wasm remote code fetch is unstable and may cause a crash";

async fn accepted_by_envoy(arguments: &[&str]) {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let output = meshwright(&project(), &[&["compile"], arguments, &["-o", folder]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let envoy = local::find(None).unwrap_or_else(|error| panic!("{error}"));
    let mut validated = 0;
    for entry in std::fs::read_dir(out.path()).unwrap() {
        let config = entry.unwrap().path().join("envoy.yaml");
        if config.exists() {
            let report = envoy.validate(&config, out.path()).await.unwrap();
            assert!(report.accepted, "{}: {:?}", config.display(), report.problems);
            let warnings: Vec<&String> = report.warnings.iter().filter(|it| *it != MODULES_ARE_FETCHED).collect();
            assert_eq!(warnings, [] as [&String; 0], "{}", config.display());
            validated += 1;
        }
    }
    assert!(validated > 0);
}

#[tokio::test]
async fn hello_in_kdl() {
    accepted_by_envoy(&["examples/hello/mesh.kdl"]).await;
}

#[tokio::test]
async fn hello_in_yaml() {
    accepted_by_envoy(&["examples/hello/mesh.yaml"]).await;
}

#[tokio::test]
async fn bent_playground() {
    accepted_by_envoy(&["examples/bent-playground/config.yaml", "--from", "bent"]).await;
}

#[tokio::test]
async fn every_golden_of_the_compiler() {
    let golden = project().join("compiler/tests/golden");
    for case in std::fs::read_dir(golden).unwrap() {
        let mesh = case.unwrap().path().join("mesh.kdl");
        accepted_by_envoy(&[mesh.to_str().unwrap()]).await;
    }
}

#[test]
fn hello_says_the_same_in_both_syntaxes() {
    let compiled = |path: &str| {
        let out = tempfile::tempdir().unwrap();
        let output = meshwright(&project(), &["compile", path, "-o", out.path().to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |name: &str| std::fs::read_to_string(Path::new(out.path()).join(name).join("envoy.yaml")).unwrap();
        ["front", "hello-1", "hello-2", "hello-canary", "web"].map(read)
    };
    assert_eq!(compiled("examples/hello/mesh.kdl"), compiled("examples/hello/mesh.yaml"));
}

#[test]
fn the_shop_has_no_finding_but_what_is_not_compiled_yet() {
    let arguments = ["check", "examples/shop", "--deny", "warnings", "--allow", "not-compiled"];
    let output = meshwright(&project(), &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "mesh shop: 4 services, 5 nodes, 1 gateway\n");
}

#[test]
fn every_example_is_laid_out_as_usual() {
    let output = meshwright(&project(), &["fmt", "--check", "examples"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}
