//! What is found in files of passwords and groups and in their rules, and what of them reaches Envoy.

use expect_test::{Expect, expect};
use meshwright_compiler::{CheckedMesh, annotation, check, compile, report};
use spec::{Diagnostics, SourceFile, Sources, Syntax};

use crate::findings::findings;
use crate::golden::module;
use crate::mesh_findings::service;

const SHA: &str = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";
const BCRYPT: &str = "c32SONGzAazNtVUP0ssCE.ArF9O0HZVrgcFAncXKBw/1QONIz4HHO";

/// A mesh of one service on one node, of which this is said, with these files of passwords and groups.
fn run(says: &str, users: &str, groups: &str) -> (Option<CheckedMesh>, String) {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let text =
        format!("mesh \"shop\" {{\n{}\nnode \"a\" serves=\"a.svc\"\nnode \"b\" calls=\"a.svc\"\n}}", service(says));
    let mesh = sources.add(SourceFile::public("mesh.kdl", text));
    sources.add(SourceFile::secret("users".to_owned(), users.to_owned()));
    sources.add(SourceFile::public("groups", groups.to_owned()));
    let mut mesh = spec::parse(mesh, Syntax::Kdl, &sources, &mut found).expect("a mesh");
    annotation::apply(&mut mesh, &mut found);
    let checked = check(&mesh, &sources, &mut found);
    found.sort();
    let shown = findings(&found, &sources);
    let printed = format!("{shown}{checked:?}");
    for secret in ["hunter2", "5en6G6", "ArF9O0"] {
        assert!(!printed.contains(secret), "{shown}");
    }
    (checked, shown)
}

#[track_caller]
fn finds(says: &str, users: &str, groups: &str, expected: Expect) {
    expected.assert_eq(&run(says, users, groups).1);
}

