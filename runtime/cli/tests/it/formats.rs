//! Findings for machines: each format is what its readers expect.

use std::collections::BTreeSet;
use std::process::Command;

use expect_test::{Expect, expect};
use serde_json::Value;

use super::cli::{code, meshwright, text};

/// An error with a related place and help, a warning, a warning that is allowed; letters that are two bytes long.
const MESH: &str = r#"mesh "shop" {
    service "cart.svc" { endpoint "10.0.0.1:80"; /* äöü */ route path="/é" { to "crt.svc" } }
    service "cart.svc" { endpoint "10.0.0.2:80" }
    gateway "front" listen=8080
    gateway "back" listen=8081 // meshwright: allow empty-block: 100 % planned, <soon>
}
"#;

/// What `check` prints on standard output, and its exit code.
#[track_caller]
fn checked(name: &str, mesh: &str, format: &str) -> (String, i32) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(name), mesh).expect("it is written");
    let output = meshwright(folder.path(), &["check", name, "--format", format]);
    assert_eq!(text(&output.stderr), "");
    (text(&output.stdout), code(&output))
}

#[track_caller]
fn check(format: &str, expected: Expect) {
    let (output, code) = checked("mesh.kdl", MESH, format);
    assert_eq!(code, 1);
    expected.assert_eq(&output);
}

