//! Reads htpasswd files, and says on which line they are wrong without repeating their secrets.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{InvalidPasswordHash, PasswordHash};

/// What is wrong with an htpasswd file. Never holds a hash or a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct HtpasswdError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong on it.
    pub kind: HtpasswdErrorKind,
}

/// One kind of mistake in an htpasswd file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HtpasswdErrorKind {
    /// The file has no user and no other mistake.
    #[error("the file has no users")]
    Empty,
    /// A line that is not `name:hash`.
    #[error("a user is written `name:hash`, and here is no colon")]
    NoColon,
    /// Nothing before the colon.
    #[error("the user's name is empty")]
    EmptyName,
    /// A name that no client could send.
    #[error("the user's name contains a control character")]
    ControlCharacter,
    /// A user that an earlier line defines.
    #[error("user `{name}` is already defined on line {first}")]
    Duplicate {
        /// The user's name.
        name: String,
        /// The line of the first definition.
        first: usize,
    },
    /// A hash that cannot be used.
    #[error("user `{name}`: {reason}")]
    Hash {
        /// The user's name.
        name: String,
        /// What is wrong with the hash.
        reason: InvalidPasswordHash,
    },
}

/// A user of an htpasswd file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HtpasswdUser {
    /// The user's name.
    pub name: String,
    /// The hash of the user's password.
    pub hash: PasswordHash,
    /// The line, counted from 1.
    pub line: usize,
}

/// Reads an htpasswd file: every good user, and every mistake. A byte order mark, CRLF, blank
/// lines and lines that start with `#` are allowed, and a comment after another colon.
pub fn parse_htpasswd(text: &str) -> (Vec<HtpasswdUser>, Vec<HtpasswdError>) {
    let mut users = Vec::new();
    let mut errors = Vec::new();
    let mut first_lines = BTreeMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, entry) in (1..).zip(text.lines()) {
        let entry = entry.trim();
        if entry.is_empty() || entry.starts_with('#') {
            continue;
        }
        match parse_user(entry, line, &mut first_lines) {
            Ok(user) => users.push(user),
            Err(kind) => errors.push(HtpasswdError { line, kind }),
        }
    }
    if users.is_empty() && errors.is_empty() {
        errors.push(HtpasswdError { line: 1, kind: HtpasswdErrorKind::Empty });
    }
    (users, errors)
}

fn parse_user(
    entry: &str,
    line: usize,
    first_lines: &mut BTreeMap<String, usize>,
) -> Result<HtpasswdUser, HtpasswdErrorKind> {
    let (name, hash) = entry.split_once(':').ok_or(HtpasswdErrorKind::NoColon)?;
    if name.is_empty() {
        return Err(HtpasswdErrorKind::EmptyName);
    }
    if name.chars().any(char::is_control) {
        return Err(HtpasswdErrorKind::ControlCharacter);
    }
    let name = name.to_owned();
    if let Some(first) = first_lines.get(&name) {
        return Err(HtpasswdErrorKind::Duplicate { name, first: *first });
    }
    first_lines.insert(name.clone(), line);
    let hash = hash.split_once(':').map_or(hash, |(hash, _comment)| hash);
    match PasswordHash::parse(hash) {
        Ok(hash) => Ok(HtpasswdUser { name, hash, line }),
        Err(reason) => Err(HtpasswdErrorKind::Hash { name, reason }),
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::String;

    use expect_test::{Expect, expect};

    use super::parse_htpasswd;

    #[track_caller]
    fn check(text: &str, expected: Expect) {
        let (users, errors) = parse_htpasswd(text);
        let mut report = String::new();
        for user in users {
            report.push_str(&format!("{}: {:?} on line {}\n", user.name, user.hash, user.line));
        }
        for error in errors {
            report.push_str(&format!("{error}\n"));
        }
        expected.assert_eq(&report);
    }

    const SHA: &str = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=";

    #[test]
    fn a_windows_file_with_a_byte_order_mark_is_read() {
        check(
            &format!("\u{feff}# people\r\n\r\nalice:{SHA}\r\n  bob:{SHA}  \r\n"),
            expect![[r#"
                alice: {SHA}… on line 3
                bob: {SHA}… on line 4
            "#]],
        );
    }

    #[test]
    fn an_empty_file_is_a_mistake() {
        check(
            "# nobody\n",
            expect![[r#"
            line 1: the file has no users
        "#]],
        );
    }

    #[test]
    fn every_mistake_is_reported_without_its_secret() {
        check(
            &format!(
                "alice:{SHA}\nalice:{SHA}\nhunter2\n:{SHA}\na\tb:{SHA}\n\
                 carol:$2y$10$hunter2\ndave:$apr1$hunter2\nerin:hunter2\n\
                 frank:{{SHA}}hunter2\ngrace:{{SSHA}}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n\
                 heidi:{SHA}:hunter2\nivan:$6$hunter2\njudy:{{PLAIN}}hunter2\n"
            ),
            expect![[r#"
                alice: {SHA}… on line 1
                heidi: {SHA}… on line 11
                line 2: user `alice` is already defined on line 1
                line 3: a user is written `name:hash`, and here is no colon
                line 4: the user's name is empty
                line 5: the user's name contains a control character
                line 6: user `carol`: the hash is damaged: it is too short or too long, or has characters or parameters that it cannot have
                line 7: user `dave`: the hash is damaged: it is too short or too long, or has characters or parameters that it cannot have
                line 8: user `erin`: no hash of a known format
                line 9: user `frank`: the hash is damaged: it is too short or too long, or has characters or parameters that it cannot have
                line 10: user `grace`: the hash is damaged: it is too short or too long, or has characters or parameters that it cannot have
                line 12: user `ivan`: the hash is damaged: it is too short or too long, or has characters or parameters that it cannot have
                line 13: user `judy`: plain text hashes are not supported
            "#]],
        );
    }

    #[test]
    fn a_hash_survives_its_text() {
        let (users, _) = parse_htpasswd("alice:{SSHA}BfAmw6WqsJLOLMgKGbMJbL2yaQ1zYWx0\n");
        assert_eq!(users[0].hash.to_htpasswd(), "{SSHA}BfAmw6WqsJLOLMgKGbMJbL2yaQ1zYWx0");
    }
}
