//! What makes a fault: our own filter or Envoy's, and what only one of them can do.

use spec::Span;
use spec::mesh::{Engine, Fault, HeaderValueMatch};

/// What delays and aborts requests. What our filter cannot do, Envoy's does.
pub(crate) fn engine(fault: &Fault) -> Engine {
    let said = fault.engine.as_ref().map(|engine| engine.value).unwrap_or_default();
    if only_native(fault).is_some() { Engine::Native } else { said }
}

/// What of a fault's conditions only Envoy's own filter can compare, in the mesh's words.
pub(crate) fn only_native(fault: &Fault) -> Option<(&'static str, Span)> {
    let regex = fault.headers.iter().find(|header| matches!(header.value.value, HeaderValueMatch::Regex(_)))?;
    Some(("regex", regex.value.span))
}

/// What of a fault only our own filter can do, in the mesh's words.
pub(crate) fn only_ours(fault: &Fault) -> Vec<(&'static str, Span)> {
    let delay = fault.delay.as_ref();
    let abort = fault.abort.as_ref();
    let grpc_abort = fault.grpc_abort.as_ref();
    let set = abort.map(|abort| &abort.set).into_iter().chain(grpc_abort.map(|abort| &abort.set)).flatten();
    let found = [
        ("jitter", delay.and_then(|delay| delay.jitter.as_ref()).map(|it| it.span)),
        ("up-to", delay.and_then(|delay| delay.up_to.as_ref()).map(|it| it.span)),
        ("body", abort.and_then(|abort| abort.body.as_ref()).map(|it| it.span)),
        ("message", grpc_abort.and_then(|abort| abort.message.as_ref()).map(|it| it.span)),
        ("set", set.map(|header| header.name.span).next()),
        ("header-control", fault.header_control.as_ref().map(|control| control.max_percent.span)),
    ];
    found.into_iter().filter_map(|(what, span)| Some((what, span?))).chain(only_ours_chooses(fault)).collect()
}

/// How only our own filter can choose requests.
pub(crate) fn only_ours_chooses(fault: &Fault) -> Vec<(&'static str, Span)> {
    let found = [
        ("callers", fault.callers.as_ref().and_then(|callers| callers.place.0)),
        ("select", fault.select.as_ref().map(|select| select.by_header.span)),
        ("window", fault.window.as_ref().and_then(|window| window.place.0)),
    ];
    found.into_iter().filter_map(|(what, span)| Some((what, span?))).collect()
}
