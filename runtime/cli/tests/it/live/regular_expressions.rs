//! What the check lets pass as a regular expression, Envoy's RE2 loads.

use super::super::cli::meshwright;

/// One route and one header match for every pattern of the compiler's table.
#[tokio::test]
async fn envoy_loads_every_pattern_that_the_check_takes() {
    let patterns = include_str!("../../../../../compiler/tests/regex_taken.txt").lines();
    let routes: String = patterns
        .map(|pattern| {
            format!("route path-regex=##\"{pattern}\"## {{ header \"x-a\" regex=##\"{pattern}\"##; to \"a.svc\"; }}\n")
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let mesh = format!(
        "mesh \"m\" {{\nservice \"a.svc\" {{\nendpoint \"10.0.0.1:80\"\n{routes}}}\nnode \"n\" calls=\"a.svc\"\n}}\n"
    );
    std::fs::write(folder.path().join("mesh.kdl"), mesh).unwrap();
    let output = meshwright(folder.path(), &["compile", "mesh.kdl", "-o", "out"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let envoy = local::find(None).unwrap_or_else(|error| panic!("{error}"));
    let out = folder.path().join("out");
    let report = envoy.validate(&out.join("n/envoy.yaml"), &out).await.unwrap();
    assert!(report.accepted, "{:?}", report.problems);
}
