//! The door for scripts in other languages: `/_fake/…`, in JSON.
//!
//! | Request | What it does |
//! |---|---|
//! | `POST /_fake/change` | one change, or a list of them, see [`Change`]; what each gave comes back |
//! | `POST /_fake/faults` | these faults in place of those before |
//! | `POST /_fake/limits` | `{"rate": 20, "burst": 100}`, `"aws"`, or `null` |
//! | `POST /_fake/credentials` | `{"accessKey": …, "secretKey": …}`, which must then sign all calls, or `null` |
//! | `GET /_fake/tasks` | every task, in short |
//! | `GET /_fake/calls`, `DELETE /_fake/calls` | counts by action and outcome |

use std::net::IpAddr;

use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::calls::Calls;
use crate::failure::Failure;
use crate::faults::Fault;
use crate::limits::{Limits, Rate};
use crate::reply::Reply;
use crate::server::{State, lock};
use crate::signature::Credentials;
use crate::world::{Health, NewService, Pace, Run, Status, Task, World};

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Change {
    CreateCluster { name: String },
    Register { definition: Value },
    RegisterUnchecked { definition: Value },
    AddInstance { cluster: String, addresses: Vec<IpAddr> },
    RemoveInstance { instance: String },
    CreateService(NewService),
    SetDesired { cluster: String, service: String, desired: usize },
    Deploy { cluster: String, service: String, task_definition: String },
    RunTask(Run),
    ReplaceTask { task: String, address: Option<IpAddr> },
    StopTask { task: String, reason: Option<String> },
    ForgetTask { task: String },
    Advance { task: String },
    Settle,
    SetHealth { task: String, container: Option<String>, health: Health },
    SetStatus { task: String, status: Status },
    SetAddress { task: String, address: IpAddr },
    TagTask { task: String, key: String, value: String },
    AddAddresses { addresses: Vec<IpAddr> },
    AtOnce,
    ByHand,
    ExpireTokens,
    Remember,
    RegisterInstance { namespace: String, service: String, id: String, address: IpAddr, port: u16 },
    DeregisterInstance { namespace: String, service: String, id: String },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Value>),
    One(Value),
}

pub(crate) fn answer(state: &State, method: &Method, path: &str, body: &[u8]) -> Reply {
    let (status, answer) = match handle(state, method, path, body) {
        Ok(answer) => (200, answer),
        Err(failure) => (failure.status, failure.json()),
    };
    let (content_type, request_id) = ("application/json", String::new());
    Reply { status, content_type, request_id, text: answer.to_string() }
}

fn handle(state: &State, method: &Method, path: &str, body: &[u8]) -> Result<Value, Failure> {
    match (method.as_str(), path) {
        ("POST", "change") => {
            let changes = match read::<OneOrMany>(body)? {
                OneOrMany::Many(changes) => changes,
                OneOrMany::One(change) => vec![change],
            };
            changes.into_iter().map(|one| change(state, from(one)?)).collect()
        }
        ("POST", "faults") => {
            lock(&state.faults).set(read::<Vec<Fault>>(body)?);
            Ok(Value::Null)
        }
        ("POST", "limits") => {
            *lock(&state.limits) = match read::<Value>(body)? {
                Value::Null => Limits::none(),
                Value::String(name) if name == "aws" => Limits::aws(),
                rate => from::<Rate>(rate).map(|Rate { rate, burst }| Limits::shared(rate, burst))?,
            };
            Ok(Value::Null)
        }
        ("POST", "credentials") => {
            *lock(&state.credentials) = read::<Option<Credentials>>(body)?;
            Ok(Value::Null)
        }
        ("GET", "tasks") => Ok(lock(&state.world).tasks().map(short).collect()),
        ("GET", "calls") => Ok(json!(*lock(&state.calls))),
        ("DELETE", "calls") => {
            *lock(&state.calls) = Calls::default();
            Ok(Value::Null)
        }
        _ => Err(Failure { status: 404, ..Failure::new("NoSuchDoor", format!("there is no {method} /_fake/{path}")) }),
    }
}

fn change(state: &State, change: Change) -> Result<Value, Failure> {
    let world = &mut *lock(&state.world);
    Ok(match change {
        Change::CreateCluster { name } => json!(world.create_cluster(&name)),
        Change::Register { definition } => json!(world.register(&definition)?),
        Change::RegisterUnchecked { definition } => json!(world.register_unchecked(&definition)?),
        Change::AddInstance { cluster, addresses } => json!(world.add_instance(&cluster, &addresses)?),
        Change::RemoveInstance { instance } => json!(world.remove_instance(&instance)),
        Change::CreateService(service) => json!(world.create_service(service)?),
        Change::SetDesired { cluster, service, desired } => json!(world.set_desired(&cluster, &service, desired)?),
        Change::Deploy { cluster, service, task_definition } => {
            json!(world.deploy(&cluster, &service, &task_definition)?)
        }
        Change::RunTask(run) => json!(world.run_task(run)?),
        Change::AddAddresses { addresses } => json!(world.addresses.extend(addresses)),
        Change::AtOnce | Change::ByHand => {
            world.pace = if matches!(change, Change::AtOnce) { Pace::AtOnce } else { Pace::ByHand };
            Value::Null
        }
        Change::Settle => json!(world.settle()),
        Change::ExpireTokens => json!(world.expire_tokens()),
        Change::Remember => {
            *lock(&state.remembered) = Some(world.clone());
            Value::Null
        }
        Change::RegisterInstance { namespace, service, id, address, port } => {
            json!(world.register_instance(&namespace, &service, &id, address, port))
        }
        Change::DeregisterInstance { namespace, service, id } => {
            json!(world.deregister_instance(&namespace, &service, &id))
        }
        of_a_task => change_task(world, of_a_task)?,
    })
}

fn change_task(world: &mut World, change: Change) -> Result<Value, Failure> {
    Ok(match change {
        Change::ReplaceTask { task, address } => json!(world.replace_task(&task, address)?),
        Change::StopTask { task, reason } => {
            json!(world.stop_task(&task, reason.as_deref().unwrap_or("Task stopped by user"))?)
        }
        Change::ForgetTask { task } => json!(world.forget_task(&task)?),
        Change::Advance { task } => json!(world.advance(&task)?),
        Change::SetHealth { task, container, health } => {
            json!(world.set_health(&task, container.as_deref(), health)?)
        }
        Change::SetStatus { task, status } => json!(world.set_status(&task, status)?),
        Change::SetAddress { task, address } => json!(world.set_address(&task, address)?),
        Change::TagTask { task, key, value } => json!(world.tag_task(&task, &key, &value)?),
        _ => Value::Null,
    })
}

fn short(task: &Task) -> Value {
    json!({
        "id": task.id,
        "arn": task.arn,
        "cluster": task.cluster,
        "taskDefinition": task.definition,
        "group": task.group,
        "lastStatus": task.status.name(),
        "desiredStatus": task.desired(),
        "address": task.address,
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::new("SerializationException", error.to_string()))
}

fn from<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| Failure::new("SerializationException", error.to_string()))
}
