//! Whom the running task will be taken for.

use spec::diagnostic::quote;
use spec::{Diagnostic, Diagnostics, codes};

use super::super::read::containers;
use super::{Task, name};

const CODE: spec::Code = codes::TASK_OWNER;
/// Which node a task is.
const NODE: &str = "meshwright.node";
/// bent's label: a service, and where it listens.
const SERVICE: &str = "envoy.service.";

pub(super) fn check(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    let wanted = task.wanted;
    let mut says_node = false;
    for container in containers(task.definition) {
        for (key, value) in container.get("dockerLabels").map_or(&[][..], super::Json::pairs) {
            if key == NODE {
                says_node = true;
                if value.as_text().is_some_and(|said| said != wanted.name) {
                    let message = format!("label `{NODE}` says another node than `{}`", wanted.name);
                    let diagnostic = Diagnostic::error(CODE, value.span, message);
                    diagnostics.push(diagnostic.help(format!("write `{}`", wanted.name)));
                }
            }
            let Some(service) = key.strip_prefix(SERVICE) else { continue };
            if service.contains(".annotations.") || wanted.serves.contains(service) {
                continue;
            }
            if wanted.served_by_others.contains(service) {
                let message = format!(
                    "container `{}` claims service `{}`, which node `{}` does not serve and another one does",
                    quote(name(container)),
                    quote(service),
                    wanted.name
                );
                let help =
                    format!("delete the label, or say `serves \"{}\"` in node `{}`", quote(service), wanted.name);
                diagnostics.push(Diagnostic::of(CODE, value.span, message).help(help));
            }
        }
    }
    let Some(family) = task.definition.get("family") else { return };
    if let Some(text) = family.as_text().filter(|text| !says_node && wanted.others.contains(*text)) {
        let message =
            format!("tasks of family `{}` are taken for the node of that name, not for `{}`", quote(text), wanted.name);
        let help = format!(
            "call the family `{}`, or say `\"dockerLabels\": {{\"{NODE}\": \"{}\"}}`",
            wanted.name, wanted.name
        );
        diagnostics.push(Diagnostic::of(CODE, family.span, message).help(help));
    }
}
