"""A campaign's function: what it asks for over its whole life is all that its role may, and no less.

The calls are those of the campaign's fault matrix without a fault, played in virtual time with the
template's own properties; IAM is the embedded AWS's evaluator. What S3 asks of keys follows from the
requests, as its guide has it ("Protecting data with server-side encryption": `kms:Decrypt` to read,
`kms:GenerateDataKey` to write).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from ministack.core.iam_evaluator import EvalContext, parse_policy_document
from ministack.core.iam_evaluator import evaluate as evaluate_iam

from cdk_ground_truth import Images, Runs, SemanticSegmentationLabelingCampaign, Workteam
from cdk_ground_truth.assertions import evaluate
from labeling_job.campaign import RESOURCE_TYPE
from labeling_job.contract import TAG_STACK
from tests.faults import material, wire
from tests.faults.campaigns.matrix import SCENARIOS, Scenario, check
from tests.faults.campaigns.world import LABEL, MACHINE, CampaignWorld
from tests.faults.faults import Injector, Killed
from tests.faults.wire import ACCOUNT, REGION, Request, reply
from tests.least_privilege.mutations import Mutation
from tests.least_privilege.proof import prove

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-all-buckets"
LOGS = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:of-the-function:*"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/labeling"
#: Their names in IAM are others than the operations'.
_NAMES = {
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
}
ENCRYPTED = (
    "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms"
    f"</SSEAlgorithm><KMSMasterKeyID>{KEY}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule>"
    "</ServerSideEncryptionConfiguration>"
)
#: As a policy of the template has its id.
_THIS_STACK = "<AWS::StackId>"
_SERVICES = {"cognito-identity-provider": "cognito-idp", "sfn": "states"}

Need = tuple[str, str, tuple[tuple[str, str], ...]]


def synthesized(folder: str) -> Mapping[str, Any]:
    """A campaign's template, with a key on every bucket."""
    app = App(outdir=folder)
    stack = Stack(app, "Streets", env=Environment(account=ACCOUNT, region=REGION))
    key = kms.Key.from_key_arn(stack, "Key", KEY)

    def bucket(name: str) -> s3.IBucket:
        return s3.Bucket.from_bucket_attributes(stack, name, bucket_name=name, encryption_key=key)

    SemanticSegmentationLabelingCampaign(
        stack,
        "Campaign",
        images=Images.from_bucket(bucket("photos"), prefix="day/"),
        labels=["road", "sky"],
        workteam=Workteam.from_workteam_arn(stack, "Team", material.GroundTruthAws.team),
        images_per_job=3,
        input_bucket=bucket("input"),
        output_bucket=bucket("output"),
        job_name_prefix="streets",
        label_attribute_name=LABEL,
        number_of_human_workers_per_data_object=1,
        runs=Runs.at_deploy(),
    )
    return app.synth().get_stack_by_name("Streets").template


def filled(template: Mapping[str, Any], value: Any) -> Any:
    """A value of the template as CloudFormation delivers it."""
    text = json.dumps(evaluate(template, value))
    for name, resource in template["Resources"].items():
        kind = resource["Type"]
        arns = {"AWS::Logs::LogGroup": LOGS, "AWS::IAM::Role": ROLE, "AWS::Lambda::Function": "function"}
        text = text.replace(f"<{name}.Arn>", arns.get(kind, ""))
        text = text.replace(f"<{name}.Name>", "streets")
        text = text.replace(f"<{name}>", MACHINE if kind == "AWS::StepFunctions::StateMachine" else name)
    return json.loads(text)


