//! The variables of nightjar's first version, all of one container.

use std::collections::BTreeMap;

use spec::mesh::{EcsDiscovery, Place};
use spec::{Diagnostic, Diagnostics, Span, Spanned, codes};

use super::super::present::Present;
use crate::observation;

/// What one container says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) egress_port: Option<Spanned<u16>>,
    pub(super) ingress_port: Option<Spanned<u16>>,
    pub(super) egress: Vec<Egress>,
    pub(super) ingress: Vec<Ingress>,
}

/// Paths of another ECS service.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Egress {
    pub(super) cluster: String,
    pub(super) service: String,
    pub(super) path: Spanned<String>,
    pub(super) container: Option<String>,
    pub(super) port: Option<u16>,
}

/// Paths of a container of the same task.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ingress {
    pub(super) container: String,
    pub(super) path: Spanned<String>,
    pub(super) port: Option<u16>,
}

impl Egress {
    /// The tasks that it leads to, in the mesh's words.
    pub(super) fn meant(&self) -> EcsDiscovery {
        let spanned = |text: &str| Spanned::new(text.to_owned(), self.path.span);
        EcsDiscovery {
            cluster: Some(spanned(&self.cluster)),
            service: Some(spanned(&self.service)),
            family: None,
            container: self.container.as_deref().map(spanned),
            port: self.port.map(|port| Spanned::new(port, self.path.span)),
            place: Place(Some(self.path.span)),
        }
    }
}

/// Of the first container that says any of it. `None` for a task that takes no part, and, with an error, for one whose
/// variables are wrong.
pub(super) fn read(it: &Present<'_>, diagnostics: &mut Diagnostics) -> Option<Said> {
    let containers = it.definition.containers.iter().map(|container| Variables::of(it, &container.name));
    let variables = containers.into_iter().find(Variables::speak)?;
    let before = diagnostics.faults();
    let said = Said {
        egress_port: variables.port("EGRESS_LISTEN_PORT", diagnostics),
        ingress_port: variables.port("INGRESS_LISTEN_PORT", diagnostics),
        egress: egress(it, &variables, diagnostics),
        ingress: ingress(&variables, diagnostics),
    };
    (diagnostics.faults() == before).then_some(said)
}

fn egress(it: &Present<'_>, variables: &Variables<'_>, diagnostics: &mut Diagnostics) -> Vec<Egress> {
    let mut found = Vec::new();
    for number in 1.. {
        let key = |what: &str| format!("SERVICE_{what}_{number}");
        let Some(arn) = variables.get(&key("ARN")) else { break };
        let Some(path) = variables.path(&key("PATH"), diagnostics) else { break };
        let (of_arn, service) = service(arn.value);
        let said = variables.get(&key("CLUSTER")).or_else(|| variables.get("CLUSTER"));
        let cluster = said.map(|said| observation::last(said.value)).or(of_arn).unwrap_or(it.cluster);
        let (cluster, service) = (cluster.to_owned(), service.to_owned());
        let container = variables.get(&key("CONTAINER")).map(|said| said.value.to_owned());
        let port = variables.port(&key("PORT"), diagnostics).map(|port| port.value);
        found.push(Egress { cluster, service, path, container, port });
    }
    variables.report_gap("SERVICE_ARN_", found.len(), "SERVICE_ARN_X and SERVICE_PATH_X", diagnostics);
    found
}

/// The variables are called `CONTAINER_…` in nightjar's manual and `TASK_…` in its code.
fn ingress(variables: &Variables<'_>, diagnostics: &mut Diagnostics) -> Vec<Ingress> {
    let mut found = Vec::new();
    for number in 1.. {
        let either = |what: &str| {
            let names = [format!("CONTAINER_{what}_{number}"), format!("TASK_{what}_{number}")];
            names.into_iter().find(|name| variables.get(name).is_some()).unwrap_or_default()
        };
        let Some(container) = variables.get(&either("NAME")) else { break };
        let Some(path) = variables.path(&either("PATH"), diagnostics) else { break };
        let port = variables.port(&either("PORT"), diagnostics).map(|port| port.value);
        found.push(Ingress { container: container.value.to_owned(), path, port });
    }
    for prefix in ["CONTAINER_NAME_", "TASK_NAME_"] {
        variables.report_gap(prefix, found.len(), "CONTAINER_NAME_X and CONTAINER_PATH_X", diagnostics);
    }
    found
}

/// The cluster, where the ARN has it, and the name.
fn service(arn: &str) -> (Option<&str>, &str) {
    let tail = arn.rsplit_once(":service/").map_or(arn, |(_, tail)| tail);
    match tail.rsplit_once('/') {
        Some((cluster, name)) => (Some(observation::last(cluster)), name),
        None => (None, tail),
    }
}

/// What the task's start says, else its definition.
struct Variables<'o>(BTreeMap<&'o str, Spanned<&'o str>>);

impl<'o> Variables<'o> {
    fn of(it: &Present<'o>, container: &str) -> Self {
        let replaced = it.task.environment.get(container).map(|words| (words, it.span));
        let definition = it.definition.containers.iter().find(|known| known.name == container);
        let defined = definition.map(|known| (&known.environment, it.definition_span));
        let mut words = BTreeMap::new();
        for (place, span) in replaced.into_iter().chain(defined) {
            for (name, text) in place.iter().map(|(name, text)| (name.as_str(), text.trim())) {
                if !text.is_empty() {
                    words.entry(name).or_insert(Spanned::new(text, span));
                }
            }
        }
        Self(words)
    }

    /// Whether they are nightjar's: other programs have variables of such names too.
    fn speak(&self) -> bool {
        let any = |prefix: &str| self.0.keys().any(|name| name.starts_with(prefix));
        let ingress = any("CONTAINER_NAME_") || any("TASK_NAME_");
        any("SERVICE_ARN_") || (ingress && self.0.contains_key("INGRESS_LISTEN_PORT"))
    }

    fn get(&self, name: &str) -> Option<Spanned<&'o str>> {
        self.0.get(name).map(|word| Spanned::new(word.value, word.span))
    }

    fn port(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<Spanned<u16>> {
        let word = self.get(name)?;
        let port = word.value.parse().ok().filter(|port| *port != 0);
        if port.is_none() {
            diagnostics.push(wrong(word.span, format!("`{name}` is not a port")));
        }
        port.map(|port| Spanned::new(port, word.span))
    }

    fn path(&self, name: &str, diagnostics: &mut Diagnostics) -> Option<Spanned<String>> {
        let word = self.get(name)?;
        if super::super::route::is_path(word.value) {
            return Some(Spanned::new(word.value.to_owned(), word.span));
        }
        diagnostics.push(wrong(word.span, format!("`{name}` is not a path")).label("a path begins with `/`"));
        None
    }

    /// As nightjar: numbers after a gap are not read.
    fn report_gap(&self, prefix: &str, read: usize, needed: &str, diagnostics: &mut Diagnostics) {
        let number = |name: &str| name.strip_prefix(prefix)?.parse::<usize>().ok();
        let beyond = self.0.iter().find(|(name, _)| number(name).is_some_and(|number| number > read));
        if let Some((name, word)) = beyond {
            let message = format!("`{name}` is not read: number {} is not there as a whole", read + 1);
            diagnostics.push(
                Diagnostic::warning(codes::NOT_MAPPED, word.span, message)
                    .help(format!("number {needed} from 1 on without gaps, as nightjar wants it")),
            );
        }
    }
}

fn wrong(span: Span, message: String) -> Diagnostic {
    Diagnostic::error(codes::INVALID_VALUE, span, message)
}
