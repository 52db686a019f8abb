//! Reads header routing as one line of text: `x-canary: on -> canary.svc; x-tenant: * -> tenants.svc`.

use spec::mesh::{Conditions, HeaderMatch, HeaderRouting, HeaderValueMatch, Place, RoutingRule, Target};
use spec::{Name, Span, Spanned};

/// Rules in order, separated by `;`. Each is `HEADER: VALUE -> SERVICE`; several conditions of one rule are separated
/// by `,`, and `*` is any value. `None` if the text is anything else.
pub(crate) fn rules(text: &str, span: Span) -> Option<HeaderRouting> {
    let rules = text.split(';').map(|rule| self::rule(rule, span)).collect::<Option<Vec<_>>>()?;
    Some(HeaderRouting { rules, engine: None })
}

fn rule(text: &str, span: Span) -> Option<RoutingRule> {
    let (conditions, service) = text.split_once("->")?;
    let to = Spanned::new(Name::new(service.trim())?, span);
    let headers = conditions.split(',').map(|text| condition(text, span)).collect::<Option<Vec<_>>>()?;
    Some(RoutingRule {
        to: vec![Target { service: to, weight: None, subset: None, request_headers: None, response_headers: None }],
        conditions: Conditions { headers, ..Conditions::default() },
        percent: None,
        sticky: None,
        visitor_cookie: None,
        dry_run: None,
        place: Place::default(),
    })
}

fn condition(text: &str, span: Span) -> Option<HeaderMatch> {
    let (name, value) = text.split_once(':')?;
    let (name, value) = (name.trim(), value.trim());
    // A token of RFC 9110, without `_`: Envoy refuses requests with such names.
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^`|~".contains(&byte);
    let named = !name.is_empty() && name.bytes().all(is_token);
    let printable = !value.is_empty() && value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    (named && printable).then(|| {
        let value = if value == "*" { HeaderValueMatch::Present } else { HeaderValueMatch::Exact(value.to_owned()) };
        HeaderMatch::of(Spanned::new(name.to_ascii_lowercase(), span), value)
    })
}
