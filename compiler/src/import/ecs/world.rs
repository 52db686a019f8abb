//! The tasks that may get requests, each with where its containers are reached.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use spec::{Span, Spanned};

use super::lifecycle;
use super::{Options, Quarantined};
use crate::check::hosts::{self, Kind};
use crate::lower::INGRESS_PORT;
use crate::observation::text::Located;
use crate::observation::{self, Container, ContainerInstance, NetworkMode, Task, TaskDefinition};

/// What runs, in the order of the tasks' ARNs: the input of everything that gives it a meaning.
#[derive(Debug, Default)]
pub(crate) struct World<'o> {
    pub(crate) tasks: Vec<RunningTask<'o>>,
    /// Tasks that get no requests, not yet or not any more: their sidecars ask for their configuration all the same.
    pub(crate) others: Vec<RunningTask<'o>>,
    /// Tasks that run, and that nobody can reach: why, in one line.
    pub(crate) unreachable: Vec<Spanned<Quarantined>>,
    /// Tasks at addresses that nobody may dial, and task definitions whose words were refused.
    pub(crate) quarantined: Vec<Spanned<Quarantined>>,
}

/// A task that may get requests.
#[derive(Clone, Debug)]
pub(crate) struct RunningTask<'o> {
    pub(crate) task: &'o Task,
    pub(crate) definition: &'o TaskDefinition,
    /// The record of the task: where what is made of it stands.
    pub(crate) span: Span,
    pub(crate) definition_span: Span,
    /// The name of its cluster.
    pub(crate) cluster: &'o str,
    /// Its own interface's, or its host's.
    pub(crate) address: IpAddr,
    /// Where ports of containers are reached: (container, its port) → port at `address`. With `awsvpc` and `host` they are
    /// the same.
    pub(crate) ports: BTreeMap<(String, u16), u16>,
    /// The port at `address` of its sidecar's ingress, if it has one.
    pub(crate) ingress: Option<u16>,
    /// Ports of `address` that a newer task has.
    lost: BTreeSet<u16>,
}

impl<'o> World<'o> {
    /// The same world whatever the order of the records.
    pub(crate) fn of(observed: &'o Located, options: &Options) -> Self {
        let definitions: BTreeMap<&str, &Spanned<TaskDefinition>> =
            observed.task_definitions.iter().map(|it| (it.value.arn.as_str(), it)).collect();
        let instances: BTreeMap<&str, &ContainerInstance> =
            observed.container_instances.iter().map(|it| (it.value.arn.as_str(), &it.value)).collect();
        let clusters: BTreeMap<&str, &str> =
            observed.clusters.iter().map(|it| (it.value.arn.as_str(), it.value.name.as_str())).collect();
        let mut world = Self::default();
        let mut refused = BTreeSet::new();
        for record in in_order(&observed.tasks) {
            let (task, span) = (&record.value, record.span);
            let who = |who: &str, reason: String| Spanned::new(Quarantined { who: who.to_owned(), reason }, span);
            let Some(definition) = definitions.get(task.task_definition.as_str()) else {
                if lifecycle::runs(task) {
                    let reason = "its task definition is not in the record".to_owned();
                    world.unreachable.push(who(&task.arn, reason));
                }
                continue;
            };
            let may_get_requests = lifecycle::may_get_requests(task, &definition.value);
            if lifecycle::is_over(task) {
                continue;
            }
            if let Some(reason) = &definition.value.refused {
                if refused.insert(&definition.value.arn) {
                    let who = Quarantined { who: definition.value.name(), reason: reason.clone() };
                    world.quarantined.push(Spanned::new(who, definition.span));
                }
                continue;
            }
            let Some(address) = address(task, &definition.value, &instances) else {
                if may_get_requests && definition.value.network_mode != NetworkMode::None {
                    world.unreachable.push(who(&task.arn, "no address of it is known".to_owned()));
                }
                continue;
            };
            if let Some(reason) = forbidden(address, options) {
                world.quarantined.push(who(&task.arn, format!("its address is `{address}`: {reason}")));
                continue;
            }
            let cluster = clusters.get(task.cluster.as_str()).copied();
            let mut running = RunningTask {
                task,
                definition: &definition.value,
                span,
                definition_span: definition.span,
                cluster: cluster.unwrap_or_else(|| observation::last(&task.cluster)),
                address,
                ports: ports(task, &definition.value, address),
                ingress: None,
                lost: BTreeSet::new(),
            };
            running.ingress = running.sidecar_said().unwrap_or(false).then(|| running.ingress_port()).flatten();
            match may_get_requests {
                true => world.tasks.push(running),
                false => world.others.push(running),
            }
        }
        world.keep_newest();
        world
    }

