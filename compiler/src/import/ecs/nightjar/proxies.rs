//! The Envoys of nightjar's tasks: nodes that call namespaces at ports of their own, and gateways.

use std::collections::BTreeMap;
use std::net::IpAddr;

use spec::mesh::{Call, Callee, Gateway, GatewayHost, Listener, Node, Target};
use spec::{Name, Span, Spanned};

use super::additions::Additions;
use super::member::{Member, Role};
use super::names;

/// One call: the service, and where the application reaches it.
#[derive(Clone, Debug, PartialEq)]
struct Called {
    service: Spanned<Name>,
    port: Option<Spanned<u16>>,
    address: Option<IpAddr>,
}

/// A task, and what it calls.
type Task<'m> = (&'m Member<'m>, Vec<Called>);

/// A node for each task definition, or, where its tasks say different things, for each task.
pub(super) fn nodes(members: &[Member<'_>], additions: &mut Additions<'_>) {
    let mut by_definition: BTreeMap<(&str, u32), Vec<Task<'_>>> = BTreeMap::new();
    for member in members {
        if let Some(called) = called(member, additions) {
            let definition = member.it.definition;
            let key = (definition.family.as_str(), definition.revision);
            by_definition.entry(key).or_default().push((member, called));
        }
    }
    for tasks in by_definition.into_values() {
        let alone = tasks.windows(2).any(|pair| matches!(pair, [(_, one), (_, other)] if one != other));
        for (member, called) in tasks {
            let Some(name) = additions.home(&member.it, alone) else { continue };
            additions.asks(&member.it, &name, member.it.node(false).as_ref() == Some(&name));
            let span = member.it.definition_span;
            let spanned = |address: IpAddr| Spanned::new(address, member.it.span);
            let calls = called.into_iter().map(|called| Call {
                local_port: called.port,
                local_address: called.address.filter(|_| called.port.is_some()).map(spanned),
                ..Call::of(called.service.map(Callee::Service))
            });
            additions.node(Node {
                bind: member.it.bind().map(spanned),
                calls: calls.collect(),
                ..Node::named(Spanned::new(name, span))
            });
        }
    }
}

/// The task's own namespace at its listen port, and others at theirs.
fn called(member: &Member<'_>, additions: &Additions<'_>) -> Option<Vec<Called>> {
    let Role::Service(colour) = &member.role else { return None };
    let address = member.it.inside();
    let own = Called { service: names::inside(&member.namespace), port: member.listen, address };
    let others = colour.others.iter().filter_map(|(namespace, port)| {
        let service = additions.other(namespace, &member.namespace.value)?;
        Some(Called { service: Spanned::new(service.value, namespace.span), port: Some(*port), address })
    });
    Some(std::iter::once(own).chain(others).collect())
}

/// A gateway for each namespace that has gateway tasks: it listens wherever one of them does, as those say that get requests.
pub(super) fn gateways(members: &[Member<'_>], additions: &mut Additions<'_>) {
    let mut fronts: BTreeMap<String, Gateway> = BTreeMap::new();
    let mut members: Vec<&Member<'_>> =
        members.iter().filter(|member| matches!(member.role, Role::Gateway(_))).collect();
    members.sort_by_key(|member| !member.it.is_routable);
    for member in members {
        if let Some(known) = additions.known_gateway(&member.it) {
            additions.asks(&member.it, &known, true);
            continue;
        }
        let task = member.it.here.then(|| member.it.task.id());
        let (Some(name), Some(port)) = (names::gateway(&member.namespace.value, task), member.listen) else { continue };
        additions.asks(&member.it, &name, task.is_none());
        let listener = Listener { port, protocol: member.protocol, tls: None, targets: Vec::new() };
        let span = member.it.definition_span;
        match fronts.get_mut(&name.key()) {
            Some(known) if known.listen.iter().any(|it| it.port == port) => {}
            Some(known) => known.listen.push(listener),
            None => {
                let Some(target) = names::public(&member.namespace) else { continue };
                let gateway = Gateway::named(Spanned::new(name.clone(), span), port);
                let bind = member.it.bind().map(|bind| Spanned::new(bind, member.it.span));
                let hosts = vec![any_host(target, span)];
                fronts.insert(name.key(), Gateway { listen: vec![listener], bind, hosts, ..gateway });
            }
        }
    }
    fronts.into_values().for_each(|gateway| additions.gateway(gateway));
}

fn any_host(service: Spanned<Name>, span: Span) -> GatewayHost {
    GatewayHost {
        pattern: Spanned::new("*".to_owned(), span),
        certificate: None,
        routes: Vec::new(),
        targets: vec![Target { service, weight: None, subset: None, request_headers: None, response_headers: None }],
        cors: None,
        rate_limits: Vec::new(),
        request_headers: None,
        response_headers: None,
    }
}
