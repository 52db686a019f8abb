//! The cookie in which a visitor keeps what chance decided at the first visit.
//!
//! Its value is a digest of the seed and the route, or of no route for who was not chosen: it names nothing of the mesh.
//! A value that stands for no decision which the rule could make today is no cookie. Whoever knows the value of a
//! destination can ask for it, as with every cookie: what not everybody may reach needs authorization.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use super::RouteShare;
use crate::chance::fate;
use crate::condition::{Values, View};
use crate::decode::config;
use crate::{Decode, HeaderEdit, Invalid};

config! {
    /// How the cookie is set (RFC 6265, section 4.1).
    pub struct VisitorCookie {
        /// Its name.
        pub name: CookieText,
        /// Under which paths browsers send it.
        pub path: CookieText = CookieText(String::from("/")),
        /// How long browsers keep it; without it, for the session.
        pub max_age_seconds: Option<u32>,
        /// Whether scripts cannot read it.
        pub http_only: bool = true,
        /// Whether browsers send it through TLS only.
        pub secure: bool = false,
        /// Whether browsers send it with requests of other sites.
        pub same_site: SameSite = SameSite::Lax,
    }
}

/// A part of a cookie that cannot become anything else of it: visible ASCII without `;`, `,`, `=`, `"` and `\`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CookieText(pub String);

/// With which requests of other sites a cookie goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SameSite {
    /// None.
    Strict,
    /// With those that follow a link.
    Lax,
    /// All, through TLS.
    None,
}

/// What is prepared of a [`VisitorCookie`].
#[derive(Debug)]
pub(super) struct Visitors {
    name: String,
    /// The values for each destination, and for none.
    places: Vec<String>,
    nowhere: String,
    attributes: String,
}

impl Visitors {
    pub(super) fn new(cookie: &VisitorCookie, seed: &str, destinations: &[RouteShare]) -> Visitors {
        let value = |route: &str| format!("{:016x}", fate(seed, "visitor", route.as_bytes()));
        let mut attributes = format!("; Path={}", cookie.path.0);
        if let Some(seconds) = cookie.max_age_seconds {
            attributes.push_str(&format!("; Max-Age={seconds}"));
        }
        attributes.push_str(match cookie.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        for (said, attribute) in [(cookie.secure, "; Secure"), (cookie.http_only, "; HttpOnly")] {
            if said {
                attributes.push_str(attribute);
            }
        }
        Visitors {
            name: cookie.name.0.clone(),
            places: destinations.iter().map(|destination| value(&destination.route)).collect(),
            nowhere: value(""),
            attributes,
        }
    }

    /// What was decided before, the place of a destination or nowhere; `None` if nothing that holds was.
    pub(super) fn recall(&self, view: &mut View<'_>, holds: impl Fn(Option<usize>) -> bool) -> Option<Option<usize>> {
        view.cookie(self.name.as_bytes(), |values| {
            let Values::One(value) = values else { return None };
            let places = self.places.iter().enumerate().map(|(place, known)| (Some(place), known));
            let mut decisions = places.chain([(None, &self.nowhere)]);
            let (decision, _) = decisions.find(|(place, known)| known.as_bytes() == value && holds(*place))?;
            Some(decision)
        })
    }

    /// The cookie to set.
    pub(super) fn remember(&self, place: Option<usize>) -> Option<HeaderEdit> {
        let value = place.map_or(Some(&self.nowhere), |place| self.places.get(place))?;
        let value = format!("{}={value}{}", self.name, self.attributes).into_bytes();
        Some(HeaderEdit::Add { name: String::from("set-cookie"), value })
    }
}

impl Decode for CookieText {
    fn decode(value: serde_json::Value) -> Result<CookieText, Invalid> {
        let text = String::decode(value)?;
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b";,=\"\\".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_plain) {
            return Err(Invalid::new("visible ASCII without `;`, `,`, `=`, `\"` and `\\` is expected"));
        }
        Ok(CookieText(text))
    }
}

impl Decode for SameSite {
    fn decode(value: serde_json::Value) -> Result<SameSite, Invalid> {
        match String::decode(value)?.as_str() {
            "strict" => Ok(SameSite::Strict),
            "lax" => Ok(SameSite::Lax),
            "none" => Ok(SameSite::None),
            _ => Err(Invalid::new("`strict`, `lax` or `none` is expected")),
        }
    }
}
