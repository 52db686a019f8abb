//! Reads files of groups as Apache's `AuthGroupFile` has them: `admins: alice bob`.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

/// What is wrong with a file of groups.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct GroupError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong on it.
    pub kind: GroupErrorKind,
}

/// One kind of mistake in a file of groups.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupErrorKind {
    /// A line that is not `group: user user`.
    #[error("a group is written `group: user user`, and here is no colon")]
    NoColon,
    /// Nothing before the colon, or more than a word.
    #[error("the group's name is no single word")]
    Name,
}

/// One line of a file of groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupLine {
    /// The group's name.
    pub name: String,
    /// Users who belong to it.
    pub users: Vec<String>,
    /// The line, counted from 1.
    pub line: usize,
}

/// Reads a file of groups: each good line, and every mistake. A group may have several lines. A
/// byte order mark, CRLF, blank lines and lines that start with `#` are allowed.
pub fn parse_groups(text: &str) -> (Vec<GroupLine>, Vec<GroupError>) {
    let mut groups = Vec::new();
    let mut errors = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, entry) in (1..).zip(text.lines()) {
        let entry = entry.trim();
        if entry.is_empty() || entry.starts_with('#') {
            continue;
        }
        let Some((name, users)) = entry.split_once(':') else {
            errors.push(GroupError { line, kind: GroupErrorKind::NoColon });
            continue;
        };
        let name = name.trim();
        if name.is_empty() || name.contains(|character: char| character.is_whitespace() || character.is_control()) {
            errors.push(GroupError { line, kind: GroupErrorKind::Name });
            continue;
        }
        let users = users.split_whitespace().map(ToOwned::to_owned).collect();
        groups.push(GroupLine { name: name.to_owned(), users, line });
    }
    (groups, errors)
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::ToString;

    use expect_test::{Expect, expect};

    use super::parse_groups;

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        let (groups, errors) = parse_groups(text);
        let groups = groups.iter().map(|group| format!("{}: {} = {:?}\n", group.line, group.name, group.users));
        let errors = errors.iter().map(|error| error.to_string() + "\n");
        expected.assert_eq(&groups.chain(errors).collect::<std::string::String>());
    }

    #[test]
    fn groups_are_read_as_apache_does() {
        check(
            "\u{feff}# who\r\n\r\nadmins: alice bob\r\nadmins:\tcarol\nnobody:\n",
            expect![[r#"
                3: admins = ["alice", "bob"]
                4: admins = ["carol"]
                5: nobody = []
            "#]],
        );
    }

    #[test]
    fn every_mistake_is_reported() {
        check(
            "admins alice\n: bob\ntwo words: carol\n",
            expect![[r#"
                line 1: a group is written `group: user user`, and here is no colon
                line 2: the group's name is no single word
                line 3: the group's name is no single word
            "#]],
        );
    }
}
