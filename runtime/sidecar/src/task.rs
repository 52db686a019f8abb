//! Which task of ECS this is, as the agent tells the containers of the task.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-response.html>

use std::net::SocketAddr;
use std::time::Duration;

use local::{Client, Request};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

/// What is used of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    pub family: String,
    pub revision: String,
    /// Its name, whether the agent says the name or the ARN.
    pub cluster: String,
    /// What follows the last `/` of its ARN.
    pub id: String,
    pub region: Option<String>,
    /// Agents on EC2 say it since version 1.50.
    pub zone: Option<String>,
}

/// The variables with the URI, the newer one first.
pub const VARIABLES: [&str; 2] = ["ECS_CONTAINER_METADATA_URI_V4", "ECS_CONTAINER_METADATA_URI"];

/// How long one answer may take, and all tries together. Until the agent knows a task that has just begun, it answers with
/// errors.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub answer: Duration,
    pub all: Duration,
    pub pause: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    #[error("`{0}` is no address of a metadata endpoint, such as http://169.254.170.2/v4/ID")]
    NoAddress(String),
    #[error("the metadata endpoint at {uri} does not say which task this is: {reason}")]
    Silent { uri: String, reason: String },
}

/// Of a larger answer nothing is read.
const MAX_BYTES: usize = 1 << 20;

/// Asks again and again until the patience is over.
pub async fn of(uri: &str, patience: Patience) -> Result<Task, TaskError> {
    let (authority, path) = parts(uri).ok_or_else(|| TaskError::NoAddress(uri.to_owned()))?;
    let until = Instant::now() + patience.all;
    loop {
        let asked = timeout(patience.answer, ask(&authority, &path)).await;
        let reason = match asked.unwrap_or_else(|_| Err(format!("no answer within {:?}", patience.answer))) {
            Ok(task) => return Ok(task),
            Err(reason) => reason,
        };
        if Instant::now() + patience.pause >= until {
            return Err(TaskError::Silent { uri: uri.to_owned(), reason });
        }
        sleep(patience.pause).await;
    }
}

