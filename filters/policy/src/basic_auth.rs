//! HTTP basic authentication (RFC 7617).

mod access;
mod credentials;
mod groups;
mod htpasswd;
mod password_hash;
mod slow;
mod users;

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use self::access::{Access, Rules};
use self::credentials::{Credentials, holds_basic};
pub use self::groups::{GroupError, GroupErrorKind, GroupLine, parse_groups};
pub use self::htpasswd::{HtpasswdError, HtpasswdErrorKind, HtpasswdUser, parse_htpasswd};
pub use self::password_hash::{InvalidPasswordHash, LARGEST_CHECK_KIB, PasswordHash, SLOWEST_CHECK_MILLIS};
use self::slow::{Checked, Slow};
use self::users::Users;
use crate::decode::config;
use crate::{Counter, Edits, Env, HeaderEdit, HttpPolicy, LocalReply, Request, SingleHeader, Verdict};

/// The filter's root id in the wasm module.
pub const BASIC_AUTH_ROOT_ID: &str = "basic-auth";

config! {
    /// One basic-auth plugin. The first rule that a request fits decides who may send it; a request that fits none may be
    /// sent by every user.
    pub struct BasicAuthConfig {
        /// The name that browsers show when they ask for the password.
        pub realm: String,
        /// Who has a password. Nobody, if empty.
        pub users: Vec<BasicAuthUser>,
        /// Where more, or less, than any user's password is needed, in order.
        pub rules: Vec<BasicAuthRule>,
        /// The header that tells the upstream the user's name. Whatever a client sends in it is
        /// removed from every request.
        pub forward_user_header: Option<String>,
        /// Whether credentials are taken out of requests that pass.
        pub hide: bool = false,
        /// Whether the questions that browsers ask before they send a request of another origin pass: they never carry
        /// credentials.
        pub cors_preflight: bool = false,
        /// Microseconds of each second that a worker spends at most on wrong passwords with slow hashes. Five seconds'
        /// worth can be saved up.
        pub failure_micros_per_second: u32 = 100_000,
    }
}

config! {
    /// A user and the hash of the user's password.
    pub struct BasicAuthUser {
        /// The user's name.
        pub name: String,
        /// The hash of the user's password.
        pub hash: PasswordHash,
        /// The groups to which the user belongs.
        pub groups: Vec<String>,
    }
}

config! {
    /// Who may send some requests: anybody where it is public; else members of the groups and the users named here, and
    /// every user if there are none of both.
    pub struct BasicAuthRule {
        /// Hosts in lower case without a port; one `*` at either end stands for one character or more. None is any host.
        pub hosts: Vec<String>,
        /// The path, in any spelling (see [`crate::normalised`]).
        pub path: Option<String>,
        /// How the path begins.
        pub path_prefix: Option<String>,
        /// One of these methods. None is any method.
        pub methods: Vec<String>,
        /// Whether no password is needed.
        pub public: bool = false,
        /// Groups of which one is enough.
        pub groups: Vec<String>,
        /// Users who may, whatever their groups.
        pub users: Vec<String>,
    }
}

/// A prepared [`BasicAuthConfig`].
#[derive(Debug)]
pub struct BasicAuth {
    challenge: String,
    users: Users,
    rules: Rules,
    slow: Slow,
    user_header: Option<String>,
    hide: bool,
    cors_preflight: bool,
}

impl HttpPolicy for BasicAuth {
    type Config = BasicAuthConfig;
    const ROOT_ID: &'static str = BASIC_AUTH_ROOT_ID;
    const COUNTERS: &'static [Counter] =
        &[Counter::BasicAuthDenied, Counter::BasicAuthSlowChecks, Counter::BasicAuthThrottled];

    fn new(config: BasicAuthConfig) -> BasicAuth {
        BasicAuth {
            challenge: format!("Basic realm={}, charset=\"UTF-8\"", quoted(&config.realm)),
            slow: Slow::new(&config),
            users: Users::new(config.users),
            rules: Rules::new(config.rules),
            user_header: config.forward_user_header.map(|header| header.to_ascii_lowercase()),
            hide: config.hide,
            cors_preflight: config.cors_preflight,
        }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        match self.decide(request, env) {
            Ok(edits) => Verdict::Continue(edits),
            Err(denial) => {
                env.count(denial.counter());
                Verdict::Respond(self.answer(denial))
            }
        }
    }
}

