//! AWS itself, through its SDK: where it is, who asks, and one attempt for each call.

mod ec2;
mod error;
mod records;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_ecs::types::{DesiredStatus, Failure, TaskDefinitionField, TaskField};
use aws_sdk_servicediscovery::types::HealthStatusFilter;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::endpoint::EndpointPrefix;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::service_config::ServiceConfigKey;
use compiler::observation::{CloudMapInstance, Cluster, ContainerInstance, TaskDefinition};
use thiserror::Error;

pub(crate) use records::own_addresses;

use super::{Addresses, Answer, Api, BATCH, Described, Fault, Kind, Page};

const CONNECT: Duration = Duration::from_millis(3_100);
/// From the first byte that is sent to the last one that is read, credentials included.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(10);

/// The AWS of the environment: its credentials, region and end points.
#[derive(Debug)]
pub struct Aws {
    region: String,
    place: Place,
    clients: Mutex<Clients>,
}

/// Where credentials and end points come from.
#[derive(Clone, Debug)]
enum Place {
    Environment,
    /// One end point for everything, for emulators: they take any credentials.
    At(String, String),
}

/// Why AWS cannot be asked at all.
#[derive(Debug, Error)]
pub enum Unready {
    #[error("no region is known: set AWS_REGION, or `region` in the profile")]
    Region,
    #[error("the end point `{0}` is not encrypted: `http:` is for loopback addresses only")]
    Unencrypted(String),
}

/// All of them share connections and credentials.
#[derive(Clone, Debug)]
struct Clients {
    config: SdkConfig,
    ecs: aws_sdk_ecs::Client,
    cloud_map: aws_sdk_servicediscovery::Client,
    /// Cloud Map was moved to another end point, whose name has no `data-` before it.
    moved: bool,
}

impl Aws {
    /// Looks for region and credentials where every tool of AWS does: environment, profile, role of the task or instance.
    pub async fn from_environment() -> Result<Self, Unready> {
        Self::from(Place::Environment).await
    }

    /// An emulator of AWS at `http://127.0.0.1:…`.
    pub async fn at(url: &str, region: &str) -> Result<Self, Unready> {
        Self::from(Place::At(url.to_owned(), region.to_owned())).await
    }

    async fn from(place: Place) -> Result<Self, Unready> {
        let config = configured(&place).await;
        let region = config.region().ok_or(Unready::Region)?.to_string();
        for service in ["ECS", "EC2", "ServiceDiscovery"] {
            if let Some(url) = endpoint(&config, service).filter(|url| !is_safe(url)) {
                return Err(Unready::Unencrypted(url));
            }
        }
        Ok(Self { region, place, clients: Mutex::new(clients(config)) })
    }

    fn clients(&self) -> Clients {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Api for Aws {
    fn region(&self) -> String {
        self.region.clone()
    }

    async fn list_clusters(&self, token: Option<&str>) -> Answer<Page> {
        let call = self.clients().ecs.list_clusters().set_next_token(token.map(str::to_owned)).send();
        let answer = call.await.map_err(|error| error::listing("ListClusters", token, error))?;
        Ok(Page { arns: answer.cluster_arns.unwrap_or_default(), next: answer.next_token })
    }

    async fn describe_clusters(&self, names: &[String]) -> Answer<Vec<Cluster>> {
        let call = self.clients().ecs.describe_clusters().set_clusters(Some(names.to_vec()));
        let fault = |error| error::fault("DescribeClusters", error);
        let answer = call.send().await.map_err(fault)?;
        missing("DescribeClusters", answer.failures())?;
        Ok(answer.clusters().iter().filter_map(records::cluster).collect())
    }

    async fn list_tasks(&self, cluster: &str, token: Option<&str>) -> Answer<Page> {
        let call = self.clients().ecs.list_tasks().cluster(cluster).desired_status(DesiredStatus::Running);
        let answer = call.set_next_token(token.map(str::to_owned)).send().await;
        let answer = answer.map_err(|error| error::listing("ListTasks", token, error))?;
        Ok(Page { arns: answer.task_arns.unwrap_or_default(), next: answer.next_token })
    }

    async fn describe_tasks(&self, cluster: &str, arns: &[String]) -> Answer<Described> {
        let call = self.clients().ecs.describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec()));
        let answer =
            call.include(TaskField::Tags).send().await.map_err(|error| error::fault("DescribeTasks", error))?;
        let missing = missing("DescribeTasks", answer.failures())?;
        Ok(Described { tasks: answer.tasks().iter().filter_map(records::task).collect(), missing })
    }

    async fn describe_task_definition(&self, arn: &str) -> Answer<TaskDefinition> {
        const ACTION: &str = "DescribeTaskDefinition";
        let call = self.clients().ecs.describe_task_definition().task_definition(arn);
        let answer = call.include(TaskDefinitionField::Tags).send().await;
        let answer = answer.map_err(|error| error::fault(ACTION, error))?;
        let definition = answer.task_definition().and_then(|it| records::task_definition(it, answer.tags()));
        definition.ok_or_else(|| Fault::new(Kind::Unusable, ACTION, "the answer has no task definition"))
    }

