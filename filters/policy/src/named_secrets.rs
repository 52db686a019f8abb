//! Files with a line `NAME:SECRET` each: keys of clients, secrets that sign requests. Read while compiling.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

/// What is wrong on a line of such a file. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub struct NamedSecretError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong on it.
    pub kind: NamedSecretErrorKind,
}

/// One kind of mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamedSecretErrorKind {
    /// The file has nobody and no other mistake.
    #[error("the file names nobody: nobody could call")]
    Empty,
    /// A line without a colon: perhaps a secret alone.
    #[error("the line is no `NAME:SECRET`")]
    NoColon,
    /// Nothing before the colon.
    #[error("the name is empty")]
    EmptyName,
    /// A name that no header could carry.
    #[error("the name contains something other than letters, digits and punctuation of ASCII")]
    UnusableName,
    /// Nothing after the colon.
    #[error("`{0}` has an empty secret")]
    EmptySecret(String),
    /// `{…}` with a word that means nothing here, or with something else than it says.
    #[error("the secret of `{name}` begins with a word in braces and is {problem}")]
    Encoding {
        /// Whose.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A secret, or where names must differ a name, that an earlier line has.
    #[error("`{name}` has {what} of line {first}")]
    Taken {
        /// Whose.
        name: String,
        /// What.
        what: &'static str,
        /// The line that has it first.
        first: usize,
    },
}

/// A good line.
#[derive(Clone, PartialEq, Eq)]
pub struct NamedSecret<S> {
    /// Counted from 1.
    pub line: usize,
    /// Before the colon.
    pub name: String,
    /// What the rest means.
    pub secret: S,
    /// Whether it could be guessed: shorter than such secrets should be.
    pub weak: bool,
}

/// What a reader of one kind of secret says of a text that is not empty.
pub(crate) type Read<S> = Result<(S, bool), &'static str>;

/// Reads each line, and says of each mistake where it is. A byte order mark, CRLF, blank lines and lines that start with
/// `#` are allowed. `same` says what two lines may not have in common.
pub(crate) fn parse<S>(
    text: &str,
    read: fn(&str) -> Read<S>,
    same: fn(&NamedSecret<S>, &NamedSecret<S>) -> Option<&'static str>,
) -> (Vec<NamedSecret<S>>, Vec<NamedSecretError>) {
    let mut good: Vec<NamedSecret<S>> = Vec::new();
    let mut errors = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, entry) in (1..).zip(text.lines()) {
        let entry = entry.trim();
        if entry.is_empty() || entry.starts_with('#') {
            continue;
        }
        let parsed = parse_line(entry, line, read).and_then(|found| {
            let taken = good.iter().find_map(|known| Some((same(known, &found)?, known.line)));
            match taken {
                Some((what, first)) => Err(NamedSecretErrorKind::Taken { name: found.name, what, first }),
                None => Ok(found),
            }
        });
        match parsed {
            Ok(found) => good.push(found),
            Err(kind) => errors.push(NamedSecretError { line, kind }),
        }
    }
    if good.is_empty() && errors.is_empty() {
        errors.push(NamedSecretError { line: 1, kind: NamedSecretErrorKind::Empty });
    }
    (good, errors)
}

fn parse_line<S>(entry: &str, line: usize, read: fn(&str) -> Read<S>) -> Result<NamedSecret<S>, NamedSecretErrorKind> {
    let (name, secret) = entry.split_once(':').ok_or(NamedSecretErrorKind::NoColon)?;
    if name.is_empty() {
        return Err(NamedSecretErrorKind::EmptyName);
    }
    if !name.chars().all(|character| matches!(character, ' '..='~')) || name.trim() != name {
        return Err(NamedSecretErrorKind::UnusableName);
    }
    let name = name.to_owned();
    if secret.is_empty() {
        return Err(NamedSecretErrorKind::EmptySecret(name));
    }
    match read(secret) {
        Ok((secret, weak)) => Ok(NamedSecret { line, name, secret, weak }),
        Err(problem) => Err(NamedSecretErrorKind::Encoding { name, problem }),
    }
}

/// The word in braces before a secret, and what follows it.
pub(crate) fn encoding(secret: &str) -> Option<(&str, &str)> {
    let (word, rest) = secret.strip_prefix('{')?.split_once('}')?;
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_word.then_some((word, rest))
}
