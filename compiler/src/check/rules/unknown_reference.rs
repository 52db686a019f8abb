//! Names of services and nodes that the compiler itself does not follow must stand for something too.

use std::collections::BTreeSet;

use spec::{Diagnostic, Diagnostics, Mesh, codes};

use super::super::tables::Tables;
use super::everywhere::{self, authorizations};
use crate::suggest::did_you_mean;

pub(super) fn check(mesh: &Mesh, tables: &Tables, diagnostics: &mut Diagnostics) {
    let callers = authorizations(mesh).flat_map(|(it, _)| &it.rules).flat_map(|rule| &rule.from);
    let of_faults = everywhere::faults(mesh).flat_map(|(fault, _)| {
        let control = fault.header_control.as_ref().and_then(|control| control.callers.as_ref());
        fault.callers.iter().chain(control).flat_map(|callers| &callers.from)
    });
    let callers = callers.chain(of_faults);
    let expected = mesh.tests.iter().filter_map(|test| test.expect.as_ref()?.to.as_ref());
    for name in callers.chain(expected) {
        tables.service(name.as_ref(), diagnostics);
    }
    senders(mesh, diagnostics);
}

/// A test's request is sent to a node or a gateway.
fn senders(mesh: &Mesh, diagnostics: &mut Diagnostics) {
    let names = mesh.nodes.iter().map(|node| &node.name).chain(mesh.gateways.iter().map(|gateway| &gateway.name));
    let known: BTreeSet<String> = names.map(|name| name.value.key()).collect();
    for from in mesh.tests.iter().filter_map(|test| test.request.as_ref()).map(|request| &request.from) {
        if !known.contains(&from.value.key()) {
            let message = format!("no node or gateway is called `{}`", from.value);
            let unknown =
                Diagnostic::error(codes::UNKNOWN_NODE, from.span, message).label("the request cannot be sent to it");
            let unknown = did_you_mean(unknown, from.value.as_str(), known.iter().map(String::as_str), diagnostics);
            diagnostics.push(unknown);
        }
    }
}
