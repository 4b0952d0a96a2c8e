"""A stand-in for the Ground Truth service, loaded by the server's process through PYTHONPATH."""

from __future__ import annotations

import json
from typing import Any

from ground_truth_local.service.types import Answer, AssumeRoleDenied, Call, Check


class StubService:
    ACTIONS = frozenset(
        {
            "CreateLabelingJob",
            "DescribeLabelingJob",
            "StopLabelingJob",
            "CreateWorkteam",
            "DescribeWorkteam",
            "UpdateWorkteam",
            "DeleteWorkteam",
        }
    )

    def __init__(self, state_dir, aws) -> None:
        self.aws = aws
        self.teams: dict[Any, Any] = {}

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def authorization(self, call: Call):
        name = call.body.get("LabelingJobName", "x")
        arn = f"arn:aws:sagemaker:{call.region}:{call.account}:labeling-job/{name}"
        context = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in call.body.get("Tags", [])}
        if name == "tagged-vision":
            context["aws:ResourceTag/team"] = "vision"
        checks = [Check(action=f"sagemaker:{call.operation}", resource_arn=arn, context=context)]
        if "RoleArn" in call.body:
            passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
            checks.append(Check(action="iam:PassRole", resource_arn=call.body["RoleArn"], context=passed))
        return checks

    def handle(self, call: Call):
        name = call.body.get("WorkteamName")
        arn = f"arn:aws:sagemaker:{call.region}:{call.account}:workteam/private-crowd/{name}"
        match call.operation:
            case "CreateWorkteam" | "UpdateWorkteam":
                self.teams[arn] = call.body
                return Answer(body={"WorkteamArn": arn})
            case "DeleteWorkteam":
                del self.teams[arn]
                return Answer(body={"Success": True})
            case "DescribeWorkteam" if arn not in self.teams:
                return Answer.error("ValidationException", f"No such team {name}")
            case "DescribeWorkteam":
                team = {"WorkteamName": name, "WorkteamArn": arn, "Description": json.dumps(self.teams[arn])}
                return Answer(body={"Workteam": {**team, "MemberDefinitions": []}})
            case "StopLabelingJob":
                return self._act_as(call)
        return Answer(body={"LabelingJobArn": call.principal_arn})

    def _act_as(self, call: Call):
        """Do what the job's name says, ``role.bucket``: tell through an error, which is the way out."""
        role, _, bucket = call.body["LabelingJobName"].partition("--")
        arn = f"arn:aws:iam::{call.account}:role/{role}"
        try:
            session = self.aws.session_for_role(arn, call.region, call.account)
        except AssumeRoleDenied as error:
            return Answer.error("AssumeRoleDenied", str(error))
        found = {"caller": session.client("sts").get_caller_identity()["Arn"]}
        try:
            session.client("s3").get_object(Bucket=bucket, Key="a")
            found["read"] = "yes"
        except Exception as error:
            found["read"] = str(error)
        found["url"] = session.client("s3").generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": "a"}
        )
        found["cors"] = self.aws.bucket_cors(bucket, call.account, call.region)
        self.aws.put_event(
            source="aws.sagemaker",
            detail_type="SageMaker Ground Truth Labeling Job State Change",
            detail={"LabelingJobName": "j"},
            resources=["arn"],
            account=call.account,
            region=call.region,
        )
        return Answer.error("Found", json.dumps(found))
