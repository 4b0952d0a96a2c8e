"""A stack with nothing but a custom resource. Usage: bare.py NAME."""

from __future__ import annotations

import sys

from aws_cdk import App, CustomResource, Stack
from aws_cdk import aws_lambda as lambda_

CODE = """
import json, urllib.request

def handler(event, context):
    keys = ("StackId", "RequestId", "LogicalResourceId")
    answer = {"Status": "SUCCESS", "PhysicalResourceId": "bare", **{key: event[key] for key in keys}}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), {}, method="PUT")
    urllib.request.urlopen(request)
"""

app = App()
stack = Stack(app, sys.argv[1])
function = lambda_.Function(
    stack,
    "Function",
    runtime=lambda_.Runtime.PYTHON_3_13,
    handler="index.handler",
    code=lambda_.Code.from_inline(CODE),
)
CustomResource(stack, "Resource", service_token=function.function_arn)
app.synth()
