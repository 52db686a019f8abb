//! Which engine can do what a rule of header routing says: our filter, or the route table.

use spec::mesh::{
    AllOf, AnyOf, Conditions, CookieMatch, HeaderMatch, HeaderValueMatch, Method, QueryMatch, QueryValueMatch,
    RoutingRule,
};
use spec::{Span, Spanned};

/// A rule becomes so many routes at most.
const MAX_ALTERNATIVES: usize = 32;

/// Conditions without choices: all must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alternative<'a> {
    /// Of each list one.
    pub methods: Vec<&'a [Spanned<Method>]>,
    pub headers: Vec<&'a HeaderMatch>,
    pub cookies: Vec<&'a CookieMatch>,
    pub query: Vec<&'a QueryMatch>,
}

/// A condition that only the route table can compare: a regular expression.
pub(crate) fn needs_route_table(conditions: &Conditions) -> Option<Span> {
    let is_regex =
        |value: &Spanned<HeaderValueMatch>| matches!(value.value, HeaderValueMatch::Regex(_)).then_some(value.span);
    let headers = conditions.all_headers().find_map(|header| is_regex(&header.value));
    let cookies = || conditions.all_cookies().find_map(|cookie| is_regex(&cookie.value));
    let mut query = conditions.all_query();
    headers.or_else(cookies).or_else(|| {
        query.find_map(|query| matches!(query.value.value, QueryValueMatch::Regex(_)).then_some(query.value.span))
    })
}

/// What only our filter can do, and where it is said.
pub(crate) fn needs_filter(rule: &RoutingRule) -> Option<(&'static str, Span)> {
    let sticky = rule.sticky.as_ref().map(|sticky| ("`sticky`", sticky.key.span));
    let visitors = rule.visitor_cookie.as_ref().map(|cookie| ("`visitor-cookie`", cookie.name.span));
    let dry_run = rule.dry_run.as_ref().filter(|said| said.value).map(|said| ("`dry-run`", said.span));
    let cookie = rule.conditions.all_cookies().find_map(|cookie| {
        // Envoy's condition on a cookie compares text alone.
        let beyond = matches!(cookie.value.value, HeaderValueMatch::Present | HeaderValueMatch::Range(_));
        let inverted = cookie.invert.as_ref().filter(|said| said.value).map(|said| ("`invert` of a cookie", said.span));
        inverted.or(beyond.then_some(("this comparison of a cookie", cookie.value.span)))
    });
    let many = || {
        let place = rule.span().filter(|_| alternatives(&rule.conditions).is_none());
        place.map(|place| ("so many combinations of conditions", place))
    };
    sticky.or(visitors).or(dry_run).or(cookie).or_else(many)
}

/// The same as conditions of which one must hold, each without choices; `None`: too many for routes.
pub(crate) fn alternatives<'a>(conditions: &'a Conditions) -> Option<Vec<Alternative<'a>>> {
    let mut alternatives = vec![Alternative {
        methods: listed(&conditions.methods),
        headers: conditions.headers.iter().collect(),
        cookies: conditions.cookies.iter().collect(),
        query: conditions.query.iter().collect(),
    }];
    for group in &conditions.any {
        let choices = choices(group);
        if alternatives.len().saturating_mul(choices.len()) > MAX_ALTERNATIVES {
            return None;
        }
        let with = |known: &Alternative<'a>| choices.iter().map(|choice| known.and(choice)).collect::<Vec<_>>();
        alternatives = alternatives.iter().flat_map(with).collect();
    }
    Some(alternatives)
}

fn choices(group: &AnyOf) -> Vec<Alternative<'_>> {
    let headers = group.headers.iter().map(|it| Alternative { headers: vec![it], ..Alternative::default() });
    let cookies = group.cookies.iter().map(|it| Alternative { cookies: vec![it], ..Alternative::default() });
    let query = group.query.iter().map(|it| Alternative { query: vec![it], ..Alternative::default() });
    headers.chain(cookies).chain(query).chain(group.all.iter().map(together)).collect()
}

fn together(group: &AllOf) -> Alternative<'_> {
    Alternative {
        methods: listed(&group.methods),
        headers: group.headers.iter().collect(),
        cookies: group.cookies.iter().collect(),
        query: group.query.iter().collect(),
    }
}

fn listed(methods: &[Spanned<Method>]) -> Vec<&[Spanned<Method>]> {
    if methods.is_empty() { Vec::new() } else { vec![methods] }
}

impl<'a> Alternative<'a> {
    fn and(&self, other: &Alternative<'a>) -> Alternative<'a> {
        let mut both = self.clone();
        both.methods.extend(&other.methods);
        both.headers.extend(&other.headers);
        both.cookies.extend(&other.cookies);
        both.query.extend(&other.query);
        both
    }
}
