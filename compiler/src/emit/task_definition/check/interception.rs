//! `proxyConfiguration` says what the mesh says.

use std::collections::BTreeSet;

use spec::{Diagnostic, Diagnostics, codes};

use super::super::patch::Network;
use super::super::patch::interception::{needs_awsvpc, properties, unexpected};
use super::super::read::containers;
use super::{Task, name, start};

const CODE: spec::Code = codes::TASK_INTERCEPTION;

pub(super) fn check(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    let proxy = task.definition.get("proxyConfiguration");
    if let Some(named) = proxy.and_then(|proxy| proxy.get("containerName"))
        && let Some(text) = named.as_text()
    {
        let known = containers(task.definition).iter().any(|container| name(container) == text);
        let ours = task.sidecar.map(name);
        if !known || ours.is_some_and(|ours| ours != text) {
            let message = format!(
                "connections are redirected to container `{}`, which {}",
                spec::diagnostic::quote(text),
                if known { "is not the sidecar" } else { "is not there" }
            );
            let diagnostic = Diagnostic::of(CODE, named.span, message);
            diagnostics.push(match ours {
                Some(ours) => diagnostic.help(format!("write `{ours}`")),
                None => diagnostic.help("add the sidecar: `meshwright task-definition patch`"),
            });
        }
    }
    let Some(interception) = &task.wanted.interception else {
        return unexpected(task.definition, task.wanted, diagnostics);
    };
    if task.network != Network::Awsvpc {
        return diagnostics.push(needs_awsvpc(task.definition, task.wanted));
    }
    let Some(proxy) = proxy else {
        let message =
            format!("node `{}` expects its connections to be taken, and nothing takes them", task.wanted.name);
        let diagnostic = Diagnostic::of(CODE, start(task.definition), message);
        return diagnostics.push(diagnostic.help("add `proxyConfiguration`: `meshwright task-definition patch`"));
    };
    if let Some(kind) = proxy.get("type").filter(|kind| kind.as_text().is_some_and(|it| it != "APPMESH")) {
        let diagnostic = Diagnostic::of(CODE, kind.span, "ECS has one kind of proxy configuration");
        diagnostics.push(diagnostic.help("write `\"type\": \"APPMESH\"`"));
    }
    for (property, value) in properties(interception, task.wanted.user) {
        let said = proxy.list_of("properties").iter().find(|it| it.text_of("name") == Some(property));
        let text = said.and_then(|said| said.text_of("value"));
        let computed = said.is_some_and(|said| said.get("value").is_some_and(|value| value.as_text().is_none()));
        let unknown = property == "AppPorts" && value.is_empty();
        if computed || unknown || members(text.unwrap_or("")) == members(&value) {
            continue;
        }
        let at = said.map_or(start(proxy), |said| said.span_of("value"));
        let message = match (text, value.is_empty()) {
            (_, true) => format!("`{property}` lets connections bypass the sidecar that the mesh does not leave alone"),
            (None, _) => format!("`{property}` is missing"),
            (Some(_), _) => format!("`{property}` is not what the mesh says"),
        };
        let help = if value.is_empty() { "delete it".to_owned() } else { format!("write `{value}`") };
        diagnostics.push(Diagnostic::of(CODE, at, message).help(help));
    }
}

/// A list of numbers or addresses, in whatever order.
fn members(list: &str) -> BTreeSet<&str> {
    list.split(',').map(str::trim).filter(|it| !it.is_empty()).collect()
}