#[test]
fn json_has_every_place_and_what_is_allowed() {
    check(
        "json",
        expect![[r#"
        {
          "version": 1,
          "findings": [
            {
              "code": "unknown-service",
              "severity": "error",
              "message": "no service is called `crt.svc`",
              "file": "mesh.kdl",
              "line": 2,
              "column": 81,
              "endLine": 2,
              "endColumn": 90,
              "labels": [
                {
                  "file": "mesh.kdl",
                  "line": 2,
                  "column": 81,
                  "endLine": 2,
                  "endColumn": 90,
                  "text": ""
                }
              ],
              "help": [
                "did you mean `cart.svc`?"
              ]
            },
            {
              "code": "duplicate-name",
              "severity": "error",
              "message": "the name `cart.svc` is taken",
              "file": "mesh.kdl",
              "line": 3,
              "column": 13,
              "endLine": 3,
              "endColumn": 23,
              "labels": [
                {
                  "file": "mesh.kdl",
                  "line": 3,
                  "column": 13,
                  "endLine": 3,
                  "endColumn": 23,
                  "text": "a second service of this name"
                },
                {
                  "file": "mesh.kdl",
                  "line": 2,
                  "column": 13,
                  "endLine": 2,
                  "endColumn": 23,
                  "text": "the first one is here"
                }
              ],
              "help": [
                "give one of them another name; names that differ in case only are the same"
              ]
            },
            {
              "code": "empty-block",
              "severity": "warning",
              "message": "gateway `front` leads nowhere",
              "file": "mesh.kdl",
              "line": 4,
              "column": 13,
              "endLine": 4,
              "endColumn": 20,
              "labels": [
                {
                  "file": "mesh.kdl",
                  "line": 4,
                  "column": 13,
                  "endLine": 4,
                  "endColumn": 20,
                  "text": "every request gets 404"
                }
              ],
              "help": [
                "add `calls \"SERVICE\"`, or `host \"NAME\" { to \"SERVICE\" }`"
              ]
            }
          ],
          "allowed": [
            {
              "reason": "100 % planned, <soon>",
              "code": "empty-block",
              "severity": "warning",
              "message": "gateway `back` leads nowhere",
              "file": "mesh.kdl",
              "line": 5,
              "column": 13,
              "endLine": 5,
              "endColumn": 19,
              "labels": [
                {
                  "file": "mesh.kdl",
                  "line": 5,
                  "column": 13,
                  "endLine": 5,
                  "endColumn": 19,
                  "text": "every request gets 404"
                }
              ],
              "help": [
                "add `calls \"SERVICE\"`, or `host \"NAME\" { to \"SERVICE\" }`"
              ]
            }
          ],
          "counts": {
            "error": 2,
            "warning": 1,
            "note": 0,
            "allowed": 1
          }
        }
    "#]],
    );
}

#[test]
fn github_shows_each_finding_beside_its_line() {
    check(
        "github",
        expect![[r#"
        ::error file=mesh.kdl,line=2,col=81,endLine=2,endColumn=90,title=unknown-service::no service is called `crt.svc`%0Ahelp: did you mean `cart.svc`?
        ::error file=mesh.kdl,line=3,col=13,endLine=3,endColumn=23,title=duplicate-name::the name `cart.svc` is taken: a second service of this name%0Ahelp: give one of them another name; names that differ in case only are the same
        ::warning file=mesh.kdl,line=4,col=13,endLine=4,endColumn=20,title=empty-block::gateway `front` leads nowhere: every request gets 404%0Ahelp: add `calls "SERVICE"`, or `host "NAME" { to "SERVICE" }`
    "#]],
    );
}

#[test]
fn github_commands_are_escaped() {
    let (output, _) = checked("a,b:c%.kdl", "mesh \"m\" {\n  node \"a\" cals=\"50%,:\"\n}\n", "github");
    expect![[r#"
        ::error file=a%2Cb%3Ac%25.kdl,line=2,col=12,endLine=2,endColumn=16,title=unknown-field::a node has no field `cals`%0Ahelp: did you mean `calls`?
    "#]].assert_eq(&output);
}

#[test]
fn junit_has_a_suite_for_each_file_and_a_case_for_each_finding() {
    check(
        "junit",
        expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="meshwright" tests="4" skipped="1" failures="2" errors="0">
            <testsuite name="mesh.kdl" tests="4" skipped="1" errors="0" failures="2">
                <testcase name="unknown-service at 2:81" classname="mesh.kdl">
                    <failure message="no service is called `crt.svc`" type="unknown-service">mesh.kdl:2:81: no service is called `crt.svc`
        help: did you mean `cart.svc`?</failure>
                </testcase>
                <testcase name="duplicate-name at 3:13" classname="mesh.kdl">
                    <failure message="the name `cart.svc` is taken" type="duplicate-name">mesh.kdl:3:13: the name `cart.svc` is taken: a second service of this name
        help: give one of them another name; names that differ in case only are the same</failure>
                </testcase>
                <testcase name="empty-block at 4:13" classname="mesh.kdl">
                    <system-out>warning: mesh.kdl:4:13: gateway `front` leads nowhere: every request gets 404
        help: add `calls &quot;SERVICE&quot;`, or `host &quot;NAME&quot; { to &quot;SERVICE&quot; }`</system-out>
                </testcase>
                <testcase name="empty-block at 5:13" classname="mesh.kdl">
                    <skipped message="allowed: 100 % planned, &lt;soon&gt;"/>
                </testcase>
            </testsuite>
        </testsuites>
    "#]],
    );
    let (output, _) = checked("mesh.kdl", MESH, "junit");
    let document = roxmltree::Document::parse(&output).expect("well-formed XML");
    let named = |name: &'static str| document.descendants().filter(move |node| node.has_tag_name(name));
    let suite = named("testsuite").next().expect("a suite");
    assert_eq!(suite.attribute("name"), Some("mesh.kdl"));
    assert_eq!(suite.attribute("tests"), Some(named("testcase").count().to_string().as_str()));
    assert_eq!(suite.attribute("failures"), Some(named("failure").count().to_string().as_str()));
}

#[test]
fn junit_has_a_case_that_passed_for_a_clean_file() {
    let (output, code) = checked("mesh.kdl", "mesh \"m\"\n", "junit");
    assert_eq!(code, 0);
    let document = roxmltree::Document::parse(&output).expect("well-formed XML");
    let cases: Vec<_> = document.descendants().filter(|node| node.has_tag_name("testcase")).collect();
    assert_eq!(cases.len(), 1);
    assert!(!cases[0].has_children());
    assert_eq!(cases[0].attribute("classname"), Some("mesh.kdl"));
}

#[test]
fn sarif_places_results_and_says_what_is_allowed() {
    let (output, _) = checked("mesh.kdl", MESH, "sarif");
    let log: Value = serde_json::from_str(&output).expect("JSON");
    let run = &log["runs"][0];
    let mut shown = String::new();
    for result in run["results"].as_array().expect("results") {
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().expect("an index") as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        let place = |location: &Value| {
            let (file, region) =
                (&location["physicalLocation"]["artifactLocation"]["uri"], &location["physicalLocation"]["region"]);
            let range =
                ["startLine", "startColumn", "endLine", "endColumn"].map(|key| region[key].to_string()).join(":");
            format!("{}:{range}", file.as_str().expect("a file"))
        };
        shown.push_str(&format!("{} {} {}", result["level"], result["ruleId"], place(&result["locations"][0])));
        for related in result["relatedLocations"].as_array().into_iter().flatten() {
            shown.push_str(&format!(" related {}", place(related)));
        }
        shown.push_str(&format!(" {} {}\n", result["message"]["text"], result["suppressions"]));
    }
    expect![[r#"
        "error" "unknown-service" mesh.kdl:2:81:2:90 "no service is called `crt.svc`\nhelp: did you mean `cart.svc`?" null
        "error" "duplicate-name" mesh.kdl:3:13:3:23 related mesh.kdl:2:13:2:23 "the name `cart.svc` is taken: a second service of this name\nhelp: give one of them another name; names that differ in case only are the same" null
        "warning" "empty-block" mesh.kdl:4:13:4:20 "gateway `front` leads nowhere: every request gets 404\nhelp: add `calls \"SERVICE\"`, or `host \"NAME\" { to \"SERVICE\" }`" null
        "warning" "empty-block" mesh.kdl:5:13:5:19 "gateway `back` leads nowhere: every request gets 404\nhelp: add `calls \"SERVICE\"`, or `host \"NAME\" { to \"SERVICE\" }`" [{"justification":"100 % planned, <soon>","kind":"inSource"}]
    "#]].assert_eq(&shown);
}

#[test]
fn sarif_is_as_its_schema_says() {
    let validator = sarif_validator();
    let syntax = "mesh \"m\" {\n    node \"a\n}\n";
    for (name, mesh) in [("mesh.kdl", MESH), ("a b#ü.kdl", syntax), ("mesh.kdl", "mesh \"m\" {\n    node \"a\"\n}\n")]
    {
        let (output, _) = checked(name, mesh, "sarif");
        let log: Value = serde_json::from_str(&output).expect("JSON");
        let mistakes: Vec<String> = validator.iter_errors(&log).map(|error| error.to_string()).collect();
        assert_eq!(mistakes, [] as [String; 0], "{output}");
        let mut wrong = log.clone();
        wrong["runs"][0]["columnKind"] = "bytes".into();
        assert!(!validator.is_valid(&wrong), "the schema refuses what is wrong");
        serde_json::from_value::<serde_sarif::sarif::Sarif>(log).expect("a SARIF reader reads it");
    }
}

#[test]
fn sarif_names_files_by_uri() {
    let (output, _) = checked("a b#ü.kdl", "mesh \"m\" {\n    node \"a\" cals=\"b\"\n}\n", "sarif");
    let log: Value = serde_json::from_str(&output).expect("JSON");
    let location = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "a%20b%23%C3%BC.kdl");
}

#[test]
fn results_of_compile_stay_on_standard_output() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mesh.kdl"), "mesh \"m\" {\n    node \"a\"\n}\n").expect("it is written");
    for format in ["json", "sarif"] {
        let output = meshwright(folder.path(), &["compile", "mesh.kdl", "-o", "out", "--format", format]);
        assert_eq!(code(&output), 0);
        assert!(text(&output.stdout).contains("envoy.yaml"));
        serde_json::from_slice::<Value>(&output.stderr).expect("one document");
    }
}

#[test]
fn all_formats_agree_on_how_many() {
    let count = |format: &str, pattern: &str| checked("mesh.kdl", MESH, format).0.matches(pattern).count();
    let counts = [
        count("json", "\"labels\""),
        count("sarif", "\"ruleIndex\""),
        count("junit", "<testcase"),
        count("github", "::error ") + count("github", "::warning ") + 1,
    ];
    assert_eq!(BTreeSet::from(counts).len(), 1, "{counts:?}");
}

#[test]
fn a_secret_in_the_text_is_reported_and_never_shown() {
    let mesh = "mesh \"m\" {\n    service \"a.svc\" {\n        endpoint \"10.0.0.1:80\"\n        \
                request-headers { set \"authorization\" value=\"Bearer canary-token-1234567890\" frmat=1 }\n    }\n    \
                node \"n\" calls=\"a.svc\"\n}\n";
    for (mesh, code) in [(mesh.to_owned(), "unknown-field"), (mesh.replace(" frmat=1", ""), "secret-in-text")] {
        for format in ["text", "json", "sarif", "junit", "github"] {
            let folder = tempfile::tempdir().expect("a folder");
            std::fs::write(folder.path().join("mesh.kdl"), &mesh).expect("it is written");
            let output = meshwright(folder.path(), &["check", "mesh.kdl", "--format", format]);
            let said = text(&output.stdout) + &text(&output.stderr);
            assert!(said.contains(code), "{format}: {said}");
            if code == "secret-in-text" {
                assert!(!said.contains("canary"), "{format}: {said}");
            }
        }
    }
}

/// Refuses what is not SARIF 2.1.0.
pub(crate) fn sarif_validator() -> jsonschema::Validator {
    let mut schema: Value = serde_json::from_str(&sarif_schema()).expect("a schema");
    // These have a bracket too many. We say nothing of languages.
    for of in ["run", "toolComponent"] {
        schema["definitions"][of]["properties"]["language"]["pattern"] = ".*".into();
    }
    jsonschema::draft7::new(&schema).expect("a schema of draft 7")
}

/// OASIS's schema, as the crate that generates its types from it brings it along.
fn sarif_schema() -> String {
    let said = |program: &str, arguments: &[&str]| {
        let folder = env!("CARGO_MANIFEST_DIR");
        let output = Command::new(program).args(arguments).current_dir(folder).output().expect("it starts");
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    // Of this platform alone: the dependencies of others need not be there.
    let version = said("rustc", &["-vV"]);
    let platform = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a platform");
    let arguments = ["metadata", "--format-version=1", "--offline", "--locked", "--filter-platform", platform];
    let metadata: Value = serde_json::from_str(&said(env!("CARGO"), &arguments)).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").expect("it is a dependency");
    let manifest = package["manifest_path"].as_str().expect("a path");
    let path = std::path::Path::new(manifest).with_file_name("src").join("schema.json");
    std::fs::read_to_string(path).expect("the schema is there")
}