    async fn describe_container_instances(&self, cluster: &str, arns: &[String]) -> Answer<Vec<ContainerInstance>> {
        let clients = self.clients();
        let call = clients.ecs.describe_container_instances().cluster(cluster);
        let answer = call.set_container_instances(Some(arns.to_vec())).send().await;
        let answer = answer.map_err(|error| error::fault("DescribeContainerInstances", error))?;
        missing("DescribeContainerInstances", answer.failures())?;
        Ok(answer.container_instances().iter().filter_map(records::container_instance).collect())
    }

    async fn describe_instances(&self, ids: &[String]) -> Answer<Addresses> {
        let clients = self.clients();
        ec2::describe_instances(&clients.config, &self.region, ids.get(..BATCH.min(ids.len())).unwrap_or(ids)).await
    }

    async fn discover_instances(&self, namespace: &str, service: &str) -> Answer<Vec<CloudMapInstance>> {
        let clients = self.clients();
        let call = clients.cloud_map.discover_instances().namespace_name(namespace).service_name(service);
        let call = call.health_status(HealthStatusFilter::All).max_results(1_000);
        let answer = match clients.moved {
            true => call.customize().interceptor(WithoutPrefix).send().await,
            false => call.send().await,
        };
        let answer = answer.map_err(|error| error::fault("DiscoverInstances", error))?;
        Ok(answer.instances().iter().filter_map(records::cloud_map_instance).collect())
    }

    async fn renew(&self) {
        let renewed = clients(configured(&self.place).await);
        *self.clients.lock().unwrap_or_else(PoisonError::into_inner) = renewed;
    }
}

/// The ARNs of what ECS does not know. Any other reason is none to believe that something is gone.
fn missing(action: &'static str, failures: &[Failure]) -> Answer<Vec<String>> {
    let arn = |failure: &Failure| match (failure.reason(), failure.arn()) {
        (Some("MISSING"), Some(arn)) => Ok(arn.to_owned()),
        (reason, _) => Err(Fault::new(Kind::Unusable, action, reason.unwrap_or("a failure without reason"))),
    };
    failures.iter().map(arn).collect()
}

async fn configured(place: &Place) -> SdkConfig {
    let ring = tls::Provider::Rustls(CryptoMode::Ring);
    let times =
        TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(ATTEMPT).operation_attempt_timeout(ATTEMPT);
    let loader = aws_config::from_env()
        .http_client(aws_smithy_http_client::Builder::new().tls_provider(ring).build_https())
        .retry_config(RetryConfig::disabled())
        .timeout_config(times.operation_timeout(ATTEMPT).build());
    let loader = match place {
        Place::Environment => loader,
        Place::At(url, region) => loader
            .endpoint_url(url)
            .region(Region::new(region.clone()))
            .credentials_provider(Credentials::new("emulator", "emulator", None, None, "emulator")),
    };
    loader.load().await
}

fn clients(config: SdkConfig) -> Clients {
    Clients {
        ecs: aws_sdk_ecs::Client::new(&config),
        cloud_map: aws_sdk_servicediscovery::Client::new(&config),
        moved: endpoint(&config, "ServiceDiscovery").is_some(),
        config,
    }
}

/// What `AWS_ENDPOINT_URL_…`, `AWS_ENDPOINT_URL` or the profile say.
fn endpoint(config: &SdkConfig, service: &str) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()?;
    let own = config.service_config().and_then(|all| all.load_config(key));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

fn is_safe(url: &str) -> bool {
    let Ok(url) = url.parse::<http::Uri>() else { return false };
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    url.scheme_str() == Some("https") || (url.scheme_str() == Some("http") && loopback)
}

/// Cloud Map's own host has `data-` before its name. A host of somebody else has not.
#[derive(Debug)]
struct WithoutPrefix;

#[dyn_dispatch_hint]
impl Intercept for WithoutPrefix {
    fn name(&self) -> &'static str {
        "WithoutPrefix"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().unset::<EndpointPrefix>();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::Failure;

    use super::super::Kind;
    use super::{is_safe, missing};

    #[test]
    fn only_what_is_missing_is_gone() {
        let failure = |reason: &str| Failure::builder().arn("arn:aws:ecs:r:1:task/c/1").reason(reason).build();
        assert_eq!(missing("DescribeTasks", &[failure("MISSING")]).unwrap(), ["arn:aws:ecs:r:1:task/c/1"]);
        let fault = missing("DescribeContainerInstances", &[failure("MISSING"), failure("BUSY")]).unwrap_err();
        assert_eq!((fault.kind, fault.to_string().as_str()), (Kind::Unusable, "DescribeContainerInstances: BUSY"));
    }

    #[test]
    fn plain_http_is_for_loopback_addresses_only() {
        for safe in ["http://127.0.0.1:5000", "http://localhost:5000", "http://[::1]:1", "https://ecs.example"] {
            assert!(is_safe(safe), "{safe}");
        }
        for unsafe_one in ["http://10.0.0.1", "http://moto:5000", "ftp://127.0.0.1", "", "http://127.0.0.1.example"] {
            assert!(!is_safe(unsafe_one), "{unsafe_one}");
        }
    }
}
