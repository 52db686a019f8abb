//! Passwords (HTTP basic authentication, RFC 7617).

use std::time::Duration;

use super::{Engine, Method};
use crate::block::{Block, Choice, Word};
use crate::source::Spanned;
use crate::value::{http, text, time};

/// HTTP basic authentication (RFC 7617).
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "basic authentication", line)]
pub struct BasicAuth {
    /// What browsers show.
    #[field(default = "the name of the mesh")]
    pub realm: Option<Spanned<String>>,
    /// Path of an htpasswd file, relative to the file that names it.
    #[field(value = text::FILE)]
    pub htpasswd_file: Spanned<String>,
    /// Path of a file with lines `GROUP: USER USER`, relative to the file that names it.
    #[field(value = text::FILE)]
    pub groups_file: Option<Spanned<String>>,
    /// Groups of users, beside those of the file.
    #[field(named, key = "group")]
    pub groups: Vec<UserGroup>,
    /// Which requests need no password, and which need more than any user's; the first rule that fits decides, and what
    /// none fits needs the password of any user.
    #[field(key = "rule")]
    pub rules: Vec<PasswordRule>,
    /// Header in which the application gets the user's name.
    #[field(value = http::HEADER_NAME)]
    pub forward_user_header: Option<Spanned<String>>,
    /// Whether the password is taken out of the request.
    #[field(default = "false")]
    pub hide: Option<Spanned<bool>>,
    /// Whether the preflight requests of browsers (CORS) pass: they never bring a password.
    #[field(default = "false")]
    pub preflight: Option<Spanned<bool>>,
    /// The part of each second that a worker spends at most on wrong passwords with slow hashes; then 429.
    #[field(value = time::SHARE, default = "100ms")]
    pub failure_budget: Option<Spanned<Duration>>,
    /// What checks them: `native` knows `{SHA}` only, and no groups or rules.
    #[field(default = "wasm")]
    pub engine: Option<Spanned<Engine>>,
}

impl BasicAuth {
    /// With the passwords of a file, and nothing else said.
    pub fn of(htpasswd_file: Spanned<String>) -> Self {
        Self {
            realm: None,
            htpasswd_file,
            groups_file: None,
            groups: Vec::new(),
            rules: Vec::new(),
            forward_user_header: None,
            hide: None,
            preflight: None,
            failure_budget: None,
            engine: None,
        }
    }
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a group of users")]
pub struct UserGroup {
    /// What rules call it.
    #[field(name, value = text::LABEL)]
    pub name: Spanned<String>,
    /// Its users.
    #[field(key = "user", value = text::TEXT)]
    pub users: Vec<Spanned<String>>,
}

/// Who may send some requests.
#[derive(Clone, Debug, PartialEq, Block)]
#[block(what = "a rule", line)]
pub struct PasswordRule {
    /// Who may.
    #[field(main)]
    pub access: Spanned<PasswordAccess>,
    /// Members of these groups only; others are answered 403.
    #[field(key = "group", value = text::LABEL)]
    pub groups: Vec<Spanned<String>>,
    /// These users only, beside those of the groups.
    #[field(key = "user", value = text::TEXT)]
    pub users: Vec<Spanned<String>>,
    /// The path, without its query; every way to write it is the same path.
    #[field(one_of)]
    pub path: Option<Spanned<PasswordPath>>,
    /// One of these methods.
    #[field(key = "method")]
    pub methods: Vec<Spanned<Method>>,
    /// One of these hosts, with whatever port.
    #[field(key = "host", value = http::EGRESS_HOST)]
    pub hosts: Vec<Spanned<String>>,
}

/// Who may send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Word)]
pub enum PasswordAccess {
    /// Anybody, without a password.
    Public,
    /// Users, with their passwords.
    Users,
}

/// How a path is compared.
#[derive(Clone, Debug, PartialEq, Eq, Choice)]
#[block(what = "a path")]
pub enum PasswordPath {
    /// Paths that begin so. Whole segments are not required: `/adm` takes `/admin`.
    #[field(key = "path-prefix", value = http::PATH)]
    Prefix(String),
    /// This path alone.
    #[field(key = "path", value = http::PATH)]
    Exact(String),
}
