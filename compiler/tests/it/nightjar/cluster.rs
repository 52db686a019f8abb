//! A small cluster, written as tests need it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use meshwright_compiler::import::ecs::{self, Joined, Options};
use meshwright_compiler::observation::{
    Cluster, Container, ContainerDefinition, ContainerInstance, NetworkBinding, NetworkMode, Observation, PortMapping,
    Task, TaskDefinition, text,
};
use meshwright_compiler::{CheckedMesh, check, emit, lower};
use spec::load::{FileError, Files};
use spec::{Diagnostics, Mesh, Severity, SourceFile, Sources, Syntax};

use crate::findings::findings;
use crate::golden::module;

pub(super) const CLUSTER: &str = "arn:aws:ecs:eu-central-1:1:cluster/production";

/// `KEY=VALUE`, one a line.
pub(super) fn words(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// `NAME PORT…`: a container and what it listens on.
pub(super) fn container(text: &str, environment: &str) -> ContainerDefinition {
    let mut parts = text.split_whitespace();
    let name = parts.next().unwrap_or_default().to_owned();
    let mapping = |port: &str| PortMapping {
        container_port: port.parse().unwrap(),
        host_port: 0,
        protocol: String::new(),
        name: String::new(),
    };
    let ports = parts.map(mapping).collect();
    ContainerDefinition { name, essential: true, ports, environment: words(environment), ..Default::default() }
}

/// Revision 1 of a family, with an interface for each task.
pub(super) fn definition(family: &str, containers: Vec<ContainerDefinition>) -> TaskDefinition {
    revision(family, 1, containers)
}

pub(super) fn revision(family: &str, revision: u32, containers: Vec<ContainerDefinition>) -> TaskDefinition {
    TaskDefinition {
        arn: format!("arn:aws:ecs:eu-central-1:1:task-definition/{family}:{revision}"),
        family: family.to_owned(),
        revision,
        network_mode: NetworkMode::Awsvpc,
        containers,
        ..Default::default()
    }
}

pub(super) fn bridged(definition: TaskDefinition) -> TaskDefinition {
    TaskDefinition { network_mode: NetworkMode::Bridge, ..definition }
}

/// A task that runs, at an address of its own.
pub(super) fn task(definition: &TaskDefinition, id: &str, address: &str) -> Task {
    Task {
        arn: format!("arn:aws:ecs:eu-central-1:1:task/production/{id}"),
        cluster: CLUSTER.to_owned(),
        task_definition: definition.arn.clone(),
        group: format!("service:{}", definition.family),
        last_status: "RUNNING".to_owned(),
        desired_status: "RUNNING".to_owned(),
        addresses: vec![address.parse().unwrap()],
        containers: definition
            .containers
            .iter()
            .map(|it| Container { name: it.name.clone(), ..Default::default() })
            .collect(),
        ..Default::default()
    }
}

/// A task on the instance with this address; `CONTAINER PORT HOST-PORT [BIND-IP]` a line.
pub(super) fn hosted(definition: &TaskDefinition, id: &str, host: &str, bindings: &str) -> Task {
    let mut task = task(definition, id, host);
    task.addresses.clear();
    task.container_instance = Some(instance(host).arn);
    for line in bindings.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let binding = NetworkBinding {
            container_port: parts[1].parse().unwrap(),
            host_port: parts[2].parse().unwrap(),
            bind_ip: parts.get(3).unwrap_or(&"0.0.0.0").to_string(),
            protocol: "tcp".to_owned(),
        };
        let of = task.containers.iter_mut().find(|it| it.name == parts[0]).unwrap();
        of.network_bindings.push(binding);
    }
    task
}

pub(super) fn instance(host: &str) -> ContainerInstance {
    let address: IpAddr = host.parse().unwrap();
    ContainerInstance {
        arn: format!("arn:aws:ecs:eu-central-1:1:container-instance/production/{}", host.replace('.', "-")),
        ec2_instance_id: format!("i-{}", host.replace('.', "-")),
        addresses: vec![address],
        availability_zone: None,
    }
}

