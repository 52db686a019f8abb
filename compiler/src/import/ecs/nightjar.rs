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
mod member;
mod names;
mod port;
mod present;
mod proxies;
mod route;
mod table;
mod words;

use std::collections::BTreeMap;

use spec::{Diagnostics, Mesh, Name, Spanned};

use super::world::World;
use crate::observation::text::Located;
use crate::observation::{Task, TaskDefinition};
use additions::Additions;
use member::{Member, Role};

/// What runs, and who may say what.
pub(crate) struct Input<'a, 'o> {
    pub(crate) world: &'a World<'o>,
    pub(crate) observed: &'o Located,
    /// Tasks run on this machine: each has a node of its own.
    pub(crate) tasks_here: bool,
    /// Whether the words of a task are left out.
    pub(crate) left_out: &'a dyn Fn(&Task, &TaskDefinition) -> bool,
    /// Whether tasks of this family, in the cluster of this name, may be this service.
    pub(crate) may_claim: &'a dyn Fn(&Spanned<Name>, &TaskDefinition, &str, &mut Diagnostics) -> bool,
}

/// Adds what tasks say to the mesh, and to the names under which their Envoys may ask. A task whose words are wrong is left
/// out, with an error whose place is in its record, or in that of its definition.
pub(crate) fn add(
    input: &Input<'_, '_>,
    mesh: &mut Mesh,
    aliases: &mut BTreeMap<String, String>,
    diagnostics: &mut Diagnostics,
) {
    let present = present::present(input);
    let members = members(input, &present, diagnostics);
    let mut additions = Additions::new(mesh, aliases);
    let colours = colours::colours(&members, diagnostics);
    additions.colours(&colours);
    additions.namespaces(&members, &colours, diagnostics);
    proxies::nodes(&members, &mut additions);
    proxies::gateways(&members, &mut additions);
}

/// Those whose services are theirs to claim.
fn members<'o>(
    input: &Input<'_, 'o>,
    present: &[present::Present<'o>],
    diagnostics: &mut Diagnostics,
) -> Vec<Member<'o>> {
    let mut members: Vec<Member<'o>> = present.iter().filter_map(|it| member::read(it, diagnostics)).collect();
    let mut asked: BTreeMap<(String, String, u32, String), bool> = BTreeMap::new();
    members.retain(|member| {
        claimed(member).into_iter().all(|name| {
            let definition = member.it.definition;
            let (family, cluster) = (definition.family.clone(), member.it.cluster.to_owned());
            *asked
                .entry((name.value.key(), family, definition.revision, cluster))
                .or_insert_with(|| (input.may_claim)(&name, definition, member.it.cluster, diagnostics))
        })
    });
    members
}

/// The services that are made of it: colour, service and namespace.
fn claimed(member: &Member<'_>) -> Vec<Spanned<Name>> {
    let Role::Service(colour) = &member.role else {
        return names::through_gateways(&member.namespace).into_iter().collect();
    };
    let service = format!("{}.{}", colour.service.value, member.namespace.value);
    let color = format!("{}.{service}", colour.color.value);
    let own = [color, service].into_iter().filter_map(|name| Some(Spanned::new(Name::new(&name)?, colour.color.span)));
    own.chain([member.namespace.clone()]).collect()
}
