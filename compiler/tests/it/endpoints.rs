//! Endpoints in whatever order, for callers wherever they are.

use meshwright_compiler::snapshot::Snapshot;
use meshwright_compiler::{CheckedMesh, check, compile};
use spec::{Diagnostics, SourceFile, Sources, Syntax};

use crate::golden::module;

fn checked(endpoints: &[&str], balancing: &str) -> CheckedMesh {
    let endpoints: Vec<String> = endpoints.iter().map(|endpoint| format!("endpoint {endpoint}\n")).collect();
    let text = format!(
        "mesh \"m\" {{\nservice \"a.svc\" {{\n{}health-check\nload-balancing {{ {balancing} }}\n}}\n\
         node \"here\" {{ zone \"a\"; calls \"*\" }}\nnode \"there\" {{ zone \"b\"; calls \"*\" }}\n\
         node \"beside\" {{ zone \"a\"; calls \"*\" }}\n}}",
        endpoints.concat()
    );
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("mesh.kdl", text));
    let mesh = spec::parse(file, Syntax::Kdl, &sources, &mut diagnostics).unwrap();
    check(&mesh, &sources, &mut diagnostics)
        .unwrap_or_else(|| panic!("{}", spec::render(&diagnostics, &sources, spec::Color::Plain)))
}

const ONE: &str = "\"10.0.0.1:80\" zone=\"a\"";
const TWO: &str = "\"10.0.0.2:80\" zone=\"b\"";
const THREE: &str = "\"10.0.0.3:80\" zone=\"a\" weight=5";

#[test]
fn the_order_of_endpoints_means_nothing() {
    for balancing in ["locality \"failover\"", "locality \"weighted\"", "panic-threshold 10"] {
        let one = compile(&checked(&[ONE, TWO, THREE], balancing), &module());
        assert_eq!(one, compile(&checked(&[THREE, ONE, TWO], balancing), &module()), "{balancing}");
    }
}

/// What is told anew is what would have been told from the start.
#[test]
fn a_new_endpoint_changes_what_callers_are_told_and_nothing_else() {
    for (balancing, changed) in [("panic-threshold 10", 1), ("locality \"failover\"", 2)] {
        let (before, after) = (checked(&[ONE, TWO], balancing), checked(&[ONE, TWO, THREE], balancing));
        let (mut snapshot, fresh) = (Snapshot::of(&before, &module()), Snapshot::of(&after, &module()));
        let (id, _) = after.services().next().unwrap();
        assert_eq!(snapshot.refresh_endpoints(&after, id), changed, "{balancing}");
        assert_eq!(snapshot.refresh_endpoints(&after, id), 0, "{balancing}");
        for proxy in ["here", "there", "beside"] {
            let told =
                |of: &Snapshot| of.resources(proxy).map(|it| (it.name.clone(), it.bytes.clone())).collect::<Vec<_>>();
            assert_eq!(told(&snapshot), told(&fresh), "{proxy}, {balancing}");
        }
    }
}
