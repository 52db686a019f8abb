//! What ECS says of clusters, services, tasks, hosts and task definitions.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{missing, names, wants_tags};
use crate::failure::Failure;
use crate::world::{Binding, Cluster, ContainerInstance, Launch, Service, Status, Task, TaskContainer, World, last};
use crate::world::{tags_json, text};

pub(super) fn clusters(world: &World, request: &Value) -> Result<Value, Failure> {
    let default = json!({ "clusters": ["default"] });
    let request = if request["clusters"].as_array().is_none_or(Vec::is_empty) { &default } else { request };
    let (mut clusters, mut failures) = (Vec::new(), Vec::new());
    for name in names(request, "clusters", "Clusters", 100)? {
        match world.cluster(Some(name)) {
            Ok(found) => clusters.push(cluster(found)),
            Err(_) => failures.push(missing(world.arn("ecs", &format!("cluster/{}", last(name))))),
        }
    }
    Ok(json!({ "clusters": clusters, "failures": failures }))
}

pub(super) fn cluster(cluster: &Cluster) -> Value {
    let tasks = |status| cluster.tasks.values().filter(|task| task.status == status).count();
    json!({
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": "ACTIVE",
        "registeredContainerInstancesCount": cluster.instances.len(),
        "runningTasksCount": tasks(Status::Running),
        "pendingTasksCount": tasks(Status::Pending),
        "activeServicesCount": cluster.services.len(),
        "statistics": [],
        "tags": [],
        "settings": [{ "name": "containerInsights", "value": "disabled" }],
        "capacityProviders": ["FARGATE"],
        "defaultCapacityProviderStrategy": [],
    })
}

pub(super) fn services(world: &World, request: &Value) -> Result<Value, Failure> {
    let cluster = world.cluster(super::cluster(request))?;
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for name in names(request, "services", "Services", 10)? {
        match cluster.services.get(last(name)) {
            Some(found) => services.push(service(cluster, found)),
            None => failures.push(missing(world.arn("ecs", &format!("service/{}/{}", cluster.name, last(name))))),
        }
    }
    Ok(json!({ "services": services, "failures": failures }))
}

pub(super) fn service(cluster: &Cluster, service: &Service) -> Value {
    let group = format!("service:{}", service.name);
    let tasks = |wanted: fn(&Task) -> bool| {
        cluster.tasks.values().filter(|task| task.group == group && !task.stopping && wanted(task)).count()
    };
    json!({
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": cluster.arn,
        "loadBalancers": [],
        "serviceRegistries": [],
        "status": "ACTIVE",
        "desiredCount": service.desired,
        "runningCount": tasks(|task| task.status == Status::Running),
        "pendingCount": tasks(|task| task.status != Status::Running),
        "launchType": launch(service.launch.unwrap_or_default()),
        "taskDefinition": service.definition,
        "deployments": [],
        "events": [],
        "createdAt": service.created_at,
        "schedulingStrategy": "REPLICA",
        "deploymentController": { "type": "ECS" },
        "enableECSManagedTags": false,
        "propagateTags": "NONE",
        "enableExecuteCommand": false,
    })
}

pub(super) fn tasks(world: &World, request: &Value) -> Result<Value, Failure> {
    let cluster = world.cluster(super::cluster(request))?;
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for name in names(request, "tasks", "Tasks", 100)? {
        let id = last(name);
        let elsewhere = name.starts_with("arn:") && !name.ends_with(&format!(":task/{}/{id}", cluster.name));
        match cluster.tasks.get(id).filter(|_| !elsewhere) {
            Some(found) => tasks.push(task(world, cluster, found, wants_tags(request))),
            None if name.starts_with("arn:") => failures.push(missing(name.to_owned())),
            None => failures.push(missing(world.arn("ecs", &format!("task/{}/{id}", cluster.name)))),
        }
    }
    Ok(json!({ "tasks": tasks, "failures": failures }))
}

