//! What tasks say in nightjar's words: tags and `NJ_…` variables of its second version, `SERVICE_…` of its first.
//!
//! ```text
//! present: tasks ─ member: what each says ─▶ colours: services with endpoints ─ table: routes by path ─▶ services
//!                                                                                                    nodes, gateways
//! ```
//!
//! Each task is read on its own: its words and its ports are never another's.

mod additions;
mod colours;
mod first;
mod member;
mod names;
mod port;
mod present;
mod proxies;
mod route;
mod table;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use spec::mesh::Vocabulary;
use spec::{Diagnostics, Mesh, Name, Spanned, codes};

use super::Options;
use super::assemble::{Draft, Finding};
use super::owners::{Right, right};
use super::quarantine::LeftOut;
use super::world::World;
use additions::Additions;
use member::{Member, Role};
use present::Present;

/// What runs, and what is written of it.
pub(crate) struct Input<'o> {
    /// The mesh as somebody wrote it.
    pub(crate) spec: &'o Mesh,
    pub(crate) world: &'o World<'o>,
    pub(crate) options: &'o Options,
    /// Whose words are left out.
    pub(crate) left_out: &'o LeftOut,
}

/// Adds what tasks say to the mesh, and to the names under which their Envoys may ask. A task whose words are wrong is left
/// out, with an error whose place is in its record, or in that of its definition.
pub(crate) fn add(input: &Input<'_>, draft: &mut Draft, diagnostics: &mut Diagnostics) {
    let present = present::present(input, Vocabulary::Nightjar);
    let members = members(input, &present, &mut draft.findings, diagnostics);
    let owns = |member: &&Member<'_>| {
        let ecs = input.spec.ecs.as_ref();
        claimed(member).iter().any(|name| right(ecs, &name.value, member.it.seen) == Right::Owns)
    };
    draft.trusted.extend(members.iter().filter(owns).map(|member| member.it.definition_span.start));
    let mut additions = Additions::new(input.spec, draft);
    let colours = colours::colours(&members, &additions, diagnostics);
    additions.namespaces(&members, &colours, diagnostics);
    additions.colours(&colours);
    proxies::nodes(&members, &mut additions);
    additions.served(&colours);
    proxies::gateways(&members, &mut additions);
    let present = present::present(input, Vocabulary::Nightjar1);
    first::add(input, &present, &mut additions, diagnostics);
}

/// Those whose services are theirs to claim.
fn members<'o>(
    input: &Input<'o>,
    present: &[Present<'o>],
    findings: &mut BTreeSet<Finding>,
    diagnostics: &mut Diagnostics,
) -> Vec<Member<'o>> {
    let mut members: Vec<Member<'o>> = present.iter().filter_map(|it| member::read(it, diagnostics)).collect();
    members.retain(|member| claimed(member).iter().all(|name| may_claim(input, &name.value, &member.it, findings)));
    contested(input, &members, findings);
    members
}

/// Whether a task may be a service: where owners are named it is one of them, and the mesh does not say itself where the
/// service runs.
fn may_claim(input: &Input<'_>, name: &Name, it: &Present<'_>, findings: &mut BTreeSet<Finding>) -> bool {
    let reason = if right(input.spec.ecs.as_ref(), name, it.seen) == Right::Denied {
        "the mesh names other owners"
    } else if additions::runs_where_it_is_said(input.spec, name) {
        "the mesh itself says where it runs"
    } else {
        return true;
    };
    let reason = format!("`{name}` is not its to claim: {reason}");
    let (who, span) = (it.definition.name(), it.definition_span);
    findings.insert(Finding { code: codes::NOT_THE_OWNER, who, reason, span });
    false
}

/// Colours of which several families speak, and nobody says who may.
fn contested(input: &Input<'_>, members: &[Member<'_>], findings: &mut BTreeSet<Finding>) {
    let mut families: BTreeMap<String, BTreeMap<&str, &Present<'_>>> = BTreeMap::new();
    for member in members.iter().filter(|member| matches!(member.role, Role::Service(_))) {
        let Some(colour) = claimed(member).into_iter().next() else { continue };
        if right(input.spec.ecs.as_ref(), &colour.value, member.it.seen) == Right::Free {
            families.entry(colour.value.key()).or_default().insert(&member.it.definition.family, &member.it);
        }
    }
    for (who, families) in families.into_iter().filter(|(_, families)| families.len() > 1) {
        let names: Vec<String> = families.keys().map(|family| format!("`{family}`")).collect();
        let reason = format!("tasks of {} claim it: name its owner in `ecs`", names.join(" and "));
        let Some(span) = families.values().next().map(|it| it.definition_span) else { continue };
        findings.insert(Finding { code: codes::CONTESTED_SERVICE, who, reason, span });
    }
}

/// The services that are made of it: colour, service and namespace. The first is its own.
fn claimed(member: &Member<'_>) -> Vec<Spanned<Name>> {
    let Role::Service(colour) = &member.role else {
        return names::through_gateways(&member.namespace).into_iter().collect();
    };
    let service = format!("{}.{}", colour.service.value, member.namespace.value);
    let color = format!("{}.{service}", colour.color.value);
    let own = [color, service].into_iter().filter_map(|name| Some(Spanned::new(Name::new(&name)?, colour.color.span)));
    own.chain([member.namespace.clone()]).collect()
}
