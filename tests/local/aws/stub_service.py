"""A stand-in for the Ground Truth service, loaded by the server's process through PYTHONPATH."""

from ground_truth_local.service.types import Answer, Call, Check


class StubService:
    ACTIONS = frozenset({"CreateLabelingJob", "DescribeLabelingJob", "CreateWorkteam", "UpdateWorkteam", "DeleteWorkteam"})

    def __init__(self, state_dir, aws):
        self.aws = aws

    def start(self):
        pass

    def stop(self):
        pass

    def authorization(self, call: Call):
        name = call.body.get("LabelingJobName", "x")
        arn = f"arn:aws:sagemaker:{call.region}:{call.account}:labeling-job/{name}"
        checks = [Check(action=f"sagemaker:{call.operation}", resource_arn=arn)]
        if "RoleArn" in call.body:
            checks.append(Check(action="iam:PassRole", resource_arn=call.body["RoleArn"], context={"iam:PassedToService": "sagemaker.amazonaws.com"}))
        return checks

    def handle(self, call: Call):
        return Answer(body={"LabelingJobArn": call.principal_arn})
