//! Nodes, what they serve and what they call.

use super::fields::{Fields, Named};
use super::value::Reader;
use super::{policy, service};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::mesh::{Calls, Node, Serve};
use crate::names::Name;
use crate::source::Spanned;

pub(super) fn nodes(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let named = fields.named("node", "a node", "name", diagnostics);
    named.into_iter().filter_map(|named| node(named, diagnostics)).collect()
}

fn node(named: Named<'_>, diagnostics: &mut Diagnostics) -> Option<Node> {
    let Named { name, body: mut fields } = named;
    let name = Reader::<Name>::NODE.read(&name, diagnostics);
    let bind = fields.value("bind", Reader::IP, diagnostics);
    let served = fields.named("serves", "a served service", "service", diagnostics);
    let serves = served.into_iter().filter_map(|named| serve(named, diagnostics)).collect();
    let calls = calls(&mut fields, diagnostics);
    fields.finish(diagnostics);
    Some(Node { name: name?, serves, calls, bind })
}

fn serve(named: Named<'_>, diagnostics: &mut Diagnostics) -> Option<Serve> {
    let Named { name, body: mut fields } = named;
    let service = Reader::<Name>::NAME.read(&name, diagnostics);
    let upstreams = service::endpoints(&mut fields, "upstream", "an upstream", diagnostics);
    let fault = policy::fault(&mut fields, diagnostics);
    let annotations = policy::annotations(&mut fields, diagnostics);
    fields.finish(diagnostics);
    Some(Serve { service: service?, upstreams, fault, annotations })
}

/// `calls "a" "b"`, or `calls "*"`.
pub(super) fn calls(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Calls {
    let names = fields.scalars("calls", "the name of a service, or `*`", diagnostics);
    let Some(all) = names.iter().find(|name| name.text == "*") else {
        let read = names.into_iter().filter_map(|name| Reader::<Name>::NAME.read(name, diagnostics));
        return Calls::Listed(read.collect());
    };
    if let Some(other) = names.iter().find(|name| name.text != "*") {
        let message = "a service is named beside `*`, which is every service";
        let diagnostic = Diagnostic::error(codes::INVALID_VALUE, other.span, message);
        diagnostics.push(diagnostic.related(all.span, "every service, here").help("leave out either"));
    }
    Calls::All(Spanned::new((), all.span))
}
