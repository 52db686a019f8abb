//! Every example is right, and real Envoy accepts what it compiles to without a word about deprecation.

use std::path::Path;

use super::cli::{meshwright, project, text};

/// Envoy reads what `compile` makes of it, every proxy, with certificates made for the occasion.
fn accepted_by_envoy(arguments: &[&str]) {
    let envoy = local::find(None).unwrap_or_else(|error| panic!("{error}"));
    let envoy = envoy.path().to_str().unwrap();
    let output = meshwright(&project(), &[&["compile"], arguments, &["--envoy", envoy]].concat());
    let said = text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}:\n{said}");
    assert!(!said.contains("of the configuration of"), "{arguments:?}:\n{said}");
    let tally = said.lines().find_map(|line| line.split_once(" configurations accepted")).unwrap().0;
    let (accepted, all) = tally.split_once(" of ").unwrap();
    assert!(accepted == all && all != "0", "{arguments:?}: {tally}");
}

#[test]
fn hello_in_kdl() {
    accepted_by_envoy(&["examples/hello/mesh.kdl"]);
}

#[test]
fn hello_in_yaml() {
    accepted_by_envoy(&["examples/hello/mesh.yaml"]);
}

#[test]
fn bent_playground() {
    accepted_by_envoy(&["examples/bent-playground/config.yaml", "--from", "bent"]);
}

#[test]
fn the_shop() {
    accepted_by_envoy(&["examples/shop/mesh.kdl"]);
    let out = tempfile::tempdir().unwrap();
    accepted_by_envoy(&["examples/shop/mesh.kdl", "--emit", "files", "-o", out.path().to_str().unwrap()]);
}

#[test]
fn the_shop_in_the_words_of_its_readme() {
    let readme = std::fs::read_to_string(project().join("examples/shop/README.md")).unwrap();
    let commands: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("$ meshwright ")).collect();
    assert!(commands.iter().any(|command| command.starts_with("compile ")), "{commands:?}");
    for command in commands {
        let out = tempfile::tempdir().unwrap();
        let path = out.path().to_str().unwrap();
        let words: Vec<&str> = command.split(' ').map(|word| if word == "out" { path } else { word }).collect();
        let output = meshwright(&project(), &words);
        assert!(output.status.success(), "{command}:\n{}", text(&output.stderr));
    }
}

/// Runs every `$ meshwright …` of the `console` blocks of an example's README, and compares what it says. `out` is a folder
/// for the occasion; what is said to people comes after what is said to programs.
fn as_its_readme_says(example: &str) {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().to_str().unwrap();
    let said = |command: &str| {
        let word = |word: &str| match word.strip_prefix("out") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{path}{rest}"),
            _ => word.to_owned(),
        };
        let words: Vec<String> = command.split(' ').map(word).collect();
        let output = meshwright(&project(), &words.iter().map(String::as_str).collect::<Vec<_>>());
        let both = format!("{}{}", text(&output.stdout), text(&output.stderr));
        both.replace(path, "out")
    };
    let readme = project().join("examples").join(example).join("README.md");
    let (mut shown, mut is_console, mut is_output) = (String::new(), false, false);
    for line in std::fs::read_to_string(&readme).unwrap().lines() {
        is_output &= !line.starts_with("```") && !line.starts_with("$ ");
        if line.starts_with("```") {
            is_console = line == "```console";
        }
        if is_output {
            continue;
        }
        shown.push_str(line);
        shown.push('\n');
        if let Some(command) = line.strip_prefix("$ meshwright ").filter(|_| is_console) {
            shown.push_str(&said(command));
            is_output = true;
        }
    }
    expect_test::expect_file![readme].assert_eq(&shown);
}

#[test]
fn tasks_on_fargate_in_the_words_of_their_readme() {
    as_its_readme_says("ecs-fargate");
    let [mesh, observed] = ["mesh.kdl", "observed.json"].map(|file| format!("examples/ecs-fargate/{file}"));
    accepted_by_envoy(&[&mesh, "--observed", &observed]);
}

#[test]
fn tasks_behind_a_bridge_in_the_words_of_their_readme() {
    as_its_readme_says("ecs-ec2-bridge");
    let [mesh, observed] = ["mesh.kdl", "observed.json"].map(|file| format!("examples/ecs-ec2-bridge/{file}"));
    accepted_by_envoy(&[&mesh, "--observed", &observed]);
}

#[test]
fn every_golden_of_the_compiler() {
    let golden = project().join("compiler/tests/golden");
    for case in std::fs::read_dir(golden).unwrap() {
        let folder = case.unwrap().path();
        let [mesh, observed] = ["mesh.kdl", "observed.json"].map(|file| folder.join(file));
        let mesh = mesh.to_str().unwrap();
        match observed.exists() {
            true => accepted_by_envoy(&[mesh, "--observed", observed.to_str().unwrap()]),
            false => accepted_by_envoy(&[mesh]),
        }
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
