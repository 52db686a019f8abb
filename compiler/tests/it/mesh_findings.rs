//! What one rule finds in a mesh that reads well.

use std::fmt::Write;

use expect_test::Expect;
use meshwright_compiler::check;
use spec::{Diagnostics, SourceFile, Sources, Syntax};

use crate::findings::findings;

/// The findings of this code, in the order of the text, which stands inside the block of a mesh called `shop`, from
/// line 2 on.
#[track_caller]
pub(crate) fn of(slug: &str, text: &str) -> String {
    let (found, sources) = run(slug, text);
    findings(&found, &sources)
}

/// Compares what is found with what is expected.
#[track_caller]
pub(crate) fn check_rule(slug: &str, text: &str, expected: Expect) {
    expected.assert_eq(&of(slug, text));
}

/// Nothing is found.
#[track_caller]
pub(crate) fn quiet(slug: &str, text: &str) {
    assert_eq!(of(slug, text), "");
}

/// A service `a.svc`, of which this is said.
pub(crate) fn service(says: &str) -> String {
    format!("service \"a.svc\" {{\nendpoint \"10.0.0.1:80\"\n{says}\n}}")
}

/// Both sides show and check certificates.
pub(crate) const MUTUAL: &str = "tls { certificate provider=\"ca\"; client ca-provider=\"ca\"; }";

/// The same service, with a provider of certificates.
pub(crate) fn with_ca(says: &str) -> String {
    format!("certificate-provider \"ca\" {{ folder \"/certs\"; }}\n{}", service(says))
}

/// The same as severity and place: `error 3:5`.
#[track_caller]
pub(crate) fn places(slug: &str, text: &str) -> String {
    let (found, sources) = run(slug, text);
    let mut places = String::new();
    for finding in found.iter() {
        let severity = format!("{:?}", finding.severity).to_lowercase();
        let place = sources.position(finding.span().unwrap());
        let _ = writeln!(places, "{severity} {}:{}", place.line, place.column);
    }
    places
}

#[track_caller]
fn run(slug: &str, text: &str) -> (Diagnostics, Sources) {
    let (mut sources, mut found) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("mesh.kdl", format!("mesh \"shop\" {{\n{text}\n}}")));
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut found);
    assert!(found.is_empty(), "{}", findings(&found, &sources));
    let _ = check(&mesh.unwrap(), &sources, &mut found);
    found.sort();
    (found.into_iter().filter(|finding| finding.code.slug == slug).collect(), sources)
}