pub(super) fn task(world: &World, cluster: &Cluster, task: &Task, with_tags: bool) -> Value {
    let attachment = attachment_id(task);
    let mut value = json!({
        "taskArn": task.arn,
        "clusterArn": cluster.arn,
        "taskDefinitionArn": task.definition,
        "attachments": task.address.map(|address| vec![interface(task, address)]).unwrap_or_default(),
        "attributes": [{ "name": "ecs.cpu-architecture", "value": "x86_64" }],
        "availabilityZone": task.availability_zone,
        "containers": task.containers.iter().map(|one| container(world, task, one, &attachment)).collect::<Vec<_>>(),
        "cpu": "256",
        "memory": "512",
        "createdAt": task.created_at,
        "desiredStatus": task.desired(),
        "lastStatus": task.status.name(),
        "healthStatus": task.health().name(),
        "group": task.group,
        "launchType": launch(task.launch),
        "enableExecuteCommand": false,
        "overrides": overrides(task),
        "tags": if with_tags { tags_json(&task.tags) } else { json!([]) },
        "version": task.version,
        "ephemeralStorage": { "sizeInGiB": 20 },
    });
    let optional = [
        ("startedBy", json!(task.started_by)),
        ("startedAt", json!(task.started_at)),
        ("stoppedAt", json!(task.stopped_at)),
        ("stoppedReason", json!(task.stopped_reason)),
        ("stopCode", json!(task.stopped_reason.as_ref().map(|_| "UserInitiated"))),
        ("platformVersion", json!((task.launch == Launch::Fargate).then_some("1.4.0"))),
        ("platformFamily", json!((task.launch == Launch::Fargate).then_some("Linux"))),
        ("connectivity", json!((task.status > Status::Provisioning).then_some("CONNECTED"))),
        ("containerInstanceArn", json!(host(cluster, task).map(|host| &host.arn))),
    ];
    for (key, field) in optional {
        if !field.is_null() {
            value[key] = field;
        }
    }
    value
}

fn container(world: &World, task: &Task, container: &TaskContainer, attachment: &str) -> Value {
    // A digest of the ids: the same container, the same ARN.
    let arn = world.arn("ecs", &format!("container/{}/{}/{}", task.cluster, task.id, runtime_id(task, container)));
    let told = task.address.filter(|_| task.is_attached() && !task.hides_interfaces);
    let interface = |address: IpAddr| match address {
        IpAddr::V4(address) => json!({ "attachmentId": attachment, "privateIpv4Address": address }),
        IpAddr::V6(address) => json!({ "attachmentId": attachment, "ipv6Address": address }),
    };
    // Before and after, there is nothing to connect to.
    let bound = (Status::Running..Status::Stopped).contains(&task.status);
    let bindings = container.bindings.iter().filter(|_| bound).map(binding);
    let status = match task.status {
        Status::Provisioning | Status::Pending | Status::Activating => "PENDING",
        Status::Running | Status::Deactivating | Status::Stopping => "RUNNING",
        Status::Deprovisioning | Status::Stopped => "STOPPED",
    };
    let mut value = json!({
        "containerArn": arn,
        "taskArn": task.arn,
        "name": container.name,
        "image": container.image,
        "runtimeId": runtime_id(task, container),
        "lastStatus": status,
        "networkBindings": bindings.collect::<Vec<_>>(),
        "networkInterfaces": told.map(interface).into_iter().collect::<Vec<_>>(),
        "healthStatus": container.health.name(),
        "cpu": "0",
    });
    if status == "STOPPED" {
        value["exitCode"] = json!(0);
    }
    value
}

fn binding(binding: &Binding) -> Value {
    json!({
        "bindIP": binding.bind_ip,
        "containerPort": binding.container_port,
        "hostPort": binding.host_port,
        "protocol": if binding.udp { "udp" } else { "tcp" },
    })
}

