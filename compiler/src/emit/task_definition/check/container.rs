//! The sidecar's own container.

use spec::diagnostic::quote;
use spec::{Diagnostic, Diagnostics, codes};

use super::super::json::Json;
use super::super::patch::{Network, STATE};
use super::super::sidecar::{BENT_XDS, NODE, XDS, is_app_mesh, is_bent, is_secret, variable};
use super::{Task, is_essential, name, place, start};

const CODE: spec::Code = codes::SIDECAR_CONTAINER;

pub(super) fn check(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    match (task.sidecar, task.foreign) {
        (Some(sidecar), _) => ours(task, sidecar, diagnostics),
        (None, Some(other)) => {
            let what = match other {
                _ if is_app_mesh(other) => "App Mesh's Envoy",
                _ if is_bent(other) => "bent's Envoy",
                _ => "not Meshwright's sidecar",
            };
            let message = format!("container `{}` is {what}", quote(name(other)));
            let help = "replace it in its place: `meshwright task-definition patch`";
            diagnostics.push(Diagnostic::of(CODE, place(other, "image"), message).help(help));
        }
        (None, None) => {
            let message = "the task has no sidecar";
            let help = "add it: `meshwright task-definition patch`";
            diagnostics.push(Diagnostic::of(CODE, start(task.definition), message).help(help));
        }
    }
}

fn ours(task: &Task<'_>, sidecar: &Json, diagnostics: &mut Diagnostics) {
    let mut found = |key: &str, message: String, help: String| {
        diagnostics.push(Diagnostic::of(CODE, place(sidecar, key), message).help(help));
    };
    if sidecar.get("image").is_none() {
        found("image", "the sidecar has no image".to_owned(), "write `\"image\": …`".to_owned());
    }
    if !is_essential(sidecar) {
        let message = "the task goes on when its sidecar has ended, and reaches nobody".to_owned();
        found("essential", message, "write `\"essential\": true`".to_owned());
    }
    let wanted = &task.wanted.name;
    match variable(sidecar, NODE).and_then(|pair| pair.get("value")) {
        // Behind a bridge each task is a node of its own, which ECS tells its sidecar.
        None if !is_secret(sidecar, NODE) && (task.network != Network::Bridge || task.wanted.is_gateway) => {
            let message = format!(
                "the sidecar is not told that it is `{wanted}`: it says its family and task, which `serve --ecs` alone knows"
            );
            diagnostics.push(
                Diagnostic::warning(CODE, place(sidecar, "environment"), message)
                    .help(format!("write `{{\"name\": \"{NODE}\", \"value\": \"{wanted}\"}}`")),
            );
        }
        Some(said) if said.as_text().is_some_and(|said| said != wanted) => {
            let message =
                format!("the sidecar says that it is `{}`, not `{wanted}`", quote(said.as_text().unwrap_or("")));
            let diagnostic = Diagnostic::of(CODE, said.span, message);
            diagnostics.push(diagnostic.help(format!("write `{wanted}`, or check it against its own node")));
            return others(task, sidecar, diagnostics);
        }
        _ => {}
    }
    others(task, sidecar, diagnostics);
}

fn others(task: &Task<'_>, sidecar: &Json, diagnostics: &mut Diagnostics) {
    let has_bootstrap = sidecar
        .list_of("command")
        .iter()
        .any(|word| word.as_text().is_some_and(|word| word == "--bootstrap" || word.starts_with("--bootstrap=")));
    let mut found = |key: &str, message: &str, help: String| {
        diagnostics.push(Diagnostic::of(CODE, place(sidecar, key), message).help(help));
    };
    let is_told = [XDS, BENT_XDS].iter().any(|it| variable(sidecar, it).is_some() || is_secret(sidecar, it));
    if !is_told && !has_bootstrap {
        let help = format!("write `{{\"name\": \"{XDS}\", \"value\": \"HOST:PORT\"}}`");
        found("environment", "the sidecar is not told where the control plane is", help);
    }
    if sidecar.get("healthCheck").is_none() {
        let help =
            "write `\"healthCheck\": {\"command\": [\"CMD\", \"meshwright\", \"sidecar\", \"health\"]}`".to_owned();
        found("healthCheck", "the sidecar has no health check: nothing can wait for it", help);
    }
    user(task, sidecar, diagnostics);
    let warning = |key: &str, message: &str| Diagnostic::warning(CODE, place(sidecar, key), message);
    if sidecar.bool_of("privileged") == Some(true) {
        diagnostics.push(warning("privileged", "the sidecar needs no privileges").help("delete `privileged`"));
    }
    let mounted = sidecar.list_of("mountPoints").iter().any(|it| it.text_of("containerPath") == Some(STATE));
    if sidecar.bool_of("readonlyRootFilesystem") == Some(true) && !mounted {
        let message =
            "the sidecar has no place to keep what Envoy acknowledged: without a control plane it starts with nothing";
        diagnostics.push(warning("readonlyRootFilesystem", message).help(format!("mount a volume at `{STATE}`")));
    }
    let files = sidecar.list_of("ulimits").iter().find(|it| it.text_of("name") == Some("nofile"));
    if let Some(limit) = files.and_then(|files| files.get("softLimit")).filter(|it| it.as_number() < Some(4096)) {
        let message = "so few files are open at once that Envoy refuses connections";
        diagnostics.push(Diagnostic::warning(CODE, limit.span, message).help("write 65536"));
    }
}

/// ECS leaves the connections of one user id alone: the sidecar's, and nobody else's.
fn user(task: &Task<'_>, sidecar: &Json, diagnostics: &mut Diagnostics) {
    let id = |container: &Json| container.text_of("user").map(|user| user.split(':').next().unwrap_or("").to_owned());
    let wanted = task.wanted.user.to_string();
    if task.wanted.interception.is_some() {
        if id(sidecar).as_ref() != Some(&wanted) {
            let message = format!("the sidecar does not run as user {wanted}: its own connections come back to it");
            let diagnostic = Diagnostic::of(codes::TASK_INTERCEPTION, place(sidecar, "user"), message);
            diagnostics.push(diagnostic.help(format!("write `\"user\": \"{wanted}\"`")));
        }
        for application in task.applications.iter().filter(|it| id(it).as_ref() == Some(&wanted)) {
            let message =
                format!("container `{}` runs as user {wanted}: it bypasses the sidecar", quote(name(application)));
            let diagnostic = Diagnostic::of(codes::TASK_INTERCEPTION, place(application, "user"), message);
            diagnostics.push(diagnostic.help("give it another user id"));
        }
    } else if id(sidecar).is_none_or(|id| id == "0" || id == "root") {
        let diagnostic = Diagnostic::warning(CODE, place(sidecar, "user"), "the sidecar may run as root");
        diagnostics.push(diagnostic.help(format!("write `\"user\": \"{wanted}\"`")));
    }
}