impl BasicAuth {
    fn decide(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Result<Edits, Denial> {
        let access = self.rules.access(request).ok_or(Denial::Unclear)?;
        if access == Access::Public {
            return Ok(self.unproven(request));
        }
        let Some(header) = request.single(SingleHeader::Authorization) else {
            let passes = self.cors_preflight && is_preflight(request);
            return if passes { Ok(self.unproven(request)) } else { Err(Denial::Missing) };
        };
        let credentials = Credentials::parse(&header).ok_or(Denial::Malformed)?;
        let (known, user) = self.users.find(credentials.user()).ok_or(Denial::Wrong)?;
        let is_right = if user.hash.is_slow() {
            match self.slow.check(&user.hash, known, &credentials, env) {
                Checked::Right => true,
                Checked::Wrong => false,
                Checked::Throttled { seconds } => return Err(Denial::Throttled { seconds }),
                Checked::NoMemory => return Err(Denial::NoMemory),
            }
        } else {
            // No format that is not slow needs memory.
            user.hash.verify(credentials.password()).is_ok_and(|same| (known & same).into())
        };
        if !is_right {
            return Err(Denial::Wrong);
        }
        if !self.rules.permit(access, user) {
            return Err(Denial::NotAllowed);
        }
        Ok(self.proven(&user.name))
    }

    /// Tells the upstream the proven name, and never the one that a client claims.
    fn proven(&self, user: &str) -> Edits {
        let mut edits = Vec::new();
        if let Some(header) = &self.user_header {
            edits.push(HeaderEdit::Replace { name: header.clone(), value: user.as_bytes().to_vec() });
        }
        if self.hide {
            edits.push(HeaderEdit::Remove { name: SingleHeader::Authorization.name().into() });
        }
        edits.into()
    }

    /// Of a request that needs no credentials: tokens of the application's own stay, passwords do not.
    fn unproven(&self, request: &mut dyn Request) -> Edits {
        let mut edits = Vec::new();
        if let Some(header) = &self.user_header {
            edits.push(HeaderEdit::Remove { name: header.clone() });
        }
        if self.hide && request.single(SingleHeader::Authorization).is_some_and(|header| holds_basic(&header)) {
            edits.push(HeaderEdit::Remove { name: SingleHeader::Authorization.name().into() });
        }
        edits.into()
    }

    fn answer(&self, denial: Denial) -> LocalReply {
        let (status, body) = match denial {
            Denial::Missing | Denial::Malformed | Denial::Wrong => (401, "Unauthorized\n"),
            Denial::NotAllowed => (403, "Forbidden\n"),
            Denial::Unclear => (400, "Bad Request\n"),
            Denial::Throttled { .. } => (429, "Too Many Requests\n"),
            Denial::NoMemory => (503, "Service Unavailable\n"),
        };
        let headers = match denial {
            Denial::Missing | Denial::Malformed | Denial::Wrong => {
                vec![(Cow::Borrowed("www-authenticate"), self.challenge.clone())]
            }
            Denial::Throttled { seconds } => vec![(Cow::Borrowed("retry-after"), seconds.to_string())],
            Denial::NotAllowed | Denial::Unclear | Denial::NoMemory => Vec::new(),
        };
        LocalReply { status, headers, body: body.into(), details: denial.details(), ..LocalReply::default() }
    }
}

/// Why a request was denied: for the operator's logs, never for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denial {
    Missing,
    Malformed,
    Wrong,
    NotAllowed,
    /// It cannot be said which rule it fits.
    Unclear,
    Throttled {
        seconds: u32,
    },
    NoMemory,
}

impl Denial {
    fn details(self) -> &'static str {
        match self {
            Denial::Missing => "meshwright_basic_auth_denied[missing]",
            Denial::Malformed => "meshwright_basic_auth_denied[malformed]",
            Denial::Wrong => "meshwright_basic_auth_denied[wrong]",
            Denial::NotAllowed => "meshwright_basic_auth_denied[not_allowed]",
            Denial::Unclear => "meshwright_basic_auth_denied[unclear_path]",
            Denial::Throttled { .. } => "meshwright_basic_auth_throttled",
            Denial::NoMemory => "meshwright_basic_auth_denied[no_memory]",
        }
    }

    fn counter(self) -> Counter {
        match self {
            Denial::Throttled { .. } => Counter::BasicAuthThrottled,
            _ => Counter::BasicAuthDenied,
        }
    }
}

/// What browsers ask before they send a request of another origin (Fetch, section 4.8).
fn is_preflight(request: &mut dyn Request) -> bool {
    if request.single(SingleHeader::Method).as_deref() != Some(b"OPTIONS") {
        return false;
    }
    let headers = request.all();
    let has = |name: &[u8]| headers.values(name).any(|value| !value.is_empty());
    has(b"origin") && has(b"access-control-request-method")
}

/// A quoted string of RFC 9110, section 5.6.4. Control characters, which would end the header,
/// become spaces.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(if character.is_control() { ' ' } else { character });
    }
    quoted.push('"');
    quoted
}