def policies_of(template: Mapping[str, Any]) -> dict[str, Any]:
    """The function's own, by their names."""
    [function] = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    role = function["Properties"]["Role"]["Fn::GetAtt"][0]
    return {
        name: filled(template, each["Properties"]["PolicyDocument"])
        for name, each in template["Resources"].items()
        if each["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
        and {"Ref": role} in each["Properties"].get("Roles", [])
    }


class Recorder(Injector):
    """Keeps what each call has to be allowed; with an action, the first call of it is the function's last."""

    def __init__(self, needs: dict[Need, None], killed_after: str = "") -> None:
        super().__init__(None, None)
        self.needs, self._last = needs, killed_after

    def through(self, request: Request, effect: Any) -> Any:
        for action, resource, context in needs_of(request):
            self.needs[action, resource, tuple(sorted(context.items()))] = None
        answer = super().through(request, effect)
        if request.operation in ("GetObject", "HeadObject") and answer.status_code == 404:
            # S3 says that an object isn't there to whom may list its bucket, and "denied" to others.
            self.needs["s3:ListBucket", f"arn:aws:s3:::{_place(request)[0]}", ()] = None
        if request.action == self._last:
            self._last = ""
            raise Killed
        return answer


def needs_of(request: Request) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The action, the resource and the condition keys of a request."""
    service = _SERVICES.get(request.service, request.service)
    action = f"{service}:{_NAMES.get(request.operation, request.operation)}"
    match service:
        case "s3":
            bucket, key = _place(request)
            listed = parse_qs(urlsplit(request.url).query).get("prefix", [""])[0]
            yield action, f"arn:aws:s3:::{bucket}/{key}".rstrip("/"), {"s3:prefix": listed} if listed else {}
            if request.operation in ("GetObject", "HeadObject", "PutObject"):
                use = "GenerateDataKey" if request.operation == "PutObject" else "Decrypt"
                yield f"kms:{use}", KEY, {}
        case "sagemaker":
            yield from _of_jobs(request.operation, action, json.loads(request.body))
        case "states":
            asked = json.loads(request.body)
            # A token's task is known by its machine (Service Authorization Reference, "Step Functions").
            yield action, asked.get("executionArn", MACHINE), {}
        case "iam":
            yield action, ROLE, {}
        case "kms":
            yield action, KEY, {}
        case "cognito-idp":
            pool = json.loads(request.body)["UserPoolId"]
            yield action, f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{pool}", {}


def _of_jobs(
    operation: str, action: str, asked: Mapping[str, Any]
) -> Iterator[tuple[str, str, dict[str, str]]]:
    job = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{asked.get('LabelingJobName', '')}"
    match operation:
        case "CreateLabelingJob":
            tags = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in asked["Tags"]}
            assert ":stack/Streets/" in tags[f"aws:RequestTag/{TAG_STACK}"]
            tags[f"aws:RequestTag/{TAG_STACK}"] = _THIS_STACK
            yield action, job, tags
            yield "sagemaker:AddTags", job, {**tags, "sagemaker:TaggingAction": "CreateLabelingJob"}
            yield "iam:PassRole", asked["RoleArn"], {"iam:PassedToService": "sagemaker.amazonaws.com"}
        case "StopLabelingJob":
            # All jobs of the campaign have it: they were made with it, as its role asks.
            yield action, job, {f"aws:ResourceTag/{TAG_STACK}": _THIS_STACK}
        case "DescribeWorkteam":
            yield action, material.GroundTruthAws.team, {}
        case _:
            yield action, asked.get("ResourceArn", job), {}


def _place(request: Request) -> tuple[str, str]:
    url = urlsplit(request.url)
    path = unquote(url.path.lstrip("/"))
    if url.netloc.startswith("s3."):
        bucket, _, key = path.partition("/")
        return bucket, key
    return url.netloc.split(".s3")[0], path


@pytest.fixture(scope="module")
def template(tmp_path_factory: Any) -> Mapping[str, Any]:
    return synthesized(str(tmp_path_factory.mktemp("campaign") / "cdk.out"))


def play(scenario: Scenario, properties: Mapping[str, Any], injector: Injector) -> None:
    """A scenario with the template's properties, its category file and its worker template."""
    request = properties["Job"]["Request"]
    files = {
        request["LabelCategoryConfigS3Uri"]: "labels.json",
        request["HumanTaskConfig"]["UiConfig"]["UiTemplateS3Uri"]: "template.liquid",
    }
    key = {"KeyMetadata": {"KeyId": KEY, "Arn": KEY, "KeyState": "Enabled", "Enabled": True}, "Policy": "{}"}
    with CampaignWorld(injector, pace=0.1) as world:
        world.properties = dict(properties)
        for uri, name in files.items():
            bucket, _, path = uri.removeprefix("s3://").partition("/")
            world.aws.objects[bucket, path] = world.aws.objects["input", name]
        world.aws.others["kms"] = lambda request: reply(200, json.dumps(key).encode())
        for step in (*scenario.setup, scenario.step):
            step(world)
        assert check(world) == [], world.log.getvalue()[-3000:]


@pytest.fixture(scope="module")
def needs(template: Mapping[str, Any]) -> list[Need]:
    """What a campaign's life takes: each scenario of the fault matrix, none of its faults."""
    [resource] = [each for each in template["Resources"].values() if each["Type"] == RESOURCE_TYPE]
    asked = filled(template, resource["Properties"])
    asked = json.loads(json.dumps(asked), parse_int=str)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setitem(wire._OF_BUCKET, "GetBucketEncryption", ENCRYPTED)
    needs: dict[Need, None] = {}
    for scenario in SCENARIOS:
        play(scenario, asked, Recorder(needs))
    # A function that was killed when it had made a job finds it again.
    play(SCENARIOS[0], asked, Recorder(needs, killed_after="sagemaker:CreateLabelingJob"))
    monkeypatch.undo()
    # The Lambda service's own calls.
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        needs[action, LOGS, ()] = None
    return list(needs)


def refused(needs: list[Need], policies: Mapping[str, Any]) -> str:
    """The first call that the policies don't allow; empty if they allow all."""
    parsed = [parse_policy_document(json.dumps(document)) for document in policies.values()]
    for action, resource, context in needs:
        asked = EvalContext(
            principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/handler/handler",
            principal_type="AssumedRole",
            principal_account=ACCOUNT,
            action=action,
            resource_arn=resource,
            region=REGION,
            secure_transport=True,
            request_tags={key.partition("/")[2]: value for key, value in context if "RequestTag" in key},
            service_context={key.lower(): value for key, value in context},
        )
        if evaluate_iam(asked, parsed).decision != "Allow":
            return f"{action} on {resource} with {dict(context)}"
    return ""


def test_a_campaigns_function_needs_all_it_may_and_may_all_it_needs(
    template: Mapping[str, Any], needs: list[Need], record_property: Any
) -> None:
    policies = policies_of(template)
    assert refused(needs, policies) == ""

    def refusal(mutation: Mutation) -> str:
        return refused(needs, mutation.policies)

    prove("a campaign's function", policies, refusal, record_property)
