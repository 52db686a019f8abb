"""Calls every action of the fake with boto3, and holds each answer against botocore's model: no field that the model
does not have, none that it requires missing, every type and every word of a list of words right."""

import json
import sys
import urllib.request
import xml.etree.ElementTree as xml

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url = sys.argv[1]
actions = set()


def client(name, secret=None, region="eu-central-1"):
    # `DiscoverInstances` is sent to a host of its own otherwise.
    config = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
    # Else those of the task's role, that the agent gives.
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": secret, "aws_session_token": "temporary"}
    keys = keys if secret else {}
    made = boto3.client(name, endpoint_url=url, config=config, region_name=region, **keys)
    made.meta.events.register(f"before-parse.{made.meta.service_model.service_id.hyphenize()}.*", check)
    return made


def check(response_dict, operation_model, **_):
    actions.add((operation_model.service_model.service_id, operation_model.name))
    if response_dict["status_code"] != 200:
        return
    body = response_dict["body"].decode()
    if body.startswith("<"):
        check_xml(xml.fromstring(body), operation_model.output_shape, operation_model.name)
    else:
        check_json(json.loads(body), operation_model.output_shape, operation_model.name)


def check_json(value, shape, where):
    kind = shape.type_name
    if kind == "structure":
        assert isinstance(value, dict), f"{where}: not an object"
        for name in shape.required_members:
            assert name in value, f"{where}: no {name}"
        for name, field in value.items():
            assert name in shape.members, f"{where}: {name} is not in the model"
            check_json(field, shape.members[name], f"{where}.{name}")
    elif kind == "list":
        assert isinstance(value, list), f"{where}: not a list"
        for item in value:
            check_json(item, shape.member, f"{where}[]")
    elif kind == "map":
        for item in value.values():
            check_json(item, shape.value, f"{where}{{}}")
    else:
        types = {
            "string": str,
            "boolean": bool,
            "integer": int,
            "long": int,
            "double": float,
            "float": float,
            "timestamp": (int, float),
        }
        assert isinstance(value, types[kind]), f"{where}: {value!r} is no {kind}"
        words = getattr(shape, "enum", None)
        assert not words or value in words, f"{where}: {value!r} is none of {words}"


def check_xml(element, shape, where):
    local = lambda one: one.tag.rsplit("}", 1)[-1]
    if shape.type_name == "structure":
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for child in element:
            if local(child) == "requestId":
                continue
            assert local(child) in names, f"{where}: {local(child)} is not in the model"
            check_xml(child, names[local(child)], f"{where}.{local(child)}")
    elif shape.type_name == "list":
        for child in element:
            assert local(child) == "item", f"{where}: {local(child)} in place of item"
            check_xml(child, shape.member, f"{where}[]")


def change(*changes):
    body = json.dumps(changes).encode()
    return json.load(urllib.request.urlopen(f"{url}/_fake/change", data=body))


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        assert error.response["ResponseMetadata"]["RequestId"], error.response
        return
    raise AssertionError(f"{code} was expected")


