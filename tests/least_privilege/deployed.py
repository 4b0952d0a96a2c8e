"""The stack without its labeling jobs, really deployed; and roles of any policies beside it."""

from __future__ import annotations

import io
import itertools
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError
from ministack.core.iam_evaluator import EvalContext, parse_policy_document
from ministack.core.iam_evaluator import evaluate as evaluate_iam

from cdk_ground_truth.assertions import evaluate

JOB = "Custom::SemanticSegmentationLabelingJob"


class RoleSession:
    """Clients that act as a role, out of one session: each session of its own would read all models anew."""

    _lock = threading.Lock()

    def __init__(self, session: Any, credentials: Mapping[str, Any]) -> None:
        self._session = session
        self._credentials = {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }

    def client(self, service: str) -> Any:
        """A client that tries once: what is denied stays denied."""
        config = Config(retries={"total_max_attempts": 1})
        with self._lock:
            return self._session.client(service, config=config, **self._credentials)


class Deployed:
    """What a template's roles, buckets and keys became."""

    def __init__(self, aws: Any, assembly: Path, stack: str) -> None:
        self.aws = aws
        self.admin = aws.session()
        self.iam = self.admin.client("iam")
        self.template = json.loads((assembly / f"{stack}.template.json").read_text())
        self._counter = itertools.count()
        _publish(self.admin, assembly, stack, aws)
        self.stack_id, self._known = self._create(stack)
        self.jobs = {
            name: self.resolve(resource["Properties"])
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == JOB
        }

    def named(self, construct: str, attribute: str = "") -> str:
        """What the resource of a construct is called, or one of its attributes."""
        pattern = re.compile(rf"<{construct}[0-9A-F]{{8}}{attribute and '.' + attribute}>")
        [name] = filter(pattern.fullmatch, self._known)
        return self._known[name]

    def resolve(self, value: Any) -> Any:
        """A value of the template as CloudFormation delivers it."""
        return _strings(_with(self._known, evaluate(self.template, value, parameters=self._pseudo())))

    def _pseudo(self) -> dict[str, str]:
        return {
            "AWS::Region": self.aws.region,
            "AWS::AccountId": self.aws.account,
            "AWS::StackId": self.stack_id,
        }

    def _create(self, stack: str) -> tuple[str, dict[str, str]]:
        resources = {name: each for name, each in self.template["Resources"].items() if each["Type"] != JOB}
        outputs, names = {}, {}
        for index, reference in enumerate(sorted(_references(self.template), key=json.dumps)):
            outputs[f"Out{index}"] = {"Value": reference}
            names[f"Out{index}"] = _marker(reference)
        client = self.admin.client("cloudformation")
        body = {**self.template, "Resources": resources, "Outputs": outputs}
        client.create_stack(
            StackName=stack, TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        client.get_waiter("stack_create_complete").wait(
            StackName=stack, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
        )
        found = client.describe_stacks(StackName=stack)["Stacks"][0]
        values = {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}
        return found["StackId"], {names[key]: value for key, value in values.items()}

    def role_of(self, logical_id: str) -> tuple[str, dict[str, dict[str, Any]]]:
        """A role's name and its policies: inline ones, and those to which the CDK moves what is too much."""
        name = self._known[f"<{logical_id}>"]
        found = {
            policy: self.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in self.iam.list_role_policies(RoleName=name)["PolicyNames"]
        }
        for policy in self.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            arn = policy["PolicyArn"]
            version = self.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            about = self.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
            found[policy["PolicyName"]] = about["Document"]
        return name, found

    def simulate(self, role_arn: str) -> Callable[..., None]:
        """What the embedded AWS's IAM says to a call that its other services can't make as AWS would."""
        name = role_arn.rpartition("/")[2]
        policies = [
            parse_policy_document(
                json.dumps(self.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
            )
            for policy in self.iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]

        def simulate(action: str, resource: str, **context: str) -> None:
            service = action.partition(":")[0]
            request = EvalContext(
                principal_arn=role_arn,
                principal_type="AssumedRole",
                principal_account=self.aws.account,
                action=action,
                resource_arn=resource,
                region=self.aws.region,
                secure_transport=True,
                service_context={f"{service}:{name.lower()}": value for name, value in context.items()},
            )
            if evaluate_iam(request, policies).decision != "Allow":
                error = {"Error": {"Code": "AccessDenied", "Message": f"{action} on {resource}"}}
                raise ClientError(error, "Simulated")

        return simulate

    @contextmanager
    def role_with(self, like: str, policies: Mapping[str, Any]) -> Iterator[tuple[str, RoleSession]]:
        """A new role that trusts whom another one trusts; its ARN and a session with it."""
        trust = self.iam.get_role(RoleName=like)["Role"]["AssumeRolePolicyDocument"]
        administrator = self.admin.client("sts").get_caller_identity()["Arn"]
        mine = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": administrator}}
        name = f"mutant-{next(self._counter)}"
        arn = self.iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps({**trust, "Statement": [*trust["Statement"], mine]}),
        )["Role"]["Arn"]
        for policy, document in policies.items():
            # What the role may do to itself it may do to its copy.
            text = json.dumps(document).replace(f':role/{like}"', f':role/{name}"')
            self.iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=text)
        session = self.admin.client("sts").assume_role(RoleArn=arn, RoleSessionName="run")["Credentials"]
        try:
            yield arn, RoleSession(self.admin, session)
        finally:
            for policy in policies:
                self.iam.delete_role_policy(RoleName=name, PolicyName=policy)
            self.iam.delete_role(RoleName=name)


