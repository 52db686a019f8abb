//! Wrong input: each gets a diagnostic with file, line and column, exit code 1, and no panic.

use super::cli::meshwright;

/// What is wrong, the file's name, its text.
const CASES: &[(&str, &str, &str)] = &[
    ("empty file", "mesh.kdl", ""),
    ("empty yaml", "mesh.yaml", ""),
    ("no mesh", "mesh.kdl", "service \"a\"\n"),
    ("two meshes", "mesh.kdl", "mesh \"a\"\nmesh \"b\"\n"),
    ("mesh without a name", "mesh.kdl", "mesh {\n}\n"),
    ("unclosed block", "mesh.kdl", "mesh \"m\" {\n  node \"a\"\n"),
    ("unclosed string", "mesh.kdl", "mesh \"m\" {\n  node \"a\n}\n"),
    ("317 open blocks", "mesh.kdl", "OPEN317"),
    ("tabs in yaml", "mesh.yaml", "mesh: m\nservice:\n\ta:\n"),
    ("yaml list for a mesh", "mesh.yaml", "- mesh\n"),
    ("duplicate yaml key", "mesh.yaml", "mesh: m\nmesh: n\n"),
    ("alias of nothing", "mesh.yaml", "mesh: *name\n"),
    ("unknown field", "mesh.kdl", "mesh \"m\" {\n  servce \"a\"\n}\n"),
    ("unknown property", "mesh.kdl", "mesh \"m\" {\n  node \"a\" cals=\"b\"\n}\n"),
    ("node without a name", "mesh.kdl", "mesh \"m\" {\n  node\n}\n"),
    ("bad service name", "mesh.kdl", "mesh \"m\" {\n  service \"no spaces\"\n}\n"),
    ("address without a port", "mesh.kdl", "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1\" }\n}\n"),
    ("port out of range", "mesh.kdl", "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:70000\" }\n}\n"),
    ("metadata address", "mesh.kdl", "mesh \"m\" {\n  service \"a\" { endpoint \"169.254.170.2:80\" }\n}\n"),
    ("administration as endpoint", "mesh.kdl", "mesh \"m\" {\n  service \"a\" { endpoint \"127.0.0.1:9901\" }\n}\n"),
    ("weight of nothing", "mesh.kdl", "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\" weight=0 }\n}\n"),
    (
        "text for a number",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\" weight=\"lots\" }\n}\n",
    ),
    ("duration without unit", "mesh.kdl", "mesh \"m\" {\n  defaults { timeout 15 }\n}\n"),
    ("negative duration", "mesh.yaml", "mesh: m\ndefaults: {timeout: -5s}\n"),
    (
        "percent above 100",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; fault { abort 503 percent=101 } }\n}\n",
    ),
    (
        "status below 200",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; fault { abort 99 percent=1 } }\n}\n",
    ),
    ("fault without anything", "mesh.kdl", "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; fault }\n}\n"),
    (
        "route without target",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; route path-prefix=\"/x\" }\n}\n",
    ),
    (
        "relative path",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; route path-prefix=\"x\" { to \"a\" } }\n}\n",
    ),
    (
        "unknown target",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; route { to \"b\" } }\n}\n",
    ),
    (
        "weights all zero",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; route { to \"a\" weight=0 } }\n}\n",
    ),
    (
        "unreachable route",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; route { to \"a\" }; route path=\"/x\" { to \"a\" } }\n}\n",
    ),
    (
        "unknown retry condition",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; retry attempts=1 on=\"5xxx\" }\n}\n",
    ),
    (
        "try longer than request",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; timeout \"1s\"; retry attempts=1 per-try-timeout=\"2s\" }\n}\n",
    ),
    (
        "two services of a name",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\" }\n  service \"A\" { endpoint \"10.0.0.1:80\" }\n}\n",
    ),
    (
        "node and gateway of a name",
        "mesh.kdl",
        "mesh \"m\" {\n  node \"a\"\n  gateway \"a\" listen=80 { calls \"*\" }\n}\n",
    ),
    ("call of nobody", "mesh.kdl", "mesh \"m\" {\n  node \"a\" calls=\"b\"\n}\n"),
    ("call of a service that runs nowhere", "mesh.kdl", "mesh \"m\" {\n  service \"b\"\n  node \"a\" calls=\"b\"\n}\n"),
    (
        "whose endpoint",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"b\" { endpoint \"10.0.0.1:80\" }\n  node \"x\" serves=\"b\"\n  node \"y\" serves=\"b\"\n}\n",
    ),
    (
        "endpoint of a stranger",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"b\" { endpoint \"10.0.0.1:80\" node=\"x\" }\n  node \"x\"\n}\n",
    ),
    ("gateway on Envoy's port", "mesh.kdl", "mesh \"m\" {\n  gateway \"g\" listen=9901 { calls \"*\" }\n}\n"),
    (
        "host twice",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\" }\n  gateway \"g\" listen=80 { host \"x.y\" { to \"a\" }; host \"X.y\" { to \"a\" } }\n}\n",
    ),
    (
        "host with a path",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\" }\n  gateway \"g\" listen=80 { host \"http://x/\" { to \"a\" } }\n}\n",
    ),
    (
        "credentials that are not there",
        "mesh.kdl",
        "mesh \"m\" {\n  gateway \"g\" listen=80 { calls \"*\"; basic-auth htpasswd-file=\"nowhere\" }\n}\n",
    ),
    (
        "credentials outside the folder",
        "mesh.kdl",
        "mesh \"m\" {\n  gateway \"g\" listen=80 { calls \"*\"; basic-auth htpasswd-file=\"../../etc/passwd\" }\n}\n",
    ),
    (
        "the mesh's own header",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; route { header \"x-meshwright-route\" exact=\"a\"; to \"a\" } }\n}\n",
    ),
    (
        "two nodes at one address",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\" node=\"x\" }\n  service \"b\" { endpoint \"10.0.0.1:81\" node=\"y\" }\n  node \"x\" serves=\"a\"\n  node \"y\" serves=\"b\"\n}\n",
    ),
    (
        "a sidecar on loopback",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"127.0.0.1:80\" }\n  node \"x\" serves=\"a\"\n}\n",
    ),
    (
        "a name that Envoy needs",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\" }\n  service \"local_a\" { endpoint \"10.0.0.2:80\" }\n}\n",
    ),
    (
        "a user's name in Host",
        "mesh.kdl",
        "mesh \"m\" {\n  gateway \"g\" listen=80 { calls \"*\"; basic-auth htpasswd-file=\"u\" forward-user-header=\"host\" }\n}\n",
    ),
    (
        "a share of a target that has only routes",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\" }\n  service \"v\" { route { to \"a\" } }\n  gateway \"g\" listen=80 { host \"x.y\" { to \"v\"; to \"a\" } }\n}\n",
    ),
    ("names that are one path", "mesh.kdl", "mesh \"m\" {\n  node \"a\"\n  node \"a/envoy.yaml\"\n}\n"),
    (
        "unknown annotation",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; annotations { \"healthcheck.pth\" \"/\" } }\n}\n",
    ),
    (
        "annotation out of range",
        "mesh.kdl",
        "mesh \"m\" {\n  service \"a\" { endpoint \"10.0.0.1:80\"; annotations { \"endpoint.weight\" \"129\" } }\n}\n",
    ),
];

#[test]
fn every_malformed_mesh_is_explained() {
    for (what, file, text) in CASES {
        let text = if *text == "OPEN317" { "a {".repeat(317) } else { (*text).to_owned() };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(file), text).unwrap();
        let output = meshwright(folder.path(), &["check", file]);
        let findings = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{what}:\n{findings}");
        assert!(!findings.contains("panicked"), "{what}:\n{findings}");
        assert!(findings.contains("error["), "{what}:\n{findings}");
        assert!(has_place(&findings, file), "{what}: no {file}:LINE:COLUMN:\n{findings}");
    }
}

#[test]
fn bytes_that_are_not_text_are_explained() {
    for file in ["mesh.kdl", "mesh.yaml"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(file), b"mesh \"\xff\xfe\"\n").unwrap();
        let output = meshwright(folder.path(), &["check", file]);
        let findings = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{findings}");
        assert!(has_place(&findings, file), "{findings}");
    }
}

/// `FILE:LINE:COLUMN`.
fn has_place(findings: &str, file: &str) -> bool {
    findings.match_indices(&format!("{file}:")).any(|(at, found)| {
        let mut numbers = findings[at + found.len()..].splitn(3, |character: char| !character.is_ascii_digit());
        numbers.next().is_some_and(|line| !line.is_empty()) && numbers.next().is_some_and(|column| !column.is_empty())
    })
}
