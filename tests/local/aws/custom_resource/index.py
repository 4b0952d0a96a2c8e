"""A custom resource that tells what it may do, and fails when asked to."""

from __future__ import annotations

import json
import os
import urllib.request

import boto3


def handler(event, context) -> None:
    print("request", event["RequestType"])
    properties = event["ResourceProperties"]
    physical_id = f"probe-{properties.get('Version', '1')}"
    response = {
        "Status": "SUCCESS",
        "PhysicalResourceId": physical_id,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
    }
    record = {
        "type": event["RequestType"],
        "id": event["RequestId"],
        "physical": event.get("PhysicalResourceId"),
    }
    s3 = boto3.client("s3")
    attempt = 0
    if "Records" in properties:
        listed = s3.list_objects_v2(Bucket=properties["Records"]).get("KeyCount", 0)
        s3.put_object(Bucket=properties["Records"], Key=f"{listed:04}.json", Body=json.dumps(record))
        attempt = listed
    if int(properties.get("CrashTimes", "0")) > attempt:
        raise RuntimeError("crashed as asked")
    if properties.get("Silent") and event["RequestType"] == "Create":
        return
    if event["RequestType"] == "Create" and properties.get("Fail") == "true":
        response.update(Status="FAILED", Reason="failed as asked")
    denied = ""
    try:
        s3.list_buckets()
    except Exception as error:
        denied = str(error)
    response["Data"] = {
        "Caller": boto3.client("sts").get_caller_identity()["Arn"],
        "Denied": denied,
        "Properties": json.dumps(properties),
        "Log": context.log_group_name,
        "Home": os.environ.get("HOME", ""),
    }
    request = urllib.request.Request(event["ResponseURL"], data=json.dumps(response).encode(), method="PUT")
    request.add_header("Content-Type", "")
    urllib.request.urlopen(request)
