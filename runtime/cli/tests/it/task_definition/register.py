"""Holds task definitions against AWS's own description of RegisterTaskDefinition, and registers them with moto, which wants a hard limit
where AWS takes a reservation: its tasks on EC2 say their memory as a whole."""

import json
import sys

import boto3
from botocore.validate import ParamValidator
from moto import mock_aws

with mock_aws():
    ecs = boto3.client("ecs", "eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
    model = ecs.meta.service_model.operation_model("RegisterTaskDefinition")
    for path in sys.argv[1:]:
        with open(path) as file:
            definition = json.load(file)
        report = ParamValidator().validate(definition, model.input_shape)
        if report.has_errors():
            sys.exit(f"{path}: {report.generate_report()}")
        registered = ecs.register_task_definition(**definition)["taskDefinition"]
        told = ecs.describe_task_definition(taskDefinition=registered["taskDefinitionArn"], include=["TAGS"])
        names = [container["name"] for container in told["taskDefinition"]["containerDefinitions"]]
        print(registered["taskDefinitionArn"].rsplit("/", 1)[1], *names, len(told.get("tags", [])))
        told.pop("ResponseMetadata")
        # Times are what JSON has no word for.
        json.dump(told, open(f"{path}.described", "w"), default=str)