def denial(error: Any) -> str:
    """What AWS says when a permission is missing; empty for any other error."""
    answer = getattr(error, "response", {})
    return denied(answer)


def denied(answer: Mapping[str, Any]) -> str:
    """The same of an answer."""
    about = answer.get("Error") or {}
    code, message = str(about.get("Code", "")), str(about.get("Message", ""))
    is_denied = code in ("403", "Forbidden") or "AccessDenied" in code or "Authorization" in code
    return f"{code}: {message}" if is_denied or "not authorized" in message else ""


def job_of(deployed: Deployed, prefix: str) -> str:
    """The logical id of the job of that construct."""
    [found] = [name for name in deployed.jobs if name.startswith(prefix)]
    return found


def _publish(admin: Any, assembly: Path, stack: str, aws: Any) -> None:
    s3 = admin.client("s3")
    assets = json.loads((assembly / f"{stack}.assets.json").read_text())
    for asset in assets["files"].values():
        source = assembly / asset["source"]["path"]
        body = _zip(source) if asset["source"]["packaging"] == "zip" else source.read_bytes()
        for place in asset["destinations"].values():
            bucket = place["bucketName"].replace("${AWS::AccountId}", aws.account)
            s3.put_object(
                Bucket=bucket.replace("${AWS::Region}", aws.region), Key=place["objectKey"], Body=body
            )


def _zip(folder: Path) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return file.getvalue()


def _references(value: Any) -> list[dict[str, Any]]:
    """Each Ref and GetAtt of the template's resources, once."""
    found: dict[str, dict[str, Any]] = {}

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for each in node:
                walk(each)
        elif isinstance(node, dict):
            target = node.get("Ref") or node.get("Fn::GetAtt")
            if len(node) == 1 and target:
                name = target if isinstance(target, str) else target[0]
                if value["Resources"].get(name, {}).get("Type", JOB) != JOB:
                    found[_marker(node)] = node
            for each in node.values():
                walk(each)

    walk(value["Resources"])
    for name, resource in value["Resources"].items():
        if resource["Type"] in (
            "AWS::IAM::Role",
            "AWS::Logs::LogGroup",
            "AWS::S3::Bucket",
            "AWS::SQS::Queue",
        ):
            found[f"<{name}>"] = {"Ref": name}
    return list(found.values())


def _marker(reference: Mapping[str, Any]) -> str:
    ((_, target),) = reference.items()
    return f"<{target if isinstance(target, str) else '.'.join(target)}>"


def _with(known: Mapping[str, str], value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with(known, each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with(known, each) for each in value]
    if isinstance(value, str):
        for marker, real in known.items():
            value = value.replace(marker, real)
    return value


def _strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strings(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_strings(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
