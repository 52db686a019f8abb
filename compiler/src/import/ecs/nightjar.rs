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

use spec::mesh::{Service, Vocabulary};
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
    spec: &'o Mesh,
    world: &'o World<'o>,
    options: &'o Options,
    /// Whose words are left out.
    left_out: &'o LeftOut,
    /// Services of which the mesh says itself where they run, by key.
    said: BTreeSet<String>,
}

impl<'o> Input<'o> {
    pub(crate) fn of(spec: &'o Mesh, world: &'o World<'o>, options: &'o Options, left_out: &'o LeftOut) -> Self {
        let is_said = |service: &&Service| {
            let Service { endpoints, dns, ecs, cloud_map, .. } = service;
            !endpoints.is_empty() || dns.is_some() || ecs.is_some() || cloud_map.is_some()
        };
        let said = spec.services.iter().filter(is_said).map(|service| service.name.value.key()).collect();
        Self { spec, world, options, left_out, said }
    }
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
    let mut additions = Additions::new(input, draft);
    let colours = colours::colours(&members, &additions, diagnostics);
    additions.namespaces(&members, &colours, diagnostics);
    additions.colours(&colours, diagnostics);
    proxies::nodes(&members, &mut additions);
    additions.served(&colours);
    proxies::gateways(&members, &mut additions);
    let present = present::present(input, Vocabulary::Nightjar1);
    first::add(input, &present, &mut additions, diagnostics);
    additions.finish();
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
    } else if input.said.contains(&name.key()) {
        "the mesh itself says where it runs"
    } else {
        return true;
    };
    let reason = format!("`{name}` is not its to claim: {reason}");
    let (who, span) = (it.definition.name(), it.definition_span);
    findings.insert(Finding { code: codes::NOT_THE_OWNER, who, reason, span });
    false
}

/// Colours, and gateways, of which several families speak, and nobody says who may; and gateways to which the calls of others
/// go because they say so themselves.
fn contested(input: &Input<'_>, members: &[Member<'_>], findings: &mut BTreeSet<Finding>) {
    let mut families: BTreeMap<String, BTreeMap<&str, &Member<'_>>> = BTreeMap::new();
    for member in members {
        let claimed = claimed(member);
        let rights = claimed.iter().map(|name| right(input.spec.ecs.as_ref(), &name.value, member.it.seen));
        // A namespace has gateways of its own: whoever owns one owns the other.
        let mut rights = rights.take(if is_gateway(member) { 2 } else { 1 });
        let Some(first) = claimed.first().filter(|_| rights.all(|right| right == Right::Free)) else { continue };
        families.entry(first.value.key()).or_default().insert(&member.it.definition.family, member);
    }
    for (who, families) in families {
        let names: Vec<String> = families.keys().map(|family| format!("`{family}`")).collect();
        let Some(first) = families.values().next() else { continue };
        let reason = match names.as_slice() {
            [name] if takes_calls(first, members) => {
                format!("tasks of {name} get what other namespaces call, because they say so: name its owner in `ecs`")
            }
            [_] => continue,
            names => format!("tasks of {} claim it: name its owner in `ecs`", names.join(" and ")),
        };
        let span = first.it.definition_span;
        findings.insert(Finding { code: codes::CONTESTED_SERVICE, who, reason, span });
    }
}

fn is_gateway(member: &Member<'_>) -> bool {
    matches!(member.role, Role::Gateway(_))
}

/// Whether tasks of other namespaces call through it.
fn takes_calls(member: &Member<'_>, members: &[Member<'_>]) -> bool {
    let key = member.namespace.value.key();
    let calls = |other: &Member<'_>| match &other.role {
        Role::Service(colour) => colour.others.iter().any(|(namespace, _)| namespace.value.key() == key),
        Role::Gateway(_) => false,
    };
    let prefers = |other: &Member<'_>| match &other.role {
        Role::Gateway(front) => front.preferred && other.namespace.value.key() == key,
        Role::Service(_) => false,
    };
    is_gateway(member) && members.iter().any(prefers) && members.iter().any(calls)
}

/// The services that are made of it: colour, service and namespace, or the gateways of a namespace and the namespace. The first
/// is its own.
fn claimed(member: &Member<'_>) -> Vec<Spanned<Name>> {
    let Role::Service(colour) = &member.role else {
        return names::through_gateways(&member.namespace).into_iter().chain([member.namespace.clone()]).collect();
    };
    let service = format!("{}.{}", colour.service.value, member.namespace.value);
    let color = format!("{}.{service}", colour.color.value);
    let own = [color, service].into_iter().filter_map(|name| Some(Spanned::new(Name::new(&name)?, colour.color.span)));
    own.chain([member.namespace.clone()]).collect()
}
