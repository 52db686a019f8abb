//! What listens where, and what to type.

use std::net::SocketAddr;

use comfy_table::{Table, presets};
use local::InstanceKind;
use spec::Mesh;
use spec::mesh::{Call, Gateway};

use crate::launch::Started;

/// Tables of Envoys and workloads, then commands to try. `servers` are the control planes that Envoys follow.
pub(super) fn text(started: &Started, servers: &[SocketAddr]) -> String {
    format!("{}\n\n{}\n\n{}", envoys(started), workloads(started), commands(started, servers))
}

fn envoys(started: &Started) -> Table {
    let mut table = plain(["ENVOY", "SERVES", "INGRESS", "EGRESS", "METRICS", "ADMIN"]);
    for instance in &started.placement.instances {
        let node = started.placement.mesh.nodes.iter().find(|node| node.name.value == instance.name);
        let serves: Vec<String> =
            node.iter().flat_map(|node| &node.serves).map(|serve| serve.service.value.to_string()).collect();
        let at = |port: u16| format!("{}:{port}", instance.address);
        let (ingress, egress) = match instance.kind {
            InstanceKind::Node if serves.is_empty() => (String::new(), at(compiler::lower::EGRESS_PORT)),
            InstanceKind::Node => (at(compiler::lower::INGRESS_PORT), at(compiler::lower::EGRESS_PORT)),
            InstanceKind::Gateway { listen } => (at(listen), String::new()),
        };
        let kind = match instance.kind {
            InstanceKind::Node => "",
            InstanceKind::Gateway { .. } => " (gateway)",
        };
        table.add_row([
            format!("{}{kind}", instance.name),
            serves.join(" "),
            ingress,
            egress,
            at(compiler::lower::PROMETHEUS_PORT),
            at(compiler::lower::ADMIN_PORT),
        ]);
    }
    table
}

fn workloads(started: &Started) -> Table {
    let mut table = plain(["WORKLOAD", "NODE", "STANDS FOR", "LISTENS"]);
    for workload in &started.placement.workloads {
        table.add_row([
            workload.service.to_string(),
            workload.node.as_ref().map_or_else(|| "outside the mesh".to_owned(), ToString::to_string),
            workload.original.to_string(),
            workload.listen.to_string(),
        ]);
    }
    table
}

fn commands(started: &Started, servers: &[SocketAddr]) -> String {
    let mesh = &started.placement.mesh;
    let mut lines = vec!["try:".to_owned()];
    for instance in &started.placement.instances {
        let node = mesh.nodes.iter().find(|node| node.name.value == instance.name);
        let entrance = instance.entrance();
        if let Some(service) = node.and_then(|node| called(mesh, &node.calls)) {
            lines.push(format!("  curl -s -x http://{entrance} http://{service}/"));
            lines.push(format!("  curl -s -H 'Host: {service}' http://{entrance}/"));
            break;
        }
    }
    let gateways = mesh.gateways.iter().filter_map(|gateway| {
        let instance = started.placement.instances.iter().find(|instance| instance.name == gateway.name.value)?;
        Some(format!("  curl -si -H 'Host: {}' http://{}/", answered(mesh, gateway)?, instance.entrance()))
    });
    lines.extend(gateways);
    lines.push("workloads obey x-echo-status: CODE, x-echo-fail: N (with x-request-id), x-echo-delay: MS".to_owned());
    lines.push("health checks run every second here, whatever the mesh declares".to_owned());
    if !servers.is_empty() {
        let all: Vec<String> = servers.iter().map(ToString::to_string).collect();
        lines.push(format!(
            "Envoys follow {}: what is changed in the mesh reaches them as it is saved,",
            all.join(", ")
        ));
        lines.push("but for new nodes, gateways and endpoint addresses: for those start `up` again".to_owned());
    }
    lines.push(format!("configurations and logs: {}", started.running.folder().display()));
    lines.push("Ctrl-C stops everything".to_owned());
    lines.join("\n")
}

/// A service that can be called, if there is one.
fn called<'a>(mesh: &'a Mesh, calls: &'a [Call]) -> Option<&'a str> {
    let name = match Call::all(calls) {
        Some(_) => &mesh.services.first()?.name.value,
        None => Call::listed(calls).next()?.value,
    };
    Some(name.as_str())
}

/// A host that a gateway answers for.
fn answered(mesh: &Mesh, gateway: &Gateway) -> Option<String> {
    let host = || Some(gateway.hosts.first()?.pattern.value.replace('*', "www"));
    called(mesh, &gateway.calls).map(str::to_owned).or_else(host)
}

/// Columns and nothing else: readable, and easy to cut in a script.
fn plain<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}