    /// Of tasks with one address, or hosts' ports, the newest has it: it was given to it when the other one ended.
    fn keep_newest(&mut self) {
        let mut by_age: Vec<usize> = (0..self.tasks.len()).collect();
        by_age
            .sort_by_key(|index| self.tasks.get(*index).map(|it| (Reverse(it.task.started_at), it.task.arn.as_str())));
        let mut alone: BTreeMap<IpAddr, usize> = BTreeMap::new();
        let mut taken: BTreeSet<(IpAddr, u16)> = BTreeSet::new();
        let mut gone = BTreeSet::new();
        for index in by_age {
            let Some(it) = self.tasks.get_mut(index) else { continue };
            if it.definition.network_mode == NetworkMode::Awsvpc {
                if *alone.entry(it.address).or_insert(index) != index {
                    gone.insert(index);
                }
                continue;
            }
            let address = it.address;
            let lost: BTreeSet<u16> =
                it.ports.values().copied().filter(|port| taken.contains(&(address, *port))).collect();
            it.ports.retain(|_, port| !lost.contains(port));
            it.ingress = it.ingress.filter(|port| !lost.contains(port));
            taken.extend(it.ports.values().map(|port| (address, *port)));
            it.lost = lost;
        }
        for index in &gone {
            if let Some(it) = self.tasks.get(*index) {
                let reason = format!("a newer task has its address `{}`", it.address);
                self.unreachable.push(Spanned::new(Quarantined { who: it.task.arn.clone(), reason }, it.span));
            }
        }
        let mut index = 0..;
        self.tasks.retain(|_| index.next().is_none_or(|index| !gone.contains(&index)));
        self.unreachable.sort_by(|one, other| one.value.who.cmp(&other.value.who));
    }
}

impl RunningTask<'_> {
    /// The port at `address` by which a port of a container is reached. With an interface of its own, or the host's, every
    /// port of a container is: mappings do not matter there.
    pub(crate) fn reached(&self, container: &str, port: u16) -> Option<u16> {
        let mapped = self.ports.get(&(container.to_owned(), port)).copied();
        mapped.or_else(|| (self.has_own_ports() && self.is_up(container) && !self.has_lost(port)).then_some(port))
    }

    /// Where a sidecar's ingress is reached, if there is a sidecar: its port, or what its host makes of it.
    pub(crate) fn ingress_port(&self) -> Option<u16> {
        let mapped = self.ports.iter().find(|((_, port), _)| *port == INGRESS_PORT).map(|(_, port)| *port);
        mapped.or_else(|| (self.has_own_ports() && !self.has_lost(INGRESS_PORT)).then_some(INGRESS_PORT))
    }

    /// Whether there is a sidecar: what the task says of it; a label of bent's, whose tasks all have one; or that a container
    /// maps the port of one. `None`: nothing is known.
    pub(crate) fn sidecar_said(&self) -> Option<bool> {
        const KEY: &str = "meshwright.sidecar";
        let labels = || self.definition.containers.iter().map(|container| &container.labels);
        let tags = [&self.task.tags, &self.definition.tags];
        let said = tags.into_iter().chain(labels()).find_map(|words| words.get(KEY));
        if let Some(said) = said.map(|said| said.trim()).filter(|said| ["true", "false"].contains(said)) {
            return Some(said == "true");
        }
        let of_bent = labels().any(|labels| labels.keys().any(|key| key.starts_with("envoy.service.")));
        let mut mapped = self.definition.containers.iter().flat_map(|container| &container.ports);
        (of_bent || mapped.any(|port| port.container_port == INGRESS_PORT)).then_some(true)
    }

    /// Whether a newer task at its address has the port.
    pub(crate) fn has_lost(&self, port: u16) -> bool {
        self.lost.contains(&port)
    }

    /// Whether its definition has a container of this name.
    pub(crate) fn has_container(&self, name: &str) -> bool {
        self.definition.containers.iter().any(|container| container.name == name)
    }

    /// Ports of its containers are ports of its address.
    pub(crate) fn has_own_ports(&self) -> bool {
        matches!(self.definition.network_mode, NetworkMode::Awsvpc | NetworkMode::Host)
    }

    /// Of a task that gets no requests yet, those that start, too: its sidecar must be ready before the first one comes.
    fn is_up(&self, container: &str) -> bool {
        let gets_requests = lifecycle::may_get_requests(self.task, self.definition);
        let mut seen = self.task.containers.iter().filter(|seen| seen.name == container);
        let is_up = |seen: &Container| match gets_requests {
            true => lifecycle::container_runs(seen),
            false => lifecycle::container_is_there(seen),
        };
        self.has_container(container) && seen.all(is_up)
    }
}

