//! What the language says and lowering does not do yet. It is never left out in silence.

mod control_plane;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use spec::mesh::{QueryValueMatch, RouteMatch};
use spec::said::{self, Said};
use spec::shape::{self, Block, Says};
use spec::{Diagnostic, Diagnostics, Mesh, Severity, Span, codes};

/// A field that lowering does not do.
struct Pending {
    /// A path from the top, or the last parts of one; what is below it is meant too.
    path: &'static str,
    /// Whether a mesh says it.
    said: fn(&Mesh) -> bool,
}

/// Of an access rule's conditions Envoy's rules cannot see the port; and a regular expression over a parameter would see
/// the parameters after it, too.
const NOT_COMPILED: &[Pending] = &[
    Pending { path: "authorization.rule.port", said: |mesh| access_matches(mesh).any(|it| it.port.is_some()) },
    Pending {
        path: "authorization.rule.query.regex",
        said: |mesh| {
            let mut parameters = access_matches(mesh).flat_map(|it| &it.query);
            parameters.any(|it| matches!(it.value.value, QueryValueMatch::Regex(_)))
        },
    },
];

/// Names every field that is said and not compiled, once, at its first place.
pub fn check(mesh: &Mesh, severity: Severity, diagnostics: &mut Diagnostics) {
    control_plane::check(mesh, severity, diagnostics);
    // To visit every field of a large mesh takes as long as to check it.
    if *DEPRECATED_FIELDS || NOT_COMPILED.iter().any(|pending| (pending.said)(mesh)) {
        fields(mesh, severity, diagnostics);
    }
    if let Some(test) = mesh.tests.first() {
        let message = "tests are checked, and not run yet";
        diagnostics.push(Diagnostic::of(codes::NOT_COMPILED, test.name.span, message).label("nothing depends on it"));
    }
}

/// Whether the language has any.
static DEPRECATED_FIELDS: LazyLock<bool> = LazyLock::new(|| deprecates(shape::mesh(), &mut BTreeSet::new()));

fn deprecates(block: &'static Block, seen: &mut BTreeSet<&'static str>) -> bool {
    seen.insert(block.name)
        && block.fields.iter().any(|field| {
            let inside = match field.says {
                Says::Block(inner) | Says::Inline(inner) | Says::OneOf(inner) => deprecates(inner, seen),
                Says::Flag | Says::Value(_) | Says::Values(_) | Says::Entries => false,
            };
            inside || field.deprecated.is_some()
        })
}

/// Which requests the rules of every `authorization` are about.
fn access_matches(mesh: &Mesh) -> impl Iterator<Item = &RouteMatch> {
    let services = mesh.services.iter().filter_map(|service| service.authorization.as_ref());
    let gateways = mesh.gateways.iter().filter_map(|gateway| gateway.authorization.as_ref());
    let all = mesh.defaults.authorization.iter().chain(services).chain(gateways);
    all.flat_map(|authorization| &authorization.rules).map(|rule| &rule.matches)
}

fn fields(mesh: &Mesh, severity: Severity, diagnostics: &mut Diagnostics) {
    let mut pending: BTreeMap<String, (Span, usize)> = BTreeMap::new();
    // A mesh of ten thousand services says the same few fields again and again.
    let mut known: BTreeMap<String, bool> = BTreeMap::new();
    said::visit(mesh, &mut |Said { path, field, span, .. }| {
        let key = path.join(".");
        if let Some(instead) = field.deprecated {
            let diagnostic = Diagnostic::of(codes::DEPRECATED, span, format!("`{key}` will go"));
            diagnostics.push(diagnostic.help(format!("write {instead}")));
        }
        let compiled = known.get(&key).copied().unwrap_or_else(|| {
            let compiled = !NOT_COMPILED.iter().any(|it| ends_with_or_below(&key, it.path));
            known.insert(key.clone(), compiled);
            compiled
        });
        if compiled {
            return;
        }
        // Of a block that is not compiled, what stands in it is not worth naming.
        let ancestors = key.match_indices('.').map(|(end, _)| key.split_at(end).0);
        let inside = ancestors.into_iter().any(|ancestor| pending.contains_key(ancestor));
        if !inside {
            pending.entry(key).or_insert((span, 0)).1 += 1;
        }
    });
    for (path, (span, count)) in pending {
        let key = path.rsplit('.').next().unwrap_or(&path);
        let message = format!("`{key}` is checked, and not compiled yet");
        let label = match count {
            1 => format!("`{path}`"),
            _ => format!("`{path}`, said {count} times"),
        };
        let diagnostic = match severity {
            Severity::Error => Diagnostic::error(codes::NOT_COMPILED, span, message),
            _ => Diagnostic::of(codes::NOT_COMPILED, span, message),
        };
        diagnostics.push(diagnostic.label(label).help("leave it out to compile the rest"));
    }
}

fn ends_with_or_below(path: &str, tail: &str) -> bool {
    let mut from = 0;
    while let Some(at) = path.get(from..).and_then(|rest| rest.find(tail)) {
        let start = from + at;
        let begins = start == 0 || path.as_bytes().get(start - 1) == Some(&b'.');
        let end = path.get(start + tail.len()..).unwrap_or("");
        if begins && (end.is_empty() || end.starts_with('.')) {
            return true;
        }
        from = start + 1;
    }
    false
}