/// The attachment of a task's own interface: its address is there once it is attached, and stays when it is deleted.
fn interface(task: &Task, address: IpAddr) -> Value {
    let status = match task.status {
        Status::Provisioning => "PRECREATED",
        Status::Stopped => "DELETED",
        _ => "ATTACHED",
    };
    let mut details = vec![json!({ "name": "subnetId", "value": "subnet-0a1b2c3d4e5f60718" })];
    if task.is_attached() {
        let id = task.id.get(..17).unwrap_or_default();
        let key = if address.is_ipv4() { "privateIPv4Address" } else { "IPv6Address" };
        details.push(json!({ "name": "networkInterfaceId", "value": format!("eni-{id}") }));
        details.push(json!({ "name": "macAddress", "value": "0a:58:a9:fe:ac:02" }));
        details.push(json!({ "name": key, "value": address.to_string() }));
    }
    json!({ "id": attachment_id(task), "type": "ElasticNetworkInterface", "status": status, "details": details })
}

/// As ECS tells them: every container is in it.
fn overrides(task: &Task) -> Value {
    let given = task.overrides["containerOverrides"].as_array();
    let of = |name: &str| given.into_iter().flatten().find(|one| text(one, "name") == name).cloned();
    let one = |container: &TaskContainer| of(&container.name).unwrap_or_else(|| json!({ "name": container.name }));
    let containers: Vec<Value> = task.containers.iter().map(one).collect();
    json!({ "containerOverrides": containers, "inferenceAcceleratorOverrides": [] })
}

pub(super) fn container_instances(world: &World, request: &Value) -> Result<Value, Failure> {
    let cluster = world.cluster(super::cluster(request))?;
    let (mut instances, mut failures) = (Vec::new(), Vec::new());
    for name in names(request, "containerInstances", "Container instances", 100)? {
        match cluster.instances.get(last(name)) {
            Some(found) => instances.push(container_instance(cluster, last(name), found)),
            None => {
                let arn = world.arn("ecs", &format!("container-instance/{}/{}", cluster.name, last(name)));
                failures.push(missing(arn));
            }
        }
    }
    Ok(json!({ "containerInstances": instances, "failures": failures }))
}

fn container_instance(cluster: &Cluster, id: &str, instance: &ContainerInstance) -> Value {
    let tasks = |running: bool| {
        let here = cluster.tasks.values().filter(|task| task.instance.as_deref() == Some(id));
        here.filter(|task| (task.status == Status::Running) == running && task.status < Status::Stopped).count()
    };
    json!({
        "containerInstanceArn": instance.arn,
        "ec2InstanceId": instance.ec2_instance_id,
        "version": 1,
        "versionInfo": { "agentVersion": "1.89.0", "agentHash": "0a1b2c3d", "dockerVersion": "DockerVersion: 25.0.6" },
        "remainingResources": [],
        "registeredResources": [],
        "status": "ACTIVE",
        "agentConnected": true,
        "runningTasksCount": tasks(true),
        "pendingTasksCount": tasks(false),
        "attributes": [{ "name": "ecs.availability-zone", "value": instance.availability_zone }],
        "attachments": [],
        "tags": [],
    })
}

pub(super) fn task_definition(world: &World, request: &Value) -> Result<Value, Failure> {
    let name = request["taskDefinition"].as_str().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::client("TaskDefinition must not be blank."))?;
    let definition = world.definition(name)?;
    let tags = if wants_tags(request) { tags_json(&definition.tags) } else { json!([]) };
    Ok(json!({ "taskDefinition": definition.described(), "tags": tags }))
}

fn host<'a>(cluster: &'a Cluster, task: &Task) -> Option<&'a ContainerInstance> {
    cluster.instances.get(task.instance.as_deref()?)
}

fn launch(launch: Launch) -> &'static str {
    match launch {
        Launch::Fargate => "FARGATE",
        Launch::Ec2 => "EC2",
    }
}

/// A UUID that is made of the task's id.
fn attachment_id(task: &Task) -> String {
    let part = |from: usize, to: usize| task.id.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

fn runtime_id(task: &Task, container: &TaskContainer) -> String {
    let sum =
        container.name.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(16_777_619));
    format!("{}-{sum:010}", task.id)
}
