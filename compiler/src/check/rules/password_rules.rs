//! Rules of passwords say one thing, of paths that everybody reads alike, and each decides for some request.

use policy::normalised;
use spec::mesh::{BasicAuth, PasswordAccess, PasswordPath, PasswordRule};
use spec::{Diagnostic, Diagnostics, Mesh, Spanned, codes};

use super::super::tables::Tables;

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    let services = mesh.services.iter().filter_map(|service| service.basic_auth.as_deref());
    for auth in services.chain(mesh.gateways.iter().filter_map(|gateway| gateway.basic_auth.as_ref())) {
        for rule in &auth.rules {
            public(rule, diagnostics);
            path(rule, diagnostics);
        }
        shadowed(auth, diagnostics);
    }
}

fn public(rule: &PasswordRule, diagnostics: &mut Diagnostics) {
    let Some(asked) = rule.groups.first().or(rule.users.first()) else { return };
    if rule.access.value == PasswordAccess::Public {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, asked.span, "a public rule asks nobody who is calling")
                .related(rule.access.span, "everybody passes")
                .help("write `users` in place of `public`, or leave this out"),
        );
    }
}

fn path(rule: &PasswordRule, diagnostics: &mut Diagnostics) {
    let Some(Spanned { value: said, span }) = &rule.path else { return };
    let (text, is_whole) = match said {
        PasswordPath::Exact(path) => (path, true),
        PasswordPath::Prefix(prefix) => (prefix, false),
    };
    let problem = match normalised(text.as_bytes()) {
        None => Some("servers do not agree which path this is"),
        // Requests are compared after their dots and repeated slashes are gone.
        Some(_) if !is_whole && ["/../", "/./", "//"].iter().any(|part| text.contains(part)) => {
            Some("no path begins so once it is normalised")
        }
        Some(_) => None,
    };
    if let Some(problem) = problem {
        diagnostics.push(
            Diagnostic::error(codes::INVALID_VALUE, *span, problem)
                .label("this would never match")
                .help("write it without `.`, `..`, repeated or escaped slashes"),
        );
    }
}

fn shadowed(auth: &BasicAuth, diagnostics: &mut Diagnostics) {
    for (index, later) in auth.rules.iter().enumerate() {
        let Some(earlier) = auth.rules.iter().take(index).find(|earlier| takes_all_of(earlier, later)) else {
            continue;
        };
        diagnostics.push(
            Diagnostic::of(codes::SHADOWED_ACCESS_RULE, later.access.span, "this rule never decides")
                .label("the first match decides")
                .related(earlier.access.span, "this earlier rule takes all of its requests")
                .help("move the narrower rule up, or delete it"),
        );
    }
}

fn takes_all_of(earlier: &PasswordRule, later: &PasswordRule) -> bool {
    let path = match (earlier.path.as_ref().map(|it| &it.value), later.path.as_ref().map(|it| &it.value)) {
        (None, _) => true,
        (Some(PasswordPath::Prefix(prefix)), Some(PasswordPath::Prefix(path) | PasswordPath::Exact(path))) => {
            path.starts_with(prefix)
        }
        (Some(PasswordPath::Exact(one)), Some(PasswordPath::Exact(other))) => one == other,
        (Some(_), _) => false,
    };
    path && among(&earlier.methods, &later.methods) && among(&earlier.hosts, &later.hosts)
}

/// Whether whatever is one of the later is one of the earlier. An empty list is anything.
fn among<T: PartialEq>(earlier: &[Spanned<T>], later: &[Spanned<T>]) -> bool {
    let known = |it: &Spanned<T>| earlier.iter().any(|earlier| earlier.value == it.value);
    earlier.is_empty() || (!later.is_empty() && later.iter().all(known))
}
