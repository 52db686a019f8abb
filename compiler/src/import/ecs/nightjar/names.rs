//! What the services that stand for a namespace are called.

use spec::{Name, Spanned};

/// All of its routes: what its own tasks call.
pub(super) fn inside(namespace: &Spanned<Name>) -> Spanned<Name> {
    namespace.clone()
}

/// Its public routes: what gateways and callers of other namespaces get.
pub(super) fn public(namespace: &Spanned<Name>) -> Option<Spanned<Name>> {
    named(namespace, format!("public-routes.{}", namespace.value))
}

/// What callers of one other namespace get, where routes name that one.
pub(super) fn public_for(namespace: &Spanned<Name>, caller: &Name) -> Option<Spanned<Name>> {
    named(namespace, format!("public-routes-for-{caller}.{}", namespace.value))
}

/// Its gateways, for callers of other namespaces that go through them.
pub(super) fn through_gateways(namespace: &Spanned<Name>) -> Option<Spanned<Name>> {
    named(namespace, format!("gateways-of.{}", namespace.value))
}

/// A gateway; with the task, where each is configured on its own.
pub(super) fn gateway(namespace: &Name, task: Option<&str>) -> Option<Name> {
    match task {
        Some(task) => Name::new(&format!("gateway-{namespace}-{task}")),
        None => Name::new(&format!("gateway-{namespace}")),
    }
}

/// Whether a name begins as those do that are made here: it could become one of them.
pub(super) fn is_reserved(name: &Name) -> bool {
    let key = name.key();
    let first = key.split('.').next().unwrap_or(&key);
    ["public-routes", "gateways-of"].contains(&first) || key.starts_with("public-routes-for-")
}

fn named(namespace: &Spanned<Name>, name: String) -> Option<Spanned<Name>> {
    Some(Spanned::new(Name::new(&name)?, namespace.span))
}
