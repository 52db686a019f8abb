//! The sidecar comes first: an application that starts before it finds nobody.

use std::collections::BTreeSet;

use spec::diagnostic::quote;
use spec::{Diagnostic, Diagnostics, codes};

use super::super::read::containers;
use super::super::sidecar::waited_for;
use super::{Task, name, place};

const CODE: spec::Code = codes::TASK_ORDER;

pub(super) fn check(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    cycles(task, diagnostics);
    dependencies(task, diagnostics);
    let Some(sidecar) = task.sidecar.map(name) else { return };
    for container in task.waiting(sidecar) {
        let after = container.list_of("dependsOn");
        let said = after.iter().find(|it| it.text_of("containerName") == Some(sidecar));
        let (at, message) = match said {
            None => (place(container, "dependsOn"), "does not wait for the sidecar: its first calls fail"),
            Some(said) if said.text_of("condition") != Some("HEALTHY") => {
                (said.span_of("condition"), "does not wait until the sidecar is ready: its first calls fail")
            }
            Some(_) => continue,
        };
        let message = format!("container `{}` {message}", quote(name(container)));
        let help = format!("write `\"dependsOn\": [{{\"containerName\": \"{sidecar}\", \"condition\": \"HEALTHY\"}}]`");
        diagnostics.push(Diagnostic::of(CODE, at, message).help(help));
    }
}

/// Containers that wait for each other: ECS refuses them. One finding a circle.
fn cycles(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for container in containers(task.definition) {
        let own = name(container);
        let after = waited_for(task.definition, own);
        if !after.contains(own) || known.contains(own) {
            continue;
        }
        let circle: Vec<String> =
            after.into_iter().filter(|other| waited_for(task.definition, other).contains(own)).collect();
        let message = if circle.len() > 1 {
            let quoted: Vec<String> = circle.iter().map(|it| format!("`{}`", quote(it))).collect();
            format!("containers {} wait for each other", quoted.join(", "))
        } else {
            format!("container `{}` waits for itself", quote(own))
        };
        known.extend(circle);
        let diagnostic = Diagnostic::of(CODE, place(container, "dependsOn"), message);
        diagnostics.push(diagnostic.help("let applications wait for the sidecar, and the sidecar for none of them"));
    }
}

/// Dependencies that ECS refuses.
fn dependencies(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    for container in containers(task.definition) {
        for dependency in container.list_of("dependsOn") {
            let Some(other) = dependency.get("containerName") else { continue };
            let Some(named) = other.as_text() else { continue };
            let Some(target) = containers(task.definition).iter().find(|it| name(it) == named) else {
                let message =
                    format!("container `{}` waits for `{}`, which is not there", quote(name(container)), quote(named));
                diagnostics.push(Diagnostic::of(CODE, other.span, message).help("correct the name"));
                continue;
            };
            if dependency.text_of("condition") == Some("HEALTHY") && target.get("healthCheck").is_none() {
                let message = format!("`{}` is never healthy: it has no health check", quote(named));
                let diagnostic = Diagnostic::of(CODE, dependency.span_of("condition"), message);
                diagnostics.push(diagnostic.help(format!("give `{}` a `healthCheck`", quote(named))));
            }
        }
    }
}
