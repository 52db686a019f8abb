//! A task definition as it was registered, and what of it starting a task needs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::World;
use crate::failure::Failure;

/// One revision of a family; it never changes.
#[derive(Clone, Debug)]
pub struct Definition {
    pub arn: String,
    pub family: String,
    pub revision: u32,
    /// As it was registered, without its tags.
    pub registered: Value,
    pub tags: BTreeMap<String, String>,
    pub registered_at: u64,
}

#[derive(Clone, Debug)]
pub struct Container {
    pub name: String,
    pub image: String,
    pub essential: bool,
    pub health_check: bool,
    pub ports: Vec<Port>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    pub container: u16,
    /// 0 or none: an ephemeral one, with `bridge`.
    pub host: Option<u16>,
    pub udp: bool,
}

impl World {
    /// Registers a new revision, if ECS would; the text is what `aws ecs register-task-definition` takes.
    pub fn register(&mut self, definition: &Value) -> Result<String, Failure> {
        crate::ecs::check_definition(definition)?;
        self.register_unchecked(definition)
    }

    /// Registers what ECS would refuse, such as labels without end: whoever reads it must not trust ECS to.
    pub fn register_unchecked(&mut self, definition: &Value) -> Result<String, Failure> {
        let mut registered = definition.clone();
        let tags = registered.as_object_mut().and_then(|fields| fields.remove("tags"));
        let family = text(&registered, "family").to_owned();
        let revisions = self.definitions.get(&family).map_or(0, Vec::len);
        let revision = u32::try_from(revisions + 1).map_err(|_| Failure::client("Too many revisions."))?;
        let arn = self.arn("ecs", &format!("task-definition/{family}:{revision}"));
        let (tags, registered_at) = (tags_of(tags.as_ref()), self.tick());
        let definition =
            Definition { arn: arn.clone(), family: family.clone(), revision, registered, tags, registered_at };
        self.definitions.entry(family).or_default().push(definition);
        Ok(arn)
    }

    /// By family (the newest), `FAMILY:REVISION` or ARN.
    pub fn definition(&self, name: &str) -> Result<&Definition, Failure> {
        let missing = || Failure::client("Unable to describe task definition.");
        let name = match name.strip_prefix("arn:") {
            None => name,
            Some(_) => name.strip_prefix(&self.arn("ecs", "task-definition/")).ok_or_else(missing)?,
        };
        let (family, revision) = match name.split_once(':') {
            None => (name, None),
            Some((family, revision)) => (family, Some(revision.parse::<usize>().map_err(|_| missing())?)),
        };
        let revisions = self.definitions.get(family).ok_or_else(missing)?;
        match revision {
            None => revisions.last(),
            Some(revision) => revision.checked_sub(1).and_then(|index| revisions.get(index)),
        }
        .ok_or_else(missing)
    }
}

impl Definition {
    /// As DescribeTaskDefinition tells it: with what ECS fills in.
    pub fn described(&self) -> Value {
        let mut described = self.registered.clone();
        let awsvpc = self.network_mode() == "awsvpc";
        for container in described["containerDefinitions"].as_array_mut().into_iter().flatten() {
            fill(container, [("cpu", json!(0)), ("essential", json!(true)), ("environment", json!([]))]);
            fill(container, [("mountPoints", json!([])), ("volumesFrom", json!([])), ("portMappings", json!([]))]);
            fill(container, [("systemControls", json!([]))]);
            for port in container["portMappings"].as_array_mut().into_iter().flatten() {
                let host = if awsvpc { port["containerPort"].clone() } else { json!(0) };
                fill(port, [("hostPort", host), ("protocol", json!("tcp"))]);
            }
        }
        fill(
            &mut described,
            [("volumes", json!([])), ("placementConstraints", json!([])), ("status", json!("ACTIVE"))],
        );
        let compatibilities = if awsvpc { json!(["EC2", "FARGATE"]) } else { json!(["EC2"]) };
        fill(&mut described, [("compatibilities", compatibilities), ("requiresAttributes", json!([]))]);
        described["taskDefinitionArn"] = json!(self.arn);
        described["revision"] = json!(self.revision);
        described["registeredAt"] = json!(self.registered_at);
        described
    }

    /// `bridge` where nothing is said.
    pub fn network_mode(&self) -> &str {
        self.registered["networkMode"].as_str().unwrap_or("bridge")
    }

    pub fn containers(&self) -> Vec<Container> {
        let containers = self.registered["containerDefinitions"].as_array().into_iter().flatten();
        let container = |value: &Value| Container {
            name: text(value, "name").to_owned(),
            image: text(value, "image").to_owned(),
            essential: value["essential"].as_bool().unwrap_or(true),
            health_check: value["healthCheck"].is_object(),
            ports: value["portMappings"].as_array().into_iter().flatten().filter_map(port).collect(),
        };
        containers.map(container).collect()
    }
}

fn port(value: &Value) -> Option<Port> {
    let number = |key: &str| value[key].as_u64().and_then(|port| u16::try_from(port).ok());
    let host = number("hostPort").filter(|port| *port != 0);
    Some(Port { container: number("containerPort")?, host, udp: value["protocol"] == "udp" })
}

fn fill<const N: usize>(object: &mut Value, defaults: [(&str, Value); N]) {
    let Some(object) = object.as_object_mut() else { return };
    for (key, value) in defaults {
        object.entry(key).or_insert(value);
    }
}

pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// `[{"key": …, "value": …}]` as ECS writes tags.
pub(crate) fn tags_of(value: Option<&Value>) -> BTreeMap<String, String> {
    let tags = value.and_then(Value::as_array).into_iter().flatten();
    tags.map(|tag| (text(tag, "key").to_owned(), text(tag, "value").to_owned())).collect()
}

pub(crate) fn tags_json(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}
