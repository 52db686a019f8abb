//! Task definitions by the command, and what AWS's own tools say of them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use expect_test::expect;

use super::cli::{code, meshwright, project, text};

const CASES: [(&str, &str); 7] = [
    ("app-mesh", "ledger"),
    ("bridge", "orders"),
    ("described", "catalog"),
    ("fargate", "orders"),
    ("gateway", "front"),
    ("host", "orders"),
    ("transparent", "ledger"),
];
const MESH: &str = "compiler/tests/task_definitions/mesh.kdl";
const IMAGE: [&str; 4] = ["--image", "registry.example/meshwright:1", "--xds", "mesh.internal:15010"];

fn case(name: &str, file: &str) -> String {
    format!("compiler/tests/task_definitions/{name}/{file}")
}

fn run(action: &str, path: &str, node: &str, more: &[&str]) -> Output {
    let arguments = [&["task-definition", action, path, "--mesh", MESH, "--node", node], more].concat();
    meshwright(&project(), &arguments)
}

/// Answers of moto, a line a task definition.
fn registered(files: &[&Path]) -> String {
    let python = fake::python::find().unwrap_or_else(|error| panic!("{error}"));
    let script = project().join("runtime/cli/tests/it/task_definition/register.py");
    let output = Command::new(python).arg(script).args(files).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn aws_takes_every_task_definition_and_describes_one_that_stays_the_same() {
    let out = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (name, node) in CASES {
        let file = out.path().join(format!("{name}.json"));
        let more = [&IMAGE[..], &["-o", file.to_str().unwrap()]].concat();
        let output = run("patch", &case(name, "in.json"), node, &more);
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        files.push(file);
    }
    expect![[r#"
        ledger:1 app envoy xray 0
        orders:1 app meshwright 0
        catalog:1 app meshwright 1
        orders:2 app meshwright 0
        front:1 meshwright 0
        orders:3 app meshwright 0
        ledger:2 migrate app logs meshwright 1
    "#]]
    .assert_eq(&registered(&files.iter().map(AsRef::as_ref).collect::<Vec<_>>()));
    // What AWS describes of it has the sidecar already: nothing is left to do but to leave out what AWS does not take.
    let mut again = Vec::new();
    for ((name, node), file) in CASES.iter().zip(&files) {
        let described = format!("{}.described", file.display());
        let checked = run("check", &described, node, &[]);
        assert_eq!(code(&checked), 0, "{name}: {}", text(&checked.stderr));
        let target = out.path().join(format!("{name}-2.json"));
        let output = run("patch", &described, node, &["-o", target.to_str().unwrap()]);
        assert_eq!(code(&output), 0, "{name}: {}", text(&output.stderr));
        let containers = |path: &Path| {
            let value: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            value["containerDefinitions"].as_array().unwrap().len()
        };
        assert_eq!(containers(&target), containers(file), "{name}");
        again.push(target);
    }
    registered(&again.iter().map(AsRef::as_ref).collect::<Vec<_>>());
}

#[test]
fn standard_input_becomes_standard_output() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_meshwright"))
        .args(["task-definition", "patch", "-", "--mesh", MESH, "--node", "Front"])
        .args(IMAGE)
        .current_dir(project())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = std::fs::read(project().join(case("gateway", "in.json"))).unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    let golden = std::fs::read_to_string(project().join(case("gateway", "out.json"))).unwrap();
    assert_eq!((code(&output), text(&output.stdout)), (0, golden));
}

#[test]
fn what_is_wrong_has_a_place_and_shows_no_line() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("td.json");
    let golden = std::fs::read_to_string(project().join(case("fargate", "out.json"))).unwrap();
    std::fs::write(&file, golden.replace("\"NO_PROXY\"", "\"DB_PASSWORD\"").replace("10.0.0.0/8", "lovelace")).unwrap();
    let path = file.to_str().unwrap();
    let output = run("check", path, "orders", &[]);
    assert_eq!((code(&output), text(&output.stdout)), (1, String::new()));
    let said = text(&output.stderr).replace(path, "td.json");
    assert!(!said.contains("lovelace"), "{said}");
    expect![[r#"
        error[secret-in-environment]: variable `DB_PASSWORD` of container `app` holds what its name calls a secret
        --> td.json:23:20
         = help: put it into Secrets Manager or Parameter Store, and name it in `secrets` (log options: `secretOptions`)
         = help: and replace it: earlier revisions keep showing it

        1 error
    "#]]
    .assert_eq(&said);
    let output = run("check", path, "orders", &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json.to_string().contains("secret-in-environment") && !json.to_string().contains("lovelace"));
    let allowed = run("check", path, "orders", &["--allow", "secret-in-environment"]);
    assert_eq!(code(&allowed), 0, "{}", text(&allowed.stderr));
}

#[test]
fn what_cannot_be_done_says_why() {
    let said = |output: &Output| (code(output), text(&output.stderr));
    let unknown = run("check", &case("fargate", "in.json"), "nobody", &[]);
    assert_eq!(code(&unknown), 64, "{}", text(&unknown.stderr));
    let absent = run("check", "absent.json", "orders", &[]);
    assert_eq!(code(&absent), 74, "{}", text(&absent.stderr));
    let without = run("patch", &case("fargate", "in.json"), "orders", &[]);
    assert_eq!((code(&without), text(&without.stdout)), (1, String::new()), "{:?}", said(&without));
}
