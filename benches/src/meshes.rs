//! Meshes of a given size, as text.

use std::fmt::Write;

use spec::{Diagnostics, Mesh, SourceFile, Sources, Syntax};

/// `services` services of three endpoints and one route each; the first node calls all, the others serve one each.
pub fn kdl(services: usize) -> String {
    kdl_with_routes(services, 1)
}

/// The same with as many routes of each service.
pub fn kdl_with_routes(services: usize, routes: usize) -> String {
    let mut text = String::from("mesh \"bench\" {\n");
    for index in 0..services {
        let (high, low) = (index / 250, index % 250 + 1);
        let next = (index + 1) % services;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            r#"    service "s{index}.svc" {{
        endpoint "10.1.{high}.{low}:3000" weight=50
        endpoint "10.2.{high}.{low}:3000" weight=30
        endpoint "10.3.{high}.{low}:3000" weight=20
        health-check path="/healthz"
        retry attempts=2 on="gateway-error""#
        );
        for route in 0..routes {
            let suffix = if route == 0 { String::new() } else { format!("/{route}") };
            let _ = writeln!(
                text,
                r#"        route path-prefix="/admin{suffix}" {{
            header "x-canary" exact="on"
            to "s{next}.svc" weight=5
            to "s{index}.svc" weight=95
        }}"#
            );
        }
        let _ = writeln!(text, "    }}\n    node \"n{index}\" serves=\"s{index}.svc\"");
    }
    text.push_str("    node \"caller\" calls=\"*\"\n}\n");
    text
}

/// `services` services of three endpoints and five routes each, and a node that calls all: what one compiles for one
/// task of a large mesh.
pub fn routes(services: usize) -> String {
    let mut text = String::from("mesh \"bench\" {\n");
    for index in 0..services {
        let next = (index + 1) % services;
        let _ = writeln!(text, "    service \"s{index}.svc\" {{\n{}", endpoints(index));
        for path in ["orders", "carts", "users", "items"] {
            let _ = writeln!(text, r#"        route path-prefix="/{path}" {{ to "s{next}.svc" }}"#);
        }
        let _ = writeln!(
            text,
            r#"        route path-prefix="/admin" {{
            header "x-canary" exact="on"
            to "s{index}.svc"
        }}
    }}"#
        );
    }
    text.push_str("    node \"caller\" calls=\"*\"\n}\n");
    text
}

/// `services` services of three endpoints and one route each, and `nodes` nodes that call twenty of them each.
pub fn callers(services: usize, nodes: usize) -> String {
    let mut text = String::from("mesh \"bench\" {\n");
    for index in 0..services {
        let _ = writeln!(
            text,
            r#"    service "s{index}.svc" {{
{}
        health-check path="/healthz"
        route path-prefix="/admin" timeout="5s" {{ to "s{index}.svc" }}
    }}"#,
            endpoints(index)
        );
    }
    for node in 0..nodes {
        let _ = write!(text, "    node \"n{node}\" {{ calls");
        for call in 0..20 {
            let _ = write!(text, " \"s{}.svc\"", (node * 20 + call) % services);
        }
        text.push_str(" }\n");
    }
    text + "}\n"
}

fn endpoints(index: usize) -> String {
    let (high, low) = (index / 250, index % 250 + 1);
    let endpoint = |(number, weight)| format!(r#"        endpoint "10.{number}.{high}.{low}:3000" weight={weight}"#);
    [(1, 50), (2, 30), (3, 20)].map(endpoint).join("\n")
}

/// Reads a text; `None` if it is wrong.
pub fn parse(text: &str, syntax: Syntax) -> Option<(Mesh, Sources)> {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::public("mesh", text));
    let mesh = spec::parse(file, syntax, &sources, &mut diagnostics)?;
    (!diagnostics.has_errors()).then_some((mesh, sources))
}

/// The YAML of [`kdl`]'s mesh.
pub fn yaml(services: usize) -> Option<String> {
    as_yaml(&kdl(services))
}

/// A mesh in KDL as YAML.
pub fn as_yaml(kdl: &str) -> Option<String> {
    let (mesh, _) = parse(kdl, Syntax::Kdl)?;
    Some(spec::print(&mesh, Syntax::Yaml))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_mesh_compiles() {
        let (mesh, sources) = parse(&kdl(3), Syntax::Kdl).expect("the text is right");
        let checked = compiler::check(&mesh, &sources, &mut Diagnostics::new()).expect("the mesh is right");
        assert_eq!(checked.proxies().count(), 4);
        let (twin, _) = parse(&yaml(3).expect("it prints"), Syntax::Yaml).expect("the YAML is right");
        assert_eq!(twin, mesh);
    }

    #[test]
    fn large_meshes_have_no_mistakes() {
        for text in [routes(3), callers(30, 2)] {
            let (mesh, sources) = parse(&text, Syntax::Kdl).expect("the text is right");
            assert!(compiler::check(&mesh, &sources, &mut Diagnostics::new()).is_some());
        }
    }
}
