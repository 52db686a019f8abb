//! Who notices that a container is ill, and where its words go.

use spec::diagnostic::quote;
use spec::{Diagnostic, Diagnostics, codes};

use super::super::json::Json;
use super::super::sidecar::is_log_router;
use super::{Task, is_essential, name, place};

const CODE: spec::Code = codes::TASK_HEALTH;

pub(super) fn check(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    let essential = task.applications.iter().filter(|it| is_essential(it) && !is_log_router(it));
    let is_udp = |mapping: &Json| mapping.text_of("protocol").is_some_and(|it| it.eq_ignore_ascii_case("udp"));
    let serves = |it: &&&Json| it.list_of("portMappings").iter().any(|mapping| !is_udp(mapping));
    for container in essential.clone().filter(serves) {
        if container.get("healthCheck").is_none() && !task.wanted.serves.is_empty() {
            let message = format!(
                "container `{}` has no health check: the task gets requests as soon as it runs",
                quote(name(container))
            );
            let diagnostic = Diagnostic::of(CODE, place(container, "portMappings"), message);
            diagnostics.push(diagnostic.help("write a `healthCheck`; the mesh then waits until it is `HEALTHY`"));
        }
    }
    for container in essential.copied().chain(task.sidecar).filter(|it| it.get("logConfiguration").is_none()) {
        let message = format!("what container `{}` says is lost: it has no log configuration", quote(name(container)));
        let diagnostic = Diagnostic::of(CODE, place(container, "logConfiguration"), message);
        diagnostics.push(diagnostic.help("write `logConfiguration`, for example with the driver `awslogs`"));
    }
}