#[test]
fn every_line_that_cannot_be_used_is_named_without_its_secret() {
    let users = format!(
        "# users\r\nada:{SHA}\r\nada:{SHA}\nhunter2\n:{SHA}\nbob:hunter2\ncarol:$7$hunter2\ndave:$6$hunter2\n\
         erin:$2y$15${BCRYPT}\nfrank:$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA\n"
    );
    finds(
        "basic-auth htpasswd-file=\"users\"",
        &users,
        "",
        expect![[r#"
        error[htpasswd]: line 3: user `ada` is already defined on line 2
          3:1
          4:26 the file is named here
          help: delete one of the two lines
        error[htpasswd]: line 4: a user is written `name:hash`, and here is no colon
          4:1
          4:26 the file is named here
          help: write `USER:HASH`, as `htpasswd -B -C 8` does
        error[htpasswd]: line 5: the user's name is empty
          5:1
          4:26 the file is named here
          help: write `USER:HASH`, as `htpasswd -B -C 8` does
        error[htpasswd]: line 6: user `bob`: no hash of a known format
          6:1
          4:26 the file is named here
          help: hash the password anew, as `htpasswd -B -C 8` does
        error[htpasswd]: line 7: user `carol`: scrypt hashes are not supported
          7:1
          4:26 the file is named here
          help: hash the password anew, as `htpasswd -B -C 8` does
        error[htpasswd]: line 8: user `dave`: the hash is damaged: it is too short or too long, or has characters or parameters that it cannot have
          8:1
          4:26 the file is named here
          help: hash the password anew, as `htpasswd -B -C 8` does
        error[htpasswd]: line 9: user `erin`: checking the hash would take 3776 ms; the most is 2000 ms
          9:1
          4:26 the file is named here
          help: hash the password anew with lower parameters, as `htpasswd -B -C 8` does
        error[htpasswd]: line 10: user `frank`: checking the hash would take 65536 KiB of memory; the most is 20480 KiB
          10:1
          4:26 the file is named here
          help: hash the password anew with lower parameters, as `htpasswd -B -C 8` does
    "#]],
    );
}

#[test]
fn a_file_without_users_protects_nothing() {
    finds(
        "basic-auth htpasswd-file=\"users\"",
        "# nobody\n",
        "",
        expect![[r#"
        error[htpasswd]: line 1: the file has no users
          1:1
          4:26 the file is named here
          help: write `USER:HASH`, as `htpasswd -B -C 8` does
    "#]],
    );
}

#[test]
fn what_envoy_s_own_filter_cannot_do_is_not_asked_of_it() {
    finds(
        "basic-auth htpasswd-file=\"users\" groups-file=\"groups\" hide=#true preflight=#true failure-budget=\"1s\" engine=\"native\" {\n\
         group \"a\" { user \"ada\"; }\nrule \"public\" path=\"/\"\n}",
        &format!("ada:$2y$05${BCRYPT}\n"),
        "",
        expect![[r#"
            error[invalid-value]: `native` cannot check passwords with `groups-file`
              4:46 Envoy's own filter knows nothing of it
              4:109 it is asked for here
              help: leave `engine` out, or `groups-file`
            error[invalid-value]: `native` cannot check passwords with `hide`
              4:60 Envoy's own filter knows nothing of it
              4:109 it is asked for here
              help: leave `engine` out, or `hide`
            error[invalid-value]: `native` cannot check passwords with `preflight`
              4:76 Envoy's own filter knows nothing of it
              4:109 it is asked for here
              help: leave `engine` out, or `preflight`
            error[invalid-value]: `native` cannot check passwords with `failure-budget`
              4:97 Envoy's own filter knows nothing of it
              4:109 it is asked for here
              help: leave `engine` out, or `failure-budget`
            error[htpasswd]: the hash of `ada` is in the format bcrypt, and `native` knows `{SHA}` only
              4:109 Envoy's own filter refuses the file
              help: leave `engine` out, or write the hashes anew with `htpasswd -s`
            error[invalid-value]: `native` cannot check passwords with `group`
              5:7 Envoy's own filter knows nothing of it
              4:109 it is asked for here
              help: leave `engine` out, or `group`
            error[invalid-value]: `native` cannot check passwords with `rule`
              6:6 Envoy's own filter knows nothing of it
              4:109 it is asked for here
              help: leave `engine` out, or `rule`
        "#]],
    );
    finds(
        "basic-auth htpasswd-file=\"users\" hide=#false engine=\"native\"",
        &format!("ada:{SHA}\n"),
        "",
        expect![[r#""#]],
    );
}

#[test]
fn groups_and_rules_name_users_who_have_passwords() {
    finds(
        "basic-auth htpasswd-file=\"users\" groups-file=\"groups\" {\n\
         group \"staff\" { user \"bab\"; }\nrule \"users\" path=\"/a\" group=\"admin,staff\" user=\"adda\"\n\
         rule \"users\" path=\"/b\" group=\"nothing-like-it\"\n}",
        &format!("ada:{SHA}\nbob:{SHA}\n"),
        "admins: ada eve\nadmins bob\n",
        expect![[r#"
            error[user-groups]: no user with a password is called `bab`
              5:22
              help: did you mean `bob`?
            error[user-groups]: no group is called `admin`
              6:30
              help: did you mean `admins`?
            error[user-groups]: no user with a password is called `adda`
              6:49
              help: did you mean `ada`?
            error[user-groups]: no group is called `nothing-like-it`
              7:30
              help: write `group "nothing-like-it" { user "…"; }`, or correct the name
            error[user-groups]: line 1: group `admins` has a user `eve` without a password
              1:1
              4:46 the file is named here
              help: give the user a line in the htpasswd file, or correct the name
            error[user-groups]: line 2: a group is written `group: user user`, and here is no colon
              2:1
              4:46 the file is named here
              help: write `GROUP: USER USER`
        "#]],
    );
}

#[test]
fn a_rule_says_one_thing_of_paths_that_all_servers_read_alike() {
    finds(
        "basic-auth htpasswd-file=\"users\" {\n\
         rule \"public\" path=\"/a\" user=\"ada\"\nrule \"public\" path=\"/b%2fc\"\nrule \"public\" path-prefix=\"/d/..;/\"\n\
         rule \"public\" path-prefix=\"/e//\"\nrule \"public\" path-prefix=\"/.\"\n}",
        &format!("ada:{SHA}\n"),
        "",
        expect![[r#"
            error[invalid-value]: a public rule asks nobody who is calling
              5:30
              5:6 everybody passes
              help: write `users` in place of `public`, or leave this out
            error[invalid-value]: servers do not agree which path this is
              6:15 this would never match
              help: write it without `.`, `..`, repeated or escaped slashes
            error[invalid-value]: servers do not agree which path this is
              7:15 this would never match
              help: write it without `.`, `..`, repeated or escaped slashes
            error[invalid-value]: no path begins so once it is normalised
              8:15 this would never match
              help: write it without `.`, `..`, repeated or escaped slashes
        "#]],
    );
}

#[test]
fn a_rule_below_one_that_takes_all_its_requests_never_decides() {
    finds(
        "basic-auth htpasswd-file=\"users\" {\n\
         rule \"public\" path-prefix=\"/a\" method=\"GET\"\nrule \"users\" path=\"/ab\" method=\"GET\" user=\"ada\"\n\
         rule \"users\" path=\"/ab\" method=\"GET,POST\" user=\"ada\"\nrule \"users\"\nrule \"public\" host=\"x.example\"\n}",
        &format!("ada:{SHA}\n"),
        "",
        expect![[r#"
            error[shadowed-access-rule]: this rule never decides
              6:6 the first match decides
              5:6 this earlier rule takes all of its requests
              help: move the narrower rule up, or delete it
            error[shadowed-access-rule]: this rule never decides
              9:6 the first match decides
              8:6 this earlier rule takes all of its requests
              help: move the narrower rule up, or delete it
        "#]],
    );
}

#[test]
fn the_slowest_hash_is_named_and_the_others_are_counted() {
    finds(
        "basic-auth htpasswd-file=\"users\"",
        &format!("ada:$2y$08${BCRYPT}\nbob:$2y$09${BCRYPT}\ncarol:$2b$11${BCRYPT}\ndave:{SHA}\n"),
        "",
        expect![[r#"
            warning[slow-password-hash]: line 3: checking the password of `carol` stops a worker for about 236 ms, and another for more than 50 ms
              3:1
              4:26 the file is named here
              help: hash long random passwords anew with `htpasswd -B -C 8`: about 30 ms, once for each worker
        "#]],
    );
    finds("basic-auth htpasswd-file=\"users\"", &format!("ada:$2y$08${BCRYPT}\n"), "", expect![[r#""#]]);
}

#[test]
fn the_report_says_why_our_filter_does_it() {
    let why = |says: &str, users: &str| {
        let (checked, shown) = run(says, users, "");
        let checked = checked.unwrap_or_else(|| panic!("{shown}"));
        let lines = report::report(&checked).into_iter().flat_map(|proxy| proxy.policies);
        let line = lines.into_iter().find(|line| line.policy == "basic-auth").expect("a line");
        format!("{}: {}", line.engine, line.why)
    };
    let (sha, bcrypt) = (format!("ada:{SHA}\n"), format!("ada:$2y$05${BCRYPT}\n"));
    assert_eq!(why("basic-auth htpasswd-file=\"users\"", &sha), "wasm: nothing else is said");
    assert_eq!(why("basic-auth htpasswd-file=\"users\"", &bcrypt), "wasm: only our filter knows bcrypt");
    let ruled = "basic-auth htpasswd-file=\"users\" {\nrule \"public\" path=\"/\"\n}";
    assert_eq!(why(ruled, &sha), "wasm: only our filter has rules");
    assert_eq!(why("basic-auth htpasswd-file=\"users\" engine=\"native\"", &sha), "native: the mesh says so");
}

#[test]
fn annotations_say_the_same() {
    let said = "basic-auth htpasswd-file=\"users\" groups-file=\"groups\" forward-user-header=\"x-user\" hide=#true preflight=#true failure-budget=\"20ms\" {\n\
         group \"staff\" { user \"ada\" \"bob\"; }\n\
         rule \"public\" path-prefix=\"/assets/\" method=\"GET,HEAD\"\nrule \"users\" path=\"/admin\" group=\"admins,staff\" user=\"bob\"\n}";
    let annotated = "annotations {\n\
         \"basic-auth.htpasswd-file\" \"users\"\n\"basic-auth.groups-file\" \"groups\"\n\
         \"basic-auth.forward-user-header\" \"x-user\"\n\"basic-auth.hide\" \"true\"\n\"basic-auth.preflight\" \"true\"\n\
         \"basic-auth.failure-budget\" \"20ms\"\n\"basic-auth.group.staff.user\" \"ada,bob\"\n\
         \"basic-auth.rule.1.access\" \"public\"\n\"basic-auth.rule.1.path-prefix\" \"/assets/\"\n\
         \"basic-auth.rule.1.method\" \"GET,HEAD\"\n\
         \"basic-auth.rule.2.access\" \"users\"\n\"basic-auth.rule.2.path\" \"/admin\"\n\
         \"basic-auth.rule.2.group\" \"admins,staff\"\n\"basic-auth.rule.2.user\" \"bob\"\n}";
    let users = format!("ada:{SHA}\nbob:{SHA}\n");
    let compiled = |says: &str| {
        let (checked, shown) = run(says, &users, "admins: ada\n");
        compile(&checked.unwrap_or_else(|| panic!("{shown}")), &module())
    };
    let one = compiled(said);
    assert!(one.iter().any(|(_, text)| text.contains("\"groups\"")));
    assert_eq!(one, compiled(annotated));
}
