//! Many meshes at once, files laid out, syntaxes exchanged: what people do with folders of mesh files.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::cli::{code, meshwright, project, text};
use crate::formats::sarif_validator;

/// The wrong mesh that a page of the manual shows, and the files it names; `None` for other systems' files.
fn example(page: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let section = page.split("\n## Example\n").nth(1)?.split("\n## ").next()?;
    let mut files = Vec::new();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        let Some(word) = line.strip_prefix("```") else { continue };
        let inside: String = lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
        let name = match word.split_once(' ') {
            Some((_, name)) => name.to_owned(),
            None if word == "htpasswd" => "users.htpasswd".to_owned(),
            None if word == "kdl" || word == "yaml" => format!("mesh.{word}"),
            None => return None,
        };
        files.push((name, inside.into_bytes()));
    }
    Some(files)
}

#[test]
fn in_a_folder_of_wrong_meshes_every_mistake_is_found_under_its_own_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for page in std::fs::read_dir(project().join("spec/reference/diagnostics")).unwrap() {
        let path = page.unwrap().path();
        let slug = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some(files) = example(&std::fs::read_to_string(&path).unwrap()) else { continue };
        let own = folder.path().join(&slug);
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("clients.keys"), "partner:4f1c9a7e6b2d8035\n").unwrap();
        for (name, bytes) in files {
            std::fs::write(own.join(name), bytes).unwrap();
        }
        wrong.push(slug);
    }
    assert!(wrong.len() >= 50, "{}", wrong.len());
    let output = meshwright(folder.path(), &["check", "--format", "sarif", "."]);
    assert_eq!((code(&output), text(&output.stderr)), (1, String::new()));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(sarif_validator().is_valid(&log));
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        let mesh = uri.trim_start_matches("./").split('/').next().unwrap().to_owned();
        found.entry(mesh).or_default().push(result["ruleId"].as_str().unwrap().to_owned());
    }
    let none = Vec::new();
    let missed: Vec<&String> = wrong.iter().filter(|slug| !found.get(*slug).unwrap_or(&none).contains(slug)).collect();
    assert_eq!(missed, Vec::<&String>::new());
}

#[test]
fn a_folder_is_its_meshes_and_not_what_they_include() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir_all(folder.path().join("b/.hidden")).unwrap();
    write("b/mesh.yaml", "mesh: b\ninclude: part.yaml\n");
    write("b/part.yaml", "service: {b.svc: {endpoint: \"10.0.0.1:80\"}}\n");
    write("b/.hidden/mesh.yaml", "mesh: 7\n");
    write("a.kdl", "mesh \"a\"\n");
    write("docker-compose.yaml", "services: {}\n");
    let output = meshwright(folder.path(), &["check", "."]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let expected = "mesh a: 0 services, 0 nodes, 0 gateways\nmesh b: 1 service, 0 nodes, 0 gateways\n";
    assert_eq!(text(&output.stdout), expected);
}

#[test]
fn a_folder_without_a_mesh_is_not_a_mesh_without_mistakes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    for arguments in [&["check", "empty"][..], &["check", "empty", "--format", "json"], &["fmt", "--check", "empty"]] {
        let output = meshwright(folder.path(), arguments);
        assert_eq!(code(&output), 74, "{arguments:?}");
        assert_eq!(text(&output.stderr), "error: there is no mesh file in empty\n", "{arguments:?}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
    }
}

#[test]
fn fmt_lays_out_in_place_and_check_only_tells() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mesh.kdl");
    std::fs::write(&path, "mesh   \"m\" {\n  service \"a.svc\"   // ours\n}").unwrap();
    let output = meshwright(folder.path(), &["fmt", "--check", "mesh.kdl"]);
    assert_eq!((code(&output), text(&output.stdout)), (1, "would change  mesh.kdl\n".to_owned()));
    let output = meshwright(folder.path(), &["fmt", "."]);
    assert_eq!((code(&output), text(&output.stdout)), (0, "laid out  ./mesh.kdl\n".to_owned()));
    let formatted = std::fs::read_to_string(&path).unwrap();
    assert_eq!(formatted, "mesh \"m\" {\n    service \"a.svc\" // ours\n}\n");
    let output = meshwright(folder.path(), &["fmt", "--check", "mesh.kdl"]);
    assert_eq!((code(&output), text(&output.stdout)), (0, String::new()));
}

#[test]
fn fmt_leaves_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mesh.kdl"), "mesh \"m\" {").unwrap();
    let output = meshwright(folder.path(), &["fmt", "mesh.kdl"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("error[syntax]"), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_to_string(folder.path().join("mesh.kdl")).unwrap(), "mesh \"m\" {");
}

#[test]
fn convert_keeps_variables_and_counts_lost_comments() {
    let folder = tempfile::tempdir().unwrap();
    let mesh = "mesh \"m\" {\n    variables { share 5 }\n    service \"a\" {\n        // why\n        endpoint \"10.0.0.1:80\" weight=\"${share}\"\n    }\n}\n";
    std::fs::write(folder.path().join("mesh.kdl"), mesh).unwrap();
    let output = meshwright(folder.path(), &["convert", "mesh.kdl", "--to", "yaml"]);
    assert_eq!(code(&output), 0);
    let expected = "mesh: m\nvariables:\n  share: \"5\"\nservice:\n  a:\n    endpoint:\n      - address: \"10.0.0.1:80\"\n        weight: \"${share}\"\n";
    assert_eq!(text(&output.stdout), expected);
    assert!(text(&output.stderr).contains("a comment is not carried over"), "{}", text(&output.stderr));
}

#[test]
fn variables_of_the_command_line_hold() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mesh.yaml"), "mesh: ${name}\n").unwrap();
    let output = meshwright(folder.path(), &["check", "mesh.yaml", "--var", "name=shop"]);
    assert_eq!(text(&output.stdout), "mesh shop: 0 services, 0 nodes, 0 gateways\n", "{}", text(&output.stderr));
    let output = meshwright(folder.path(), &["check", "mesh.yaml", "--var", "name"]);
    assert_eq!(code(&output), 64);
}

#[test]
fn schemas_are_those_of_the_manual() {
    let output = meshwright(Path::new("."), &["schema"]);
    let committed = std::fs::read_to_string(project().join("spec/reference/mesh.schema.json")).unwrap();
    assert!(text(&output.stdout) == committed, "the schema of the manual is another one");
    let output = meshwright(Path::new("."), &["schema", "annotations"]);
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(
        validator
            .is_valid(&serde_json::json!({"retry.attempts": "3", "route.1.path-prefix": "/a", "fault.inject": ""}))
    );
    assert!(!validator.is_valid(&serde_json::json!({"retry.atempts": "3"})));
}

#[test]
fn links_that_lead_out_of_the_folder_and_pipes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("mesh"), folder.path().join("secret.kdl"));
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(&outside, "service \"stolen\"\n").unwrap();
    std::os::unix::fs::symlink(&outside, inside.join("link.kdl")).unwrap();
    let pipe = inside.join("pipe.kdl");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    std::fs::write(inside.join("mesh.kdl"), "mesh \"m\" {\n    include \"link.kdl\" \"pipe.kdl\"\n}\n").unwrap();
    let output = meshwright(folder.path(), &["check", "mesh/mesh.kdl"]);
    let said = text(&output.stderr);
    assert_eq!(code(&output), 1);
    assert!(said.contains("it leads out of the folder of the mesh"), "{said}");
    assert!(said.contains("not a regular file"), "{said}");
    assert_eq!(code(&meshwright(folder.path(), &["check", "mesh/pipe.kdl"])), 74);
}
