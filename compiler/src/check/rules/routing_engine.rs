//! What a rule of header routing says must be for one engine: our filter has no regular expressions, the route table
//! nothing sticky.

use spec::mesh::{Engine, HeaderRouting};
use spec::units::Percent;
use spec::{Diagnostic, Diagnostics, Mesh, Span, codes};

use super::super::tables::Tables;
use crate::header_routing::{needs_filter, needs_route_table};

pub(super) fn check(mesh: &Mesh, _: &Tables, diagnostics: &mut Diagnostics) {
    for routing in mesh.services.iter().filter_map(|service| service.header_routing.as_ref()) {
        of_service(routing, diagnostics);
    }
}

fn of_service(routing: &HeaderRouting, diagnostics: &mut Diagnostics) {
    let said = routing.engine.as_ref().filter(|engine| engine.value == Engine::Native).map(|engine| engine.span);
    let mut first_share: Option<Span> = None;
    for rule in &routing.rules {
        let regex = needs_route_table(&rule.conditions);
        let (Some(native), why) =
            (said.or(regex), if said.is_some() { "the engine" } else { "only Envoy compares this" })
        else {
            continue;
        };
        if let Some((what, place)) = needs_filter(rule) {
            let message = format!("the route table cannot do {what}");
            let refused = Diagnostic::error(codes::ROUTING_ENGINE, place, message)
                .label("only our filter can")
                .related(native, why);
            diagnostics.push(match said {
                Some(_) => refused.help("leave out `engine \"native\"`, or this"),
                None => refused.help("write the condition without a regular expression"),
            });
        }
        let Some(share) = rule.percent.as_ref().filter(|percent| percent.value != Percent::ALL) else { continue };
        match first_share {
            None => first_share = Some(share.span),
            Some(first) => diagnostics.push(
                Diagnostic::error(codes::ROUTING_ENGINE, share.span, "the route table throws one dice for both shares")
                    .label("whoever the first rule did not take, this one may never take")
                    .related(first, "the first share")
                    .related(native, why)
                    .help("let our filter decide, or write one rule with several targets and their weights"),
            ),
        }
    }
}
