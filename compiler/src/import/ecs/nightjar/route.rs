//! The forms of `NJ_ROUTE_N`: `/path`, `+/path`, `!/path` (in tags `-/path`) and `{json}`.

mod json;

use spec::mesh::{HeaderMatch, PathMatch, Place, QueryMatch, RouteMatch};
use spec::{Diagnostic, Diagnostics, Name, Span, Spanned, codes};

use super::port::Selector;
use super::words::Words;

/// A route of one service and colour.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// Which requests: a path with no slash at its end is two matches, itself and what lies below it.
    pub(super) matches: Vec<RouteMatch>,
    pub(super) weight: u32,
    /// Whether gateways, and callers of namespaces that are not named, may have it.
    pub(super) public: bool,
    /// What callers of other namespaces may, by the lower-case name of theirs.
    pub(super) access: Vec<(String, bool)>,
    pub(super) port: Selector,
    pub(super) span: Span,
}

impl Route {
    /// Whether callers of a namespace that is not the route's own may have it; `None` is a gateway.
    pub(super) fn open_to(&self, namespace: Option<&Name>) -> bool {
        let key = namespace.map(Name::key);
        let said = key.and_then(|key| self.access.iter().find(|(of, _)| *of == key));
        said.map_or(self.public, |(_, access)| *access)
    }
}

/// All routes of a task, in the order of their numbers. `None`, with the reason, when one of them is wrong.
pub(super) fn routes(words: &Words<'_>, diagnostics: &mut Diagnostics) -> Option<Vec<Route>> {
    let numbered = words.numbered("NJ_ROUTE_");
    let read: Vec<Option<Route>> =
        numbered.into_iter().map(|(number, word)| route(words, number, word, diagnostics)).collect();
    read.into_iter().collect()
}

fn route(words: &Words<'_>, number: u32, word: Spanned<&str>, diagnostics: &mut Diagnostics) -> Option<Route> {
    let span = word.span;
    let port = port(words, number, diagnostics)?;
    let weight = weight(words, number, diagnostics);
    let (public, path) = match word.value.chars().next() {
        Some('{') => {
            return match json::read(word.value, span) {
                Ok(said) => {
                    let weight = weight.or(said.weight).unwrap_or(1);
                    let json::Said { matches, public, access, .. } = said;
                    Some(Route { matches: vec![matches], weight, public, access, port, span })
                }
                Err(reason) => {
                    let message = format!("`NJ_ROUTE_{number}` is not a route: {reason}");
                    diagnostics.push(Diagnostic::error(codes::INVALID_VALUE, span, message));
                    None
                }
            };
        }
        // `!` cannot stand in a tag of AWS: `-` can.
        Some('!' | '-') => (false, word.value.get(1..)),
        Some('+') => (true, word.value.get(1..)),
        _ => (true, Some(word.value)),
    };
    let Some(path) = path.map(str::trim).filter(|path| is_path(path)) else {
        let message = format!("`NJ_ROUTE_{number}` is not a path");
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, span, message)
                .label("a path begins with `/`")
                .help("write `/path`; `!/path`, in tags `-/path`, for a private one; or a route in JSON"),
        );
        return None;
    };
    let weight = weight.unwrap_or(1);
    Some(Route { matches: at_and_below(path, span), weight, public, access: Vec::new(), port, span })
}

/// A path that ends in `/` is all that begins so; any other is itself, and what lies below it.
pub(super) fn at_and_below(path: &str, span: Span) -> Vec<RouteMatch> {
    let of = |path: PathMatch| RouteMatch { path: Some(Spanned::new(path, span)), ..RouteMatch::default() };
    match path.ends_with('/') {
        true => vec![of(PathMatch::Prefix(path.to_owned()))],
        false => vec![of(PathMatch::Exact(path.to_owned())), of(PathMatch::Prefix(format!("{path}/")))],
    }
}

/// `NJ_ROUTE_PORT_N`, else `NJ_ROUTE_PORT`, else whatever there is.
fn port(words: &Words<'_>, number: u32, diagnostics: &mut Diagnostics) -> Option<Selector> {
    let own = format!("NJ_ROUTE_PORT_{number}");
    let said = words.get(&own).map(|word| (own.as_str(), word));
    let said = said.or_else(|| words.get("NJ_ROUTE_PORT").map(|word| ("NJ_ROUTE_PORT", word)));
    let Some((key, word)) = said else { return Some(Selector::Any) };
    let read = Selector::read(word.value);
    if read.is_none() {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, word.span, format!("`{key}` is not a port"))
                .help("write `PORT`, `CONTAINER:PORT` or `BOUND-ADDRESS:PORT`"),
        );
    }
    read
}

/// What can stand in the path of a request, without its query.
pub(super) fn is_path(path: &str) -> bool {
    path.starts_with('/') && !path.contains(|letter: char| "?# ".contains(letter) || letter.is_control())
}

/// As nightjar: what is no weight is 1. A task that is left out for it would take requests with it.
fn weight(words: &Words<'_>, number: u32, diagnostics: &mut Diagnostics) -> Option<u32> {
    let key = format!("NJ_ROUTE_WEIGHT_{number}");
    let word = words.get(&key)?;
    let weight = word.value.parse().ok().filter(|weight| (1..=MAX_WEIGHT).contains(weight));
    if weight.is_none() {
        let message = format!("`{key}` is not a whole number from 1 to {MAX_WEIGHT}: taken as 1");
        diagnostics.push(Diagnostic::warning(codes::IMPORTED_DIFFERENTLY, word.span, message));
    }
    Some(weight.unwrap_or(1))
}

/// That of nightjar's schema.
const MAX_WEIGHT: u32 = 32_767;

/// Conditions as a set: two routes that ask for the same in another order are one.
pub(super) fn normal(mut matches: RouteMatch) -> RouteMatch {
    let header =
        |it: &HeaderMatch| format!("{:?}", (it.name.value.to_ascii_lowercase(), &it.value.value, it.inverted()));
    let query = |it: &QueryMatch| format!("{:?}", (&it.name.value, &it.value.value));
    matches.headers.sort_by_key(header);
    matches.headers.dedup();
    matches.query.sort_by_key(query);
    matches.query.dedup();
    matches.place = Place::default();
    matches
}
