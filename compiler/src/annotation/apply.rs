//! Writes what annotations say into the model.

mod endpoint;
mod service;
mod weight;

use spec::mesh::{Entry, Fault, FaultAbort, FaultDelay, Mesh};
use spec::units::Percent;
use spec::{Diagnostic, Diagnostics, Span, Spanned, annotate, codes};
use std::time::Duration;

use super::collect::{Said, Subject, collect};
use super::settings::FaultSettings;

const DEFAULT_DELAY: Duration = Duration::from_millis(30);
const DEFAULT_ABORT: u16 = 503;

/// Turns every annotation of the mesh into the field it means; afterwards the mesh has no annotations.
///
/// What cannot be applied is an error or a warning with its place, and leaves the field as it was.
pub fn apply(mesh: &mut Mesh, diagnostics: &mut Diagnostics) {
    let said = collect(mesh, diagnostics);
    for (subject, said) in &said {
        match *subject {
            Subject::Service(index) => {
                if let Some(service) = mesh.services.get_mut(index) {
                    service::write(service, &said.settings, diagnostics);
                    if let Some(more) = annotate::service(service, &of_service(&said.fields), diagnostics) {
                        *service = more;
                    }
                }
            }
            Subject::Serve(at) => write_serve_fault(mesh, at.node, at.serve, said, diagnostics),
            Subject::Endpoint { .. } | Subject::Upstream { .. } => {}
        }
    }
    weight::write(mesh, &said, diagnostics);
    endpoint::write(mesh, &said, diagnostics);
}

/// Fields of the whole service; those of its endpoints come later.
fn of_service(fields: &[Entry]) -> Vec<Entry> {
    fields.iter().filter(|entry| annotate::of_service(&entry.key.value).is_some()).cloned().collect()
}

fn write_serve_fault(mesh: &mut Mesh, node: usize, serve: usize, said: &Said, diagnostics: &mut Diagnostics) {
    let Some(node) = mesh.nodes.get_mut(node) else { return };
    let Some(serve) = node.serves.get_mut(serve) else { return };
    let whose = format!("service `{}` of node `{}`", serve.service.value, node.name.value);
    write_fault(&mut serve.fault, &said.settings.fault, &whose, diagnostics);
}

/// Keeps a fault in `field`, unless the field already says another one.
fn write_fault(field: &mut Option<Fault>, said: &FaultSettings, whose: &str, diagnostics: &mut Diagnostics) {
    let Some((fault, span)) = fault(said, whose, diagnostics) else { return };
    match field {
        Some(earlier) if *earlier == fault => {}
        Some(earlier) => {
            diagnostics.push(conflict("fault", whose, span, span_of(earlier).unwrap_or(span)));
        }
        None => *field = Some(fault),
    }
}

/// What the pieces say together, and where; `None` if that is nothing.
fn fault(said: &FaultSettings, whose: &str, diagnostics: &mut Diagnostics) -> Option<(Fault, Span)> {
    let Some(inject) = said.inject else {
        for (key, span) in pieces(said) {
            diagnostics.push(ineffective(key, "fault.inject", whose, span));
        }
        return None;
    };
    if let (Some(duration), None) = (said.delay_duration, said.delay_percent) {
        diagnostics.push(ineffective("fault.delay.duration", "fault.delay.percent", whose, duration.span));
    }
    if let (Some(code), None) = (said.abort_code, said.abort_percent) {
        diagnostics.push(ineffective("fault.abort.code", "fault.abort.percent", whose, code.span));
    }
    let positive = |percent: Option<Spanned<Percent>>| percent.is_some_and(|percent| percent.value > Percent::ZERO);
    if !positive(said.delay_percent) && !positive(said.abort_percent) {
        let message = format!("`fault.inject` injects nothing into {whose}: no percentage is above 0");
        let help = "add `fault.delay.percent` or `fault.abort.percent`";
        diagnostics.push(Diagnostic::warning(codes::INEFFECTIVE_ANNOTATION, inject.span, message).help(help));
    }
    let delay = said.delay_percent.map(|percent| FaultDelay {
        duration: said.delay_duration.unwrap_or(Spanned::new(DEFAULT_DELAY, percent.span)),
        percent,
        jitter: None,
        up_to: None,
    });
    let abort = said.abort_percent.map(|percent| FaultAbort {
        status: said.abort_code.unwrap_or(Spanned::new(DEFAULT_ABORT, percent.span)),
        percent,
        body: None,
        set: Vec::new(),
    });
    let something = delay.is_some() || abort.is_some();
    something.then_some((Fault { delay, abort, ..Fault::default() }, inject.span))
}

/// The pieces of a fault that were said, `fault.inject` apart.
fn pieces(said: &FaultSettings) -> impl Iterator<Item = (&'static str, Span)> {
    let pieces = [
        ("fault.delay.percent", said.delay_percent.map(|it| it.span)),
        ("fault.delay.duration", said.delay_duration.map(|it| it.span)),
        ("fault.abort.percent", said.abort_percent.map(|it| it.span)),
        ("fault.abort.code", said.abort_code.map(|it| it.span)),
    ];
    pieces.into_iter().filter_map(|(key, span)| span.map(|span| (key, span)))
}

fn span_of(fault: &Fault) -> Option<Span> {
    let delay = fault.delay.as_ref().map(|delay| delay.percent.span);
    delay.or(fault.abort.as_ref().map(|abort| abort.percent.span))
}

fn ineffective(key: &str, needs: &str, whose: &str, span: Span) -> Diagnostic {
    let message = format!("`{key}` has no effect on {whose} without `{needs}`");
    Diagnostic::warning(codes::INEFFECTIVE_ANNOTATION, span, message).help(format!("add `{needs}`, or leave it out"))
}

/// An annotation contradicts a field.
fn conflict(what: &str, whose: &str, annotation: Span, field: Span) -> Diagnostic {
    let message = format!("an annotation and a field say different things of `{what}` on {whose}");
    Diagnostic::error(codes::CONFLICTING_ANNOTATION, annotation, message)
        .label("the annotation")
        .related(field, "the field")
        .help("say it once")
}
