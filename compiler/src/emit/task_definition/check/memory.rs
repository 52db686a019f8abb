//! Memory and CPU: enough for the sidecar, and of a size that ECS has.

use spec::diagnostic::quote;
use spec::{Diagnostic, Diagnostics, codes};

use super::super::json::Json;
use super::super::read::containers;
use super::{Task, name, place, start};

const CODE: spec::Code = codes::TASK_MEMORY;

/// CPU units of Fargate, and the memory that goes with them: from, to, in steps of so many megabytes.
const FARGATE: [(u64, u64, u64, u64); 7] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

pub(super) fn check(task: &Task<'_>, diagnostics: &mut Diagnostics) {
    let total = task.definition.get("memory").and_then(|memory| amount(memory, "GB", 1024));
    for container in containers(task.definition) {
        limits(task, container, diagnostics);
    }
    if let Some(sidecar) = task.sidecar {
        room(task, sidecar, total, diagnostics);
    }
    if task.is_fargate {
        fargate(task, total, diagnostics);
    }
}

/// What ECS refuses of one container.
fn limits(task: &Task<'_>, container: &Json, diagnostics: &mut Diagnostics) {
    let (hard, soft) = (container.number_of("memory"), container.number_of("memoryReservation"));
    if let Some((hard, soft)) = hard.zip(soft)
        && soft > hard
    {
        let message = format!("container `{}` reserves more memory than it may have", quote(name(container)));
        let diagnostic = Diagnostic::of(CODE, container.span_of("memoryReservation"), message);
        diagnostics.push(diagnostic.related(container.span_of("memory"), "what it may have"));
    }
    let said = container.get("memory").or(container.get("memoryReservation")).or(task.definition.get("memory"));
    if said.is_none() {
        let message = format!("container `{}` says no memory, nor does the task", quote(name(container)));
        let diagnostic = Diagnostic::of(CODE, place(container, "memory"), message);
        diagnostics.push(diagnostic.help("write `\"memoryReservation\"`, in megabytes"));
    }
}

/// Whether the sidecar has what it needs.
fn room(task: &Task<'_>, sidecar: &Json, total: Option<u64>, diagnostics: &mut Diagnostics) {
    let needed = task.wanted.megabytes;
    let why = if needed > 64 { "Envoy, and its filters in wasm, need" } else { "Envoy needs" };
    let help = format!("write {needed} or more");
    match (sidecar.number_of("memory"), sidecar.number_of("memoryReservation")) {
        (Some(hard), _) if hard < needed => {
            let message = format!("the sidecar is killed at {hard} MB; {why} {needed} MB");
            diagnostics.push(Diagnostic::of(CODE, sidecar.span_of("memory"), message).help(help));
        }
        (None, Some(soft)) if soft < needed => {
            let message = format!("the sidecar reserves {soft} MB; {why} {needed} MB");
            let at = sidecar.span_of("memoryReservation");
            diagnostics.push(Diagnostic::warning(CODE, at, message).help(help));
        }
        _ => {}
    }
    let Some(total) = total else { return };
    let reserved =
        |container: &Json| container.number_of("memoryReservation").or(container.number_of("memory")).unwrap_or(0);
    let others = task.applications.iter().map(|it| reserved(it)).fold(0, u64::saturating_add);
    let at = task.definition.span_of("memory");
    if others.saturating_add(reserved(sidecar)) > total {
        let message = format!("containers reserve more than the {total} MB of the task");
        diagnostics.push(Diagnostic::of(CODE, at, message).help("give the task more, or containers less"));
    } else if total - others < needed {
        let message =
            format!("of the task's {total} MB {} are left for the sidecar; {why} {needed} MB", total - others);
        diagnostics.push(Diagnostic::of(CODE, at, message).help("give the task more, or the application less"));
    }
}

fn fargate(task: &Task<'_>, memory: Option<u64>, diagnostics: &mut Diagnostics) {
    for key in ["cpu", "memory"] {
        if task.definition.get(key).is_none() {
            let message = format!("Fargate needs `{key}` of the task");
            diagnostics.push(Diagnostic::of(CODE, start(task.definition), message).help(format!("write `\"{key}\"`")));
        }
    }
    let Some(said) = task.definition.get("cpu") else { return };
    let Some(cpu) = amount(said, "vCPU", 1024) else { return };
    let Some((_, least, most, step)) = FARGATE.iter().find(|(units, ..)| *units == cpu) else {
        let message = format!("Fargate is not known to have {cpu} CPU units");
        let units: Vec<String> = FARGATE.iter().map(|(units, ..)| units.to_string()).collect();
        let help = format!("write one of {}", units.join(", "));
        return diagnostics.push(Diagnostic::warning(CODE, said.span, message).help(help));
    };
    let fits = |memory: u64| match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        _ => (*least..=*most).contains(&memory) && (memory - least).is_multiple_of(*step),
    };
    if let Some(memory) = memory.filter(|memory| !fits(*memory)) {
        let message = format!("Fargate has no {memory} MB with {cpu} CPU units");
        let help = match cpu {
            256 => "write 512, 1024 or 2048".to_owned(),
            _ => format!("write {least} to {most}, in steps of {step}"),
        };
        let diagnostic = Diagnostic::of(CODE, task.definition.span_of("memory"), message);
        diagnostics.push(diagnostic.related(said.span, "CPU units").help(help));
    }
}

/// A number, or one with a unit: `512`, `"512"`, `"1 GB"`, `".5 vCPU"`. Others are not known, and nothing is said of them.
fn amount(value: &Json, unit: &str, factor: u64) -> Option<u64> {
    if let Some(number) = value.as_number() {
        return Some(number);
    }
    let text = value.as_text()?.trim();
    let split = text.len().checked_sub(unit.len())?;
    let (number, its) = text.split_at_checked(split)?;
    if !its.eq_ignore_ascii_case(unit) {
        return None;
    }
    let number: f64 = number.trim().parse().ok().filter(|it: &f64| (0.0..1000.0).contains(it))?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "it is small"
    )]
    let amount = (number * factor as f64).round() as u64;
    Some(amount)
}