def check_ecs(ecs):
    definition = {
        "family": "carts",
        "containerDefinitions": [
            {"name": "app", "image": "x", "memory": 64, "portMappings": [{"containerPort": 8080}]}
        ],
    }
    assert ecs.register_task_definition(**definition)["taskDefinition"]["revision"] == 1
    ecs.create_cluster(clusterName="staging")
    change(
        {"do": "addInstance", "cluster": "production", "addresses": ["10.0.0.9", "fd00::9"]},
        {"do": "byHand"},
        {"do": "runTask", "cluster": "production", "taskDefinition": "orders", "launch": "FARGATE"},
        {"do": "atOnce"},
    )
    everything = {"cluster": "production"}
    ecs.create_service(**everything, serviceName="carts", taskDefinition="carts", desiredCount=2, launchType="EC2")
    ecs.update_service(**everything, service="carts", desiredCount=1, taskDefinition="carts:1")
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    ran = ecs.run_task(
        **everything,
        taskDefinition="orders",
        count=3,
        launchType="FARGATE",
        networkConfiguration=network,
        overrides={"containerOverrides": [{"name": "app", "environment": [{"name": "A", "value": "b"}]}]},
        tags=[{"key": "NJ_SERVICE", "value": "orders"}],
    )["tasks"]
    ecs.stop_task(**everything, task=ran[0]["taskArn"], reason="enough")

    assert len(ecs.list_clusters()["clusterArns"]) == 2
    assert ecs.describe_clusters(clusters=["production", "x"])["failures"][0]["reason"] == "MISSING"
    assert ecs.list_services(**everything)["serviceArns"]
    assert ecs.describe_services(**everything, services=["carts"])["services"][0]["runningCount"] == 1
    assert ecs.list_task_definitions()["taskDefinitionArns"]
    assert ecs.describe_task_definition(taskDefinition="orders", include=["TAGS"])["tags"]
    pages = ecs.get_paginator("list_tasks").paginate(**everything, PaginationConfig={"PageSize": 2})
    tasks = [arn for page in pages for arn in page["taskArns"]]
    assert len(tasks) == 4, tasks
    tasks += ecs.list_tasks(**everything, desiredStatus="STOPPED")["taskArns"]
    described = ecs.describe_tasks(**everything, tasks=[*tasks, "0" * 32], include=["TAGS"])
    assert len(described["tasks"]) == len(tasks) and len(described["failures"]) == 1, described["failures"]
    hosts = ecs.list_container_instances(**everything)["containerInstanceArns"]
    hosts = ecs.describe_container_instances(**everything, containerInstances=hosts)["containerInstances"]
    refused("ClusterNotFoundException", ecs.list_tasks, cluster="nowhere")
    refused("ClientException", ecs.describe_task_definition, taskDefinition="nothing")
    refused("InvalidParameterException", ecs.describe_tasks, **everything, tasks=["0" * 32] * 101)
    return [host["ec2InstanceId"] for host in hosts]


def check_ec2(ec2, instances):
    found = ec2.describe_instances(InstanceIds=instances)["Reservations"][0]["Instances"][0]
    assert found["PrivateIpAddress"] == "10.0.0.9", found
    assert found["NetworkInterfaces"][0]["Ipv6Addresses"][0]["Ipv6Address"] == "fd00::9", found
    assert found["Placement"]["AvailabilityZone"] == "eu-central-1a", found
    only = lambda ids: ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": ids}])["Reservations"]
    assert len(only([*instances, "i-0"])) == 1 and not only(["i-0"])
    refused("FilterLimitExceeded", only, ids=[f"i-{number}" for number in range(201)])
    refused("InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=["i-0"])


def check_cloud_map(cloud_map):
    instance = {"namespace": "shop.local", "service": "orders", "id": "a", "address": "10.0.0.1", "port": 8080}
    change({"do": "registerInstance", **instance})
    of = {"NamespaceName": "shop.local", "ServiceName": "orders"}
    found = cloud_map.discover_instances(**of)["Instances"]
    assert found[0]["Attributes"]["AWS_INSTANCE_IPV4"] == "10.0.0.1", found
    namespaces = cloud_map.list_namespaces(Filters=[{"Name": "NAME", "Values": ["shop.local"]}])["Namespaces"]
    services = cloud_map.list_services(Filters=[{"Name": "NAMESPACE_ID", "Values": [namespaces[0]["Id"]]}])["Services"]
    service = services[0]["Id"]
    assert cloud_map.list_instances(ServiceId=service)["Instances"][0]["Id"] == "a"
    assert cloud_map.get_instances_health_status(ServiceId=service)["Status"] == {"a": "HEALTHY"}
    refused("ServiceNotFound", cloud_map.discover_instances, NamespaceName="shop.local", ServiceName="x")


check_ec2(client("ec2"), check_ecs(client("ecs")))
check_cloud_map(client("servicediscovery"))
refused("InvalidSignatureException", client("ecs", secret="other").list_clusters)
refused("InvalidSignatureException", client("ecs", region="us-east-1").list_clusters)
refused("AuthFailure", client("ec2", secret="other").describe_instances)
print(f"{len(actions)} actions, every field in the model")
