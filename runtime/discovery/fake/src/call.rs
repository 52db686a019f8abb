//! A call as it came, and its answer in the protocol of its service.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::reply::Reply;
use crate::{agent, ec2};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Ecs,
    CloudMap,
    Ec2,
    /// Of the agent beside a task.
    Agent,
}

pub(crate) struct Call {
    pub(crate) protocol: Protocol,
    /// Such as `ListTasks`.
    pub(crate) action: String,
    pub(crate) request: Value,
}

impl Call {
    pub(crate) fn read(path: &str, target: Option<&str>, body: &[u8]) -> Result<Call, Failure> {
        if let Some(action) = agent::action(path) {
            let (action, request) = (action.to_owned(), json!({ "path": path }));
            return Ok(Call { protocol: Protocol::Agent, action, request });
        }
        let Some(target) = target else {
            let request = ec2::read(body);
            let action = request["Action"].as_str().ok_or_else(Failure::unknown_action)?.to_owned();
            return Ok(Call { protocol: Protocol::Ec2, action, request });
        };
        let (service, action) = target.split_once('.').ok_or_else(Failure::unknown_action)?;
        let protocol = match service {
            "AmazonEC2ContainerServiceV20141113" => Protocol::Ecs,
            "Route53AutoNaming_v20170314" => Protocol::CloudMap,
            _ => return Err(Failure::unknown_action()),
        };
        let not_json = |_| Failure::new("SerializationException", "the input is not JSON");
        let request = if body.is_empty() { json!({}) } else { serde_json::from_slice(body).map_err(not_json)? };
        Ok(Call { protocol, action: action.to_owned(), request })
    }
}

impl Protocol {
    /// As signatures name it, which all but the agent ask for.
    pub(crate) fn service(self) -> Option<&'static str> {
        match self {
            Protocol::Ecs => Some("ecs"),
            Protocol::CloudMap => Some("servicediscovery"),
            Protocol::Ec2 => Some("ec2"),
            Protocol::Agent => None,
        }
    }

    pub(crate) fn accept(self, answer: &Value, request_id: &str) -> Reply {
        let (content_type, text) = match self {
            Protocol::Ec2 => ("text/xml;charset=UTF-8", ec2::write(answer, request_id)),
            Protocol::Ecs | Protocol::CloudMap => ("application/x-amz-json-1.1", answer.to_string()),
            Protocol::Agent => ("application/json", answer.to_string()),
        };
        Reply { status: 200, content_type, request_id: request_id.to_owned(), text }
    }

    pub(crate) fn refuse(self, failure: &Failure, request_id: &str) -> Reply {
        let (content_type, status, text) = match self {
            Protocol::Ec2 => {
                let failure = failure.of_ec2();
                ("text/xml;charset=UTF-8", failure.status, ec2::write_failure(&failure, request_id))
            }
            Protocol::Ecs | Protocol::CloudMap => {
                ("application/x-amz-json-1.1", failure.status, failure.json().to_string())
            }
            Protocol::Agent => ("text/plain; charset=utf-8", failure.status, failure.message.clone()),
        };
        Reply { status, content_type, request_id: request_id.to_owned(), text }
    }
}
