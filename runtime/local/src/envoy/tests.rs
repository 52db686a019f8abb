use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use expect_test::{Expect, expect};

use super::*;

/// A file with this content that may be run.
fn program(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
    fs::write(path, content).expect("a writable file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

const PYTHON: &str = "#!/somewhere/venv/bin/python3\nimport envoy\n";
const LONG_PYTHON: &str = "#!/bin/sh\n'''exec' /a/long/way/to/python3 \"$0\" \"$@\"\n' '''\n";

#[test]
fn the_binary_is_preferred_to_the_script_that_starts_it() {
    for script in [PYTHON, LONG_PYTHON] {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a path");
        program(&root.join("bin/envoy"), script);
        let binary = root.join("lib/python3.11/site-packages/envoy/_bin/envoy");
        program(&binary, "\x7fELF");
        let found = search(root.join("bin").as_os_str(), &[]).expect("an Envoy");
        assert_eq!(found.path(), binary);
        assert_eq!(named(&root.join("bin/envoy"), "as given").expect("an Envoy").path(), binary);
    }
}

#[test]
fn a_script_without_its_binary_is_no_envoy() {
    let folder = tempfile::tempdir().expect("a folder");
    program(&folder.path().join("bin/envoy"), PYTHON);
    assert_eq!(search(folder.path().join("bin").as_os_str(), &[]), None);
    let error = named(&folder.path().join("bin/envoy"), "as given").expect_err("only a script");
    assert!(error.to_string().contains("Python script"), "{error}");
}

#[test]
fn a_virtual_environment_above_the_current_folder_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("a path");
    let binary = root.join("target/venv/lib/python3.12/site-packages/envoy/_bin/envoy");
    program(&binary, "\x7fELF");
    let below = root.join("examples/shop");
    let found = search(OsStr::new(""), &[&below]).expect("an Envoy");
    assert_eq!(found.path(), binary);
}

#[test]
fn a_name_that_the_user_gave_is_not_replaced_by_another() {
    let error = find(Some(Path::new("no/such/envoy"))).expect_err("there is none");
    assert_eq!(error.to_string(), "`no/such/envoy` (as given) is not an Envoy binary: there is no such file");
}

#[test]
fn versions_are_read_from_release_and_development_builds() {
    let version = |text| Version::parse(text).map(|version| (version.to_string(), version.is_supported()));
    let release = "/a/path/envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL";
    assert_eq!(version(release), Some(("1.40.0".to_owned(), true)));
    assert_eq!(version("envoy  version: 9e55/1.39.2-dev/Modified/DEBUG/BoringSSL"), Some(("1.39.2".to_owned(), false)));
    assert_eq!(version("GNU envoy 3"), None);
}

#[test]
fn a_log_becomes_problems_and_warnings() {
    let log = "\
[2026-01-01 00:00:00.000][7][warning][misc] [source/common/protobuf/message.cc:21] Deprecated field: `a`
[2026-01-01 00:00:00.000][7][info][main] [source/server/server.cc:1] fine
[2026-01-01 00:00:00.000][7][critical][main] [source/server/config_validation/server.cc:72] error initializing: x
  of the second line
";
    check(
        false,
        log,
        expect![[r#"
        ValidateReport {
            accepted: false,
            problems: [
                "error initializing: x\n  of the second line",
            ],
            warnings: [
                "Deprecated field: `a`",
            ],
        }
    "#]],
    );
}

#[track_caller]
fn check(accepted: bool, log: &str, expected: Expect) {
    expected.assert_debug_eq(&report(accepted, log));
}
