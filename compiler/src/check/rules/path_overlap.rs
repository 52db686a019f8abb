//! Which paths two routes both take, as far as that is certain.

use spec::mesh::{PathMatch, RouteMatch};

/// A path condition as Envoy compares it; a gRPC method is a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Path<'a> {
    Any,
    Prefix(std::borrow::Cow<'a, str>),
    Exact(std::borrow::Cow<'a, str>),
    Regex(&'a str),
}

pub(super) fn path(matches: &RouteMatch) -> Path<'_> {
    match (&matches.path, &matches.grpc) {
        (Some(path), _) => match &path.value {
            PathMatch::Prefix(prefix) if prefix == "/" => Path::Any,
            PathMatch::Prefix(prefix) => Path::Prefix(prefix.into()),
            PathMatch::Exact(path) => Path::Exact(path.into()),
            PathMatch::Regex(regex) if [".*", "/.*", ".+"].contains(&regex.as_str()) => Path::Any,
            PathMatch::Regex(regex) => Path::Regex(regex),
        },
        (None, Some(grpc)) => match &grpc.method {
            Some(method) => Path::Exact(format!("/{}/{}", grpc.service.value, method.value).into()),
            None => Path::Prefix(format!("/{}/", grpc.service.value).into()),
        },
        (None, None) => Path::Any,
    }
}

impl Path<'_> {
    /// Whether some path certainly meets both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Prefix(one), Self::Prefix(other)) => one.starts_with(&**other) || other.starts_with(&**one),
            (Self::Prefix(prefix), Self::Exact(path)) | (Self::Exact(path), Self::Prefix(prefix)) => {
                path.starts_with(&**prefix)
            }
            (Self::Exact(one), Self::Exact(other)) => one == other,
            (Self::Regex(one), Self::Regex(other)) => one == other,
            (Self::Regex(_), _) | (_, Self::Regex(_)) => false,
        }
    }

    /// Whether this certainly takes every path of the other.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Prefix(prefix), Self::Prefix(path) | Self::Exact(path)) => path.starts_with(&**prefix),
            _ => self == other,
        }
    }
}

/// Whether some request certainly meets both.
pub(super) fn overlap(one: &RouteMatch, other: &RouteMatch) -> bool {
    let methods = one.methods.is_empty()
        || other.methods.is_empty()
        || one.methods.iter().any(|method| other.methods.contains(method));
    // Two conditions on one header may contradict each other, unless they are the same.
    let headers = one.all_headers().all(|asked| {
        other.all_headers().all(|said| said == asked || !said.name.value.eq_ignore_ascii_case(&asked.name.value))
    });
    let query = one
        .query
        .iter()
        .all(|asked| other.query.iter().all(|said| said == asked || said.name.value != asked.name.value));
    methods
        && headers
        && query
        && (one.scheme.is_none() || other.scheme.is_none() || one.scheme == other.scheme)
        && (one.port.is_none() || other.port.is_none() || one.port == other.port)
        && case_sensitive(one) == case_sensitive(other)
        && path(one).meets(&path(other))
}

/// Whether one certainly takes every request of the other.
pub(super) fn covers(one: &RouteMatch, other: &RouteMatch) -> bool {
    // What it asks for besides the path, the other one must ask for in the same words.
    path(one).covers(&path(other))
        && (case_sensitive(one) == case_sensitive(other) || path(one) == Path::Any)
        && one.all_headers().all(|asked| other.all_headers().any(|said| said == asked))
        && one.query.iter().all(|asked| other.query.contains(asked))
        && (one.methods.is_empty()
            || (!other.methods.is_empty() && other.methods.iter().all(|method| one.methods.contains(method))))
        && (one.scheme.is_none() || one.scheme == other.scheme)
        && (one.port.is_none() || one.port == other.port)
        && (one.grpc.is_none() || one.grpc == other.grpc || other.grpc.is_some())
}

fn case_sensitive(matches: &RouteMatch) -> bool {
    matches.case_sensitive.as_ref().is_none_or(|said| said.value)
}