/// What runs, as one record.
pub(super) fn observation(definitions: &[&TaskDefinition], tasks: &[Task]) -> Observation {
    let hosts = tasks.iter().filter_map(|task| task.container_instance.as_deref());
    let mut hosts: Vec<String> = hosts.filter_map(|arn| Some(arn.rsplit('/').next()?.replace('-', "."))).collect();
    hosts.sort();
    hosts.dedup();
    Observation {
        region: "eu-central-1".to_owned(),
        clusters: vec![Cluster { arn: CLUSTER.to_owned(), name: "production".to_owned() }],
        task_definitions: definitions.iter().map(|it| (*it).clone()).collect(),
        container_instances: hosts.iter().map(|host| instance(host)).collect(),
        tasks: tasks.to_vec(),
        ..Default::default()
    }
}

pub(super) struct Outcome {
    pub(super) mesh: Mesh,
    pub(super) joined: Joined,
    pub(super) diagnostics: Diagnostics,
    pub(super) sources: Sources,
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        Err(FileError::new(path, "there are no files here"))
    }
}

pub(super) fn import(observation: &Observation, options: &Options) -> Outcome {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let file = sources.add(SourceFile::secret("observed.json", text::write(observation)));
    let (mesh, joined) = ecs::import(file, options, &NoFiles, &mut sources, &mut diagnostics).unwrap();
    Outcome { mesh, joined, diagnostics, sources }
}

/// What runs beside a mesh that somebody wrote.
pub(super) fn join(said: &str, observation: &Observation) -> Outcome {
    let (mut sources, mut diagnostics) = (Sources::new(), Diagnostics::new());
    let spec = sources.add(SourceFile::public("mesh.kdl", said));
    let mesh = spec::parse(spec, Syntax::Kdl, &sources, &mut diagnostics).unwrap();
    let file = sources.add(SourceFile::secret("observed.json", text::write(observation)));
    let observed = text::read(file, &sources, &mut diagnostics).unwrap();
    let (mesh, joined) = ecs::join(mesh, &observed, &Options::default(), &NoFiles, &mut sources, &mut diagnostics);
    Outcome { mesh, joined, diagnostics, sources }
}

impl Outcome {
    pub(super) fn kdl(&self) -> String {
        spec::print(&self.mesh, Syntax::Kdl)
    }

    /// What is found besides notes, when the mesh is checked as well.
    pub(super) fn problems(&self) -> String {
        let mut found: Diagnostics = self.diagnostics.iter().cloned().collect();
        check(&self.mesh, &self.sources, &mut found);
        let problems = found.into_iter().filter(|it| it.severity > Severity::Note);
        findings(&problems.collect(), &self.sources)
    }

    /// The mesh holds, and Envoy's own rules find nothing wrong with what is made of it.
    #[track_caller]
    pub(super) fn checked(&self) -> CheckedMesh {
        let mut found = Diagnostics::new();
        let checked = check(&self.mesh, &self.sources, &mut found);
        let errors = found.count(Severity::Error);
        let checked = checked.filter(|_| errors == 0).unwrap_or_else(|| panic!("{}", findings(&found, &self.sources)));
        for proxy in checked.proxies() {
            let bootstrap = emit::inline(&lower(&checked, proxy, &module()));
            assert_eq!(envoy::validate(&bootstrap), [], "{}", checked.proxy_name(proxy));
            assert_eq!(envoy::deprecated(&bootstrap), [] as [String; 0]);
        }
        checked
    }

    /// The endpoints of a service.
    pub(super) fn endpoints(&self, service: &str) -> Vec<String> {
        let of = self.mesh.services.iter().filter(|it| it.name.value.as_str() == service);
        of.flat_map(|it| &it.endpoints).map(|it| it.address.value.to_string()).collect()
    }
}
