//! HTTP basic authentication (RFC 7617).

mod credentials;
mod htpasswd;
mod password_hash;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use self::credentials::Credentials;
pub use self::htpasswd::{HtpasswdError, HtpasswdErrorKind, parse_htpasswd};
pub use self::password_hash::{InvalidPasswordHash, PasswordHash};
use crate::decode::config;
use crate::scope::{Among, Authority, is_exempt};
use crate::{Counter, Edits, Env, HeaderEdit, HttpPolicy, LocalReply, Request, SingleHeader, Verdict};

/// The filter's root id in the wasm module.
pub const BASIC_AUTH_ROOT_ID: &str = "basic-auth";

config! {
    /// One basic-auth plugin. The first rule whose hosts match decides; a request that no rule is
    /// about is let through.
    pub struct BasicAuthConfig {
        /// The rules, in order.
        pub rules: Vec<BasicAuthRule>,
    }
}

config! {
    /// Who may use some hosts.
    pub struct BasicAuthRule {
        /// Lower-case authorities as in a virtual host's domains; `*`, or none, is any.
        pub hosts: Vec<String>,
        /// Paths on which the mesh's own health checks (see [`crate::HEALTH_CHECK_HEADER`]) need no
        /// password. Empty on gateways.
        pub exempt_paths: Vec<String>,
        /// The name that browsers show when they ask for the password.
        pub realm: String,
        /// Who may pass. Nobody, if empty.
        pub users: Vec<BasicAuthUser>,
        /// The header that tells the upstream the user's name. Whatever a client sends in it is
        /// removed from every request that this rule is about.
        pub forward_user_header: Option<String>,
    }
}

config! {
    /// A user and the hash of the user's password.
    pub struct BasicAuthUser {
        /// The user's name.
        pub name: String,
        /// The hash of the user's password.
        pub hash: PasswordHash,
    }
}

/// A prepared [`BasicAuthConfig`].
#[derive(Debug)]
pub struct BasicAuth {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    hosts: Vec<String>,
    exempt_paths: Vec<String>,
    challenge: String,
    users: Vec<BasicAuthUser>,
    user_header: Option<String>,
}

impl HttpPolicy for BasicAuth {
    type Config = BasicAuthConfig;
    const ROOT_ID: &'static str = BASIC_AUTH_ROOT_ID;
    const COUNTERS: &'static [Counter] = &[Counter::BasicAuthDenied];

    fn new(config: BasicAuthConfig) -> BasicAuth {
        BasicAuth { rules: config.rules.into_iter().map(Rule::new).collect() }
    }

    fn on_request(&mut self, request: &mut dyn Request, env: &mut dyn Env) -> Verdict {
        let Some(rule) = self.rule_for(request) else { return Verdict::PASS };
        if is_exempt(&rule.exempt_paths, request) {
            return Verdict::Continue(rule.forward(None));
        }
        match rule.authenticate(request.single(SingleHeader::Authorization).as_deref()) {
            Ok(user) => Verdict::Continue(rule.forward(Some(user))),
            Err(denial) => {
                env.count(Counter::BasicAuthDenied);
                Verdict::Respond(rule.challenge(denial))
            }
        }
    }
}

impl BasicAuth {
    fn rule_for(&self, request: &mut dyn Request) -> Option<&Rule> {
        let mut authority = Authority::of(request);
        // A request without a host could be for any of them, so it must authenticate.
        self.rules.iter().find(|rule| authority.is_among(&rule.hosts) != Among::No)
    }
}

impl Rule {
    fn new(rule: BasicAuthRule) -> Rule {
        Rule {
            hosts: rule.hosts,
            exempt_paths: rule.exempt_paths,
            challenge: format!("Basic realm={}, charset=\"UTF-8\"", quoted(&rule.realm)),
            users: rule.users,
            user_header: rule.forward_user_header.map(|header| header.to_ascii_lowercase()),
        }
    }

    /// Tells the upstream the proven name, if any, and never the one a client claims.
    fn forward(&self, user: Option<&str>) -> Edits {
        let edit = |name: &String| match user {
            Some(user) => HeaderEdit::Replace { name: name.clone(), value: user.as_bytes().to_vec() },
            None => HeaderEdit::Remove { name: name.clone() },
        };
        self.user_header.iter().map(edit).collect::<Vec<_>>().into()
    }

    /// The name of the user whom the `authorization` header proves.
    fn authenticate(&self, authorization: Option<&[u8]>) -> Result<&str, Denial> {
        let header = authorization.ok_or(Denial::Missing)?;
        let credentials = Credentials::parse(header).ok_or(Denial::Malformed)?;
        self.verify(&credentials).ok_or(Denial::Wrong)
    }

    /// Takes as long for an unknown user as for a known one, and for any wrong password: every
    /// name is compared, and one password is hashed, whatever was found.
    fn verify(&self, credentials: &Credentials) -> Option<&str> {
        let mut known = Choice::from(0);
        let mut position = 0_u32;
        for (index, user) in (0_u32..).zip(&self.users) {
            let same = user.name.as_bytes().ct_eq(credentials.user());
            position.conditional_assign(&index, same);
            known |= same;
        }
        let user = self.users.get(usize::try_from(position).ok()?)?;
        let verified = known & user.hash.verify(credentials.password());
        bool::from(verified).then_some(user.name.as_str())
    }

    fn challenge(&self, denial: Denial) -> LocalReply {
        LocalReply {
            status: 401,
            headers: vec![("www-authenticate".into(), self.challenge.clone())],
            body: "Unauthorized\n".into(),
            details: denial.details(),
            ..LocalReply::default()
        }
    }
}

/// Why a request was denied: for the operator's logs, never for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Denial {
    Missing,
    Malformed,
    Wrong,
}

impl Denial {
    fn details(self) -> &'static str {
        match self {
            Denial::Missing => "meshwright_basic_auth_denied[missing]",
            Denial::Malformed => "meshwright_basic_auth_denied[malformed]",
            Denial::Wrong => "meshwright_basic_auth_denied[wrong]",
        }
    }
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