/// `169.254.170.2:80` and `/v4/ID/task`.
fn parts(uri: &str) -> Option<(String, String)> {
    let rest = uri.strip_prefix("http://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let authority = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let path = path.trim_end_matches('/');
    let path = if path.is_empty() { "/task".to_owned() } else { format!("/{path}/task") };
    (authority.len() > ":80".len()).then_some((authority, path))
}

async fn ask(authority: &str, path: &str) -> Result<Task, String> {
    let found = tokio::net::lookup_host(authority).await.map_err(|error| error.to_string())?;
    let address: SocketAddr = found.into_iter().next().ok_or("there is no such host")?;
    let response = Client::new(address).send(&Request::get(path)).await.map_err(|error| error.to_string())?;
    if response.status != 200 {
        return Err(format!("it answers with status {}", response.status));
    }
    if response.body.len() > MAX_BYTES {
        return Err(format!("its answer has {} bytes", response.body.len()));
    }
    // What the answer says otherwise is nobody's business: variables of containers may be in it.
    let said: Said = serde_json::from_slice(&response.body).map_err(|_| "its answer is no task's".to_owned())?;
    task(said).ok_or_else(|| "its answer names no family, revision, cluster or task".to_owned())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    #[serde(default)]
    cluster: String,
    #[serde(default, rename = "TaskARN")]
    task_arn: String,
    #[serde(default)]
    family: String,
    #[serde(default)]
    revision: String,
    #[serde(default)]
    availability_zone: Option<String>,
}

fn task(said: Said) -> Option<Task> {
    let last = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    let region = said.task_arn.split(':').nth(3).filter(|region| is_label(region)).map(str::to_owned);
    let zone = said.availability_zone.filter(|zone| is_label(zone));
    let (cluster, id) = (last(&said.cluster), last(&said.task_arn));
    let task = Task { family: said.family, revision: said.revision, cluster, id, region, zone };
    let named = [&task.family, &task.revision, &task.cluster, &task.id].into_iter().all(|name| is_label(name));
    named.then_some(task)
}

/// Letters, digits, `-` and `_`: what names of ECS consist of, and nothing with a meaning in a node's id.
pub(crate) fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

impl Task {
    /// What its node is called if nothing else is said.
    pub fn node(&self) -> String {
        format!("{}/{}", self.family, self.revision)
    }

    /// What tells it from others.
    pub fn name(&self) -> String {
        format!("{}/{}", self.cluster, self.id)
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { answer: Duration::from_secs(2), all: Duration::from_secs(20), pause: Duration::from_millis(500) }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::get;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::net::TcpListener;

    use super::*;

    const FARGATE: &str = r#"{
        "Cluster": "arn:aws:ecs:eu-central-1:111122223333:cluster/production",
        "TaskARN": "arn:aws:ecs:eu-central-1:111122223333:task/production/7f3c00aa",
        "Family": "orders", "Revision": "7", "DesiredStatus": "RUNNING", "KnownStatus": "NONE",
        "Containers": [{ "Name": "web", "Labels": { "a": "b" } }],
        "AvailabilityZone": "eu-central-1a", "LaunchType": "FARGATE"
    }"#;

    const PATIENCE: Patience =
        Patience { answer: Duration::from_millis(500), all: Duration::from_secs(2), pause: Duration::from_millis(10) };

    /// Answers with each in turn, and then with the last again and again.
    async fn agent(answers: &'static [(u16, &'static str)]) -> (String, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let answer = move || {
            let (status, body) = answers[count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
            async move { (StatusCode::from_u16(status).unwrap(), body) }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/v4/abc", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/v4/abc/task", get(answer))).await });
        (uri, asked)
    }

    #[tokio::test]
    async fn a_task_on_fargate_says_what_it_is() {
        let (uri, _) = agent(&[(200, FARGATE)]).await;
        let task = of(&uri, PATIENCE).await.unwrap();
        assert_eq!((task.node(), task.name()), ("orders/7".to_owned(), "production/7f3c00aa".to_owned()));
        assert_eq!((task.region.as_deref(), task.zone.as_deref()), (Some("eu-central-1"), Some("eu-central-1a")));
    }

    #[tokio::test]
    async fn a_task_on_ec2_may_have_a_short_arn_and_no_zone() {
        const EC2: &str = r#"{"Cluster": "default", "TaskARN": "arn:aws:ecs:us-west-2:1:task/9e00", "Family": "a", "Revision": "12"}"#;
        let (uri, _) = agent(&[(200, EC2)]).await;
        let task = of(&uri, PATIENCE).await.unwrap();
        assert_eq!((task.node(), task.name(), task.zone), ("a/12".to_owned(), "default/9e00".to_owned(), None));
    }

    #[tokio::test]
    async fn an_agent_that_does_not_know_the_task_yet_is_asked_again() {
        let (uri, asked) = agent(&[(404, ""), (500, "unknown"), (200, "{}"), (200, FARGATE)]).await;
        assert_eq!(of(&uri, PATIENCE).await.unwrap().family, "orders");
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn an_agent_that_never_knows_it_ends_in_an_error_that_names_no_content() {
        let (uri, _) = agent(&[(200, r#"{"Family": "a/../b", "Secret": "hunter2"}"#)]).await;
        let error = of(&uri, Patience { all: Duration::from_millis(100), ..PATIENCE }).await.unwrap_err().to_string();
        assert!(error.ends_with("its answer names no family, revision, cluster or task"), "{error}");
        let nobody = of("http://127.0.0.1:1/v4/abc", Patience { all: Duration::ZERO, ..PATIENCE }).await.unwrap_err();
        assert!(nobody.to_string().starts_with("the metadata endpoint at http://127.0.0.1:1/v4/abc does not say"));
    }

    #[tokio::test]
    async fn an_agent_that_does_not_answer_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let patience = Patience { answer: Duration::from_millis(50), all: Duration::from_millis(100), ..PATIENCE };
        let error = of(&uri, patience).await.unwrap_err().to_string();
        assert!(error.ends_with("no answer within 50ms"), "{error}");
    }

    #[test]
    fn what_is_no_address_is_said() {
        for uri in ["", "169.254.170.2/v4/a", "https://169.254.170.2/v4/a", "http://", "http:///v4"] {
            assert_eq!(parts(uri), None, "{uri}");
        }
        let expected = ("169.254.170.2:80".to_owned(), "/v3/a/task".to_owned());
        assert_eq!(parts("http://169.254.170.2/v3/a/"), Some(expected));
    }
}