impl TaskDefinition {
    /// `FAMILY:REVISION`, as ECS calls it.
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.family, self.revision)
    }
}

/// By ARN, each once.
fn in_order(tasks: &[Spanned<Task>]) -> Vec<&Spanned<Task>> {
    let mut tasks: Vec<&Spanned<Task>> = tasks.iter().collect();
    tasks.sort_by(|one, other| one.value.arn.cmp(&other.value.arn).then_with(|| newness(other).cmp(&newness(one))));
    tasks.dedup_by(|one, other| one.value.arn == other.value.arn);
    tasks
}

fn newness(task: &Spanned<Task>) -> (Option<u64>, &str, &str, &[IpAddr]) {
    let task = &task.value;
    (task.started_at, &task.desired_status, &task.last_status, &task.addresses)
}

/// Its interface's, or its host's; IPv4 where there is one.
fn address(task: &Task, definition: &TaskDefinition, instances: &BTreeMap<&str, &ContainerInstance>) -> Option<IpAddr> {
    let of_host = || instances.get(task.container_instance.as_deref()?).map(|it| it.addresses.as_slice());
    let addresses = match definition.network_mode {
        NetworkMode::Awsvpc => task.addresses.as_slice(),
        NetworkMode::Bridge | NetworkMode::Host => of_host()?,
        NetworkMode::None => return None,
    };
    addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).copied()
}

fn forbidden(address: IpAddr, options: &Options) -> Option<&'static str> {
    match hosts::of_address(address) {
        Kind::Ordinary => None,
        Kind::Loopback if options.tasks_here => None,
        Kind::Loopback => Some("on loopback everybody meets but himself"),
        Kind::Metadata => Some("instance metadata and task credentials live there"),
        Kind::LinkLocal => Some("link-local addresses are not reachable through a proxy"),
        Kind::Nowhere => Some("nothing can be dialled there"),
    }
}

/// TCP alone, of containers that run; of a task that gets no requests, not yet or not any more, of all of them: its sidecar
/// listens before the first request comes, and until the last has come.
fn ports(task: &Task, definition: &TaskDefinition, address: IpAddr) -> BTreeMap<(String, u16), u16> {
    let mut ports = BTreeMap::new();
    for container in &definition.containers {
        let seen: Vec<&Container> = task.containers.iter().filter(|seen| seen.name == container.name).collect();
        if lifecycle::may_get_requests(task, definition) && !seen.iter().all(|seen| lifecycle::container_runs(seen)) {
            continue;
        }
        let tcp = container.ports.iter().filter(|port| is_tcp(&port.protocol) && port.container_port != 0);
        for port in tcp {
            let at = match definition.network_mode {
                NetworkMode::Awsvpc | NetworkMode::Host => port.container_port,
                NetworkMode::Bridge | NetworkMode::None => port.host_port,
            };
            if at != 0 {
                ports.insert((container.name.clone(), port.container_port), at);
            }
        }
        if definition.network_mode == NetworkMode::Bridge {
            let bindings = seen.iter().flat_map(|seen| &seen.network_bindings);
            let mut bindings: Vec<_> = bindings.filter(|it| is_tcp(&it.protocol) && it.host_port != 0).collect();
            // Docker binds both families, perhaps to different ports: the one of our address counts, so it comes last.
            bindings.sort_by_key(|it| (it.bind_ip.contains(':') == address.is_ipv6(), Reverse(it.host_port)));
            for binding in bindings {
                ports.insert((container.name.clone(), binding.container_port), binding.host_port);
            }
        }
    }
    ports
}

fn is_tcp(protocol: &str) -> bool {
    protocol.is_empty() || protocol.eq_ignore_ascii_case("tcp")
}
