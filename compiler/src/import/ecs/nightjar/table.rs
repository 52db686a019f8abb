//! The routes of several colours as one table, in which nothing hides what comes after it.

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::{PathMatch, Place, Respond, Route, RouteAction, RouteMatch, Target};
use spec::{Name, Span, Spanned};

use super::route::normal;

/// Where some requests go.
#[derive(Debug)]
pub(super) struct Share<'a> {
    pub(super) matches: &'a [RouteMatch],
    pub(super) to: &'a Name,
    pub(super) weight: u32,
    /// Whether anybody is there.
    pub(super) is_there: bool,
    pub(super) span: Span,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) routes: Vec<Route>,
    /// Those that stand before one that was said earlier, because that one would have taken all of their requests.
    pub(super) moved: Vec<Span>,
}

struct Group<'a> {
    matches: RouteMatch,
    shares: Vec<&'a Share<'a>>,
    span: Span,
}

/// Routes that match alike share their requests by weight; they are tried in the order in which they were first said, but
/// a narrower one before a wider one. What no route takes is answered 404.
pub(super) fn table(shares: &[Share<'_>]) -> Table {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for share in shares {
        for matches in share.matches {
            let matches = normal(matches.clone());
            let index = *known.entry(key(&matches)).or_insert(groups.len());
            match groups.get_mut(index) {
                Some(group) => {
                    // Of two that say the same of one colour, the last one's weight holds.
                    group.shares.retain(|other| other.to != share.to);
                    group.shares.push(share);
                }
                None => groups.push(Group { matches, shares: vec![share], span: share.span }),
            }
        }
    }
    let (order, moved) = order(&groups);
    let mut groups: Vec<Option<Group<'_>>> = groups.into_iter().map(Some).collect();
    let ordered: Vec<Group<'_>> =
        order.into_iter().filter_map(|index| groups.get_mut(index).and_then(Option::take)).collect();
    let is_whole = ordered.iter().any(|group| crate::check::covers(&group.matches, &RouteMatch::default()));
    let last = ordered.last().map(|group| group.span);
    let mut routes: Vec<Route> = ordered.into_iter().map(route).collect();
    if let Some(span) = last.filter(|_| !is_whole) {
        routes.push(not_found(span));
    }
    Table { routes, moved }
}

/// The places of the groups as they are tried, and where those were said that go before an earlier one.
fn order(groups: &[Group<'_>]) -> (Vec<usize>, Vec<Span>) {
    let mut order: Vec<usize> = Vec::with_capacity(groups.len());
    let mut moved = Vec::new();
    // Whatever covers a path begins it, or is a regular expression: so few are looked at.
    let mut by_path: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        let path = said_path(&group.matches);
        let beginnings = path.char_indices().map(|(at, letter)| path.get(..at + letter.len_utf8()).unwrap_or(path));
        let wide = ["", ".*", "/.*", ".+"];
        let known = wide.into_iter().chain(beginnings).filter_map(|path| by_path.get(path)).flatten();
        let covers = |earlier: &&usize| {
            groups.get(**earlier).is_some_and(|earlier| crate::check::covers(&earlier.matches, &group.matches))
        };
        let coverers: BTreeSet<usize> = known.filter(covers).copied().collect();
        let first = match coverers.is_empty() {
            true => None,
            false => order.iter().position(|place| coverers.contains(place)),
        };
        match first {
            Some(place) => {
                moved.push(group.span);
                order.insert(place, index);
            }
            None => order.push(index),
        }
        by_path.entry(path).or_default().push(index);
    }
    (order, moved)
}

fn said_path(matches: &RouteMatch) -> &str {
    match matches.path.as_ref().map(|path| &path.value) {
        Some(PathMatch::Prefix(path) | PathMatch::Exact(path) | PathMatch::Regex(path)) => path,
        None => "",
    }
}

/// A table for a namespace of which nothing is known.
pub(super) fn nothing(span: Span) -> Vec<Route> {
    vec![not_found(span)]
}

fn any_path(span: Span) -> Option<Spanned<PathMatch>> {
    Some(Spanned::new(PathMatch::Prefix("/".to_owned()), span))
}

/// Those of whom somebody is there share the requests; where nobody is, all of them: their callers get 503.
fn route(group: Group<'_>) -> Route {
    let Group { matches, shares, span } = group;
    let anybody = shares.iter().any(|share| share.is_there);
    let there: Vec<&Share<'_>> = shares.into_iter().filter(|share| share.is_there || !anybody).collect();
    let alone = there.len() == 1;
    let target = |share: &&Share<'_>| Target {
        service: Spanned::new(share.to.clone(), share.span),
        weight: (!alone).then_some(Spanned::new(share.weight, share.span)),
        subset: None,
        request_headers: None,
        response_headers: None,
    };
    of(matches, RouteAction::To(there.iter().map(target).collect()), span)
}

fn not_found(span: Span) -> Route {
    let matches = RouteMatch { path: any_path(span), ..RouteMatch::default() };
    let respond = Respond { status: Spanned::new(404, span), body: None, content_type: None };
    of(matches, RouteAction::Respond(Box::new(respond)), span)
}

fn of(matches: RouteMatch, action: RouteAction, span: Span) -> Route {
    Route {
        matches: RouteMatch { place: Place(Some(span)), ..matches },
        priority: None,
        timeout: None,
        idle_timeout: None,
        websocket: None,
        retry: None,
        rewrite: None,
        mirrors: Vec::new(),
        rate_limits: Vec::new(),
        cors: None,
        request_headers: None,
        response_headers: None,
        action: Spanned::new(action, span),
    }
}

/// The same for conditions that are the same, wherever they were said.
fn key(matches: &RouteMatch) -> String {
    let path = matches.path.as_ref().map(|path| &path.value);
    let case = matches.case_sensitive.as_ref().is_none_or(|said| said.value);
    let said = |said: &Option<Spanned<bool>>| said.as_ref().is_some_and(|said| said.value);
    let headers: Vec<_> = matches
        .headers
        .iter()
        .map(|it| (it.name.value.to_ascii_lowercase(), &it.value.value, said(&it.invert), said(&it.ignore_case)))
        .collect();
    let query: Vec<_> =
        matches.query.iter().map(|it| (&it.name.value, &it.value.value, said(&it.ignore_case))).collect();
    format!("{:?}", (path, case, headers, query))
}
