"""CreateLabelingJob: the model's constraints and the guide's rules, one case each."""

from __future__ import annotations

from typing import Any

import pytest

from ground_truth_local.service import builtin, model
from tests.local.service.conftest import Clock, FakeAws, Tools

TASK = "HumanTaskConfig__"
PRE = TASK + "PreHumanTaskLambdaArn"
ACS = TASK + "AnnotationConsolidationConfig__AnnotationConsolidationLambdaArn"
EU = "arn:aws:lambda:eu-west-1:568282634449:function:"
AUTOMATED = "arn:aws:sagemaker:{}:027400017018:labeling-job-algorithm-specification/semantic-segmentation"

BROKEN = {
    "name missing": (
        {"LabelingJobName": None},
        "Value null at 'labelingJobName' failed to satisfy constraint",
    ),
    "name too long": ({"LabelingJobName": "x" * 64}, "Member must have length less than or equal to 63"),
    "name pattern": (
        {"LabelingJobName": "a_b"},
        "'labelingJobName' failed to satisfy constraint: Member must satisfy",
    ),
    "name ends with hyphen": ({"LabelingJobName": "ab-"}, "regular expression pattern"),
    "attribute pattern": ({"LabelAttributeName": "a.b-ref"}, "'labelAttributeName'"),
    "attribute without -ref": ({"LabelAttributeName": "label"}, "must end with '-ref'"),
    "attribute -metadata": ({"LabelAttributeName": "x-metadata"}, "must not end with '-metadata'"),
    "attribute reserved": ({"LabelAttributeName": "source-ref"}, "reserved"),
    "no data source": ({"InputConfig__DataSource__S3DataSource": None}, "must have an S3DataSource"),
    "streaming": (
        {"InputConfig__DataSource__SnsDataSource": {"SnsTopicArn": "arn:aws:sns:eu-west-1:111122223333:t"}},
        "no streaming labeling jobs",
    ),
    "manifest no uri": (
        {"InputConfig__DataSource__S3DataSource__ManifestS3Uri": "manifest"},
        "'inputConfig.dataSource.s3DataSource.manifestS3Uri'",
    ),
    "manifest over https": (
        {"InputConfig__DataSource__S3DataSource__ManifestS3Uri": "https://b.example/k"},
        "ManifestS3Uri 'https://b.example/k' must name an S3 object",
    ),
    "classifier": (
        {"InputConfig__DataAttributes": {"ContentClassifiers": ["Free"]}},
        "Member must satisfy enum value set: [FreeOfPersonallyIdentifiableInformation, FreeOfAdultContent]",
    ),
    "output no uri": ({"OutputConfig__S3OutputPath": "out"}, "'outputConfig.s3OutputPath'"),
    "kms key": ({"OutputConfig__KmsKeyId": "a key"}, "'outputConfig.kmsKeyId'"),
    "kms key elsewhere": (
        {"OutputConfig__KmsKeyId": "arn:aws:kms:us-east-1:111122223333:key/1"},
        "must be in the job's Region 'eu-west-1'",
    ),
    "role": ({"RoleArn": "labeling"}, "'roleArn'"),
    "role of another account": (
        {"RoleArn": "arn:aws:iam::444455556666:role/labeling"},
        "cross-account pass role",
    ),
    "no category file": ({"LabelCategoryConfigS3Uri": None}, "LabelCategoryConfigS3Uri is required"),
    "no template": ({TASK + "UiConfig__UiTemplateS3Uri": None}, "UiTemplateS3Uri is required"),
    "task UI by ARN": (
        {TASK + "UiConfig__HumanTaskUiArn": "arn:aws:sagemaker:eu-west-1:394669845002:human-task-ui/X"},
        "HumanTaskUiArn has no entry for image semantic segmentation",
    ),
    "no pre function": ({PRE: None}, "PreHumanTaskLambdaArn is required"),
    "no consolidation": (
        {TASK + "AnnotationConsolidationConfig": None},
        "AnnotationConsolidationLambdaArn is required",
    ),
    "pre of another Region": (
        {PRE: "arn:aws:lambda:us-east-1:432418664414:function:PRE-SemanticSegmentation"},
        f"use '{EU}PRE-SemanticSegmentation'",
    ),
    "pre of another account": (
        {PRE: "arn:aws:lambda:eu-west-1:432418664414:function:PRE-SemanticSegmentation"},
        "account 432418664414 is wrong for 'eu-west-1'",
    ),
    "acs of another account": (
        {ACS: "arn:aws:lambda:eu-west-1:432418664414:function:ACS-SemanticSegmentation"},
        f"use '{EU}ACS-SemanticSegmentation'",
    ),
    "pre and acs swapped": ({PRE: EU + "ACS-SemanticSegmentation"}, "is not a built-in PRE- function"),
    "bounding boxes": ({PRE: EU + "PRE-BoundingBox"}, "is not a built-in PRE- function"),
    "tasks differ": (
        {ACS: EU + "ACS-AdjustmentSemanticSegmentation"},
        "is for the task type SemanticSegmentation, but",
    ),
    "public team": (
        {TASK + "WorkteamArn": "arn:aws:sagemaker:eu-west-1:394669845002:workteam/public-crowd/default"},
        "Mechanical Turk closed",
    ),
    "price": ({TASK + "PublicWorkforceTaskPrice": {"AmountInUsd": {"Dollars": 1}}}, "Mechanical Turk closed"),
    "team elsewhere": (
        {TASK + "WorkteamArn": "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"},
        "must be in the job's Region",
    ),
    "team unknown": (
        {TASK + "WorkteamArn": "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/nobody"},
        "does not exist",
    ),
    "title empty": ({TASK + "TaskTitle": ""}, "Member must have length greater than or equal to 1"),
    "title too long": ({TASK + "TaskTitle": "x" * 129}, "Member must have length less than or equal to 128"),
    "description too long": ({TASK + "TaskDescription": "x" * 256}, "less than or equal to 255"),
    "keyword with hyphen": ({TASK + "TaskKeywords": ["a-b"]}, "'humanTaskConfig.taskKeywords.1.member'"),
    "keyword two spaces": ({TASK + "TaskKeywords": ["a  b"]}, "regular expression pattern"),
    "keyword too long": ({TASK + "TaskKeywords": ["x" * 31]}, "less than or equal to 30"),
    "six keywords": ({TASK + "TaskKeywords": list("abcdef")}, "Value '[a, b, c, d, e, f]'"),
    "no keywords": ({TASK + "TaskKeywords": []}, "greater than or equal to 1"),
    "no workers": (
        {TASK + "NumberOfHumanWorkersPerDataObject": 0},
        "Member must have value greater than or equal to 1",
    ),
    "ten workers": ({TASK + "NumberOfHumanWorkersPerDataObject": 10}, "less than or equal to 9"),
    "time limit short": ({TASK + "TaskTimeLimitInSeconds": 29}, "greater than or equal to 30"),
    "time limit long": ({TASK + "TaskTimeLimitInSeconds": 28_801}, "must be at most 28800"),
    "availability short": ({TASK + "TaskAvailabilityLifetimeInSeconds": 59}, "greater than or equal to 60"),
    "availability long": ({TASK + "TaskAvailabilityLifetimeInSeconds": 2_592_001}, "must be at most 2592000"),
    "concurrency": ({TASK + "MaxConcurrentTaskCount": 5_001}, "less than or equal to 5000"),
    "count": ({"StoppingConditions": {"MaxHumanLabeledObjectCount": 0}}, "maxHumanLabeledObjectCount"),
    "percentage": (
        {"StoppingConditions": {"MaxPercentageOfInputDatasetLabeled": 101}},
        "less than or equal to 100",
    ),
    "automated elsewhere": (
        {
            "LabelingJobAlgorithmsConfig": {
                "LabelingJobAlgorithmSpecificationArn": AUTOMATED.format("us-east-1")
            }
        },
        f"must be '{AUTOMATED.format('eu-west-1')}'",
    ),
    "tag twice": (
        {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]},
        "'a' is given more than once",
    ),
    "tag reserved": ({"Tags": [{"Key": "AWS:x", "Value": "1"}]}, "must not start with 'aws:'"),
    "tag pattern": ({"Tags": [{"Key": "a!", "Value": "1"}]}, "'tags.1.member.key'"),
}


@pytest.mark.parametrize(("changes", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_request_is_refused_by_name(harness: Any, changes, message) -> None:
    answer = harness.create(**changes)
    assert (answer.status, answer.body["__type"]) == (400, "ValidationException")
    assert message in answer.body["message"]


def test_all_violations_of_the_model_are_listed_at_once(harness: Any) -> None:
    answer = harness.create(LabelingJobName=None, RoleArn="x")
    assert answer.body["message"].startswith("3 validation errors detected: Value ")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"LabelingJobName": 5}, "NUMBER_VALUE can not be converted to a String"),
        ({"HumanTaskConfig": []}, "START_ARRAY can not be converted to a Structure"),
        ({TASK + "TaskTimeLimitInSeconds": "60"}, "STRING_VALUE can not be converted to a Integer"),
        ({TASK + "TaskTimeLimitInSeconds": True}, "TRUE_VALUE can not be converted to a Integer"),
        ({"Tags": {"a": "b"}}, "START_OBJECT can not be converted to a List"),
    ],
)
def test_a_wrong_type_cannot_be_deserialized(harness: Any, changes, message: str) -> None:
    answer = harness.create(**changes)
    assert answer.body["__type"] == "SerializationException"
    assert message in answer.body["message"]


def test_the_model_documents_six_functions_in_twelve_regions() -> None:
    assert len(builtin.regions()) == 12
    for region in builtin.regions():
        owners = {
            builtin.owner(region, stage, task)
            for stage in ("PRE", "ACS")
            for task in (builtin.SEGMENTATION, builtin.ADJUSTMENT, builtin.VERIFICATION)
        }
        assert len(owners) == 1 and None not in owners, region


@pytest.mark.parametrize("region", builtin.regions())
def test_each_region_takes_its_own_functions(aws: FakeAws, clock: Clock, tools: type[Tools], region) -> None:
    owner = builtin.owner(region, "PRE", builtin.SEGMENTATION)
    assert owner
    team = f"arn:aws:sagemaker:{region}:{tools.ACCOUNT}:workteam/private-crowd/annotators"
    harness = tools.Harness(aws, clock, workteams=[team])
    body = tools.request(
        **{
            TASK + "WorkteamArn": team,
            PRE: tools.function("PRE-SemanticSegmentation", region=region, account=owner),
            ACS: tools.function("ACS-SemanticSegmentation", region=region, account=owner),
        }
    )
    assert harness.call("CreateLabelingJob", body, region=region).status == 200
    harness.service.stop()


def test_a_region_without_ground_truth_lists_the_twelve(harness: Any, tools: type[Tools]) -> None:
    body = tools.request(**{PRE: tools.function("PRE-SemanticSegmentation", region="eu-north-1")})
    answer = harness.call("CreateLabelingJob", body, region="eu-north-1")
    assert "not available in 'eu-north-1'" in answer.body["message"]
    assert all(region in answer.body["message"] for region in builtin.regions())


@pytest.mark.parametrize(
    ("pattern_of", "value", "fits"),
    [
        ("TagKey", "Größe 1", True),
        ("TagKey", "a!", False),
        ("TaskTitle", "Straße: 道路 (1)", True),
        ("CognitoUserGroup", "gruppe-ü_€", True),
        ("CognitoUserGroup", "two words", False),
        ("LabelingJobName", "a" + "-" * 61 + "b", True),
        ("LabelingJobName", "-" * 10_000 + "!", False),
    ],
)
def test_java_patterns_are_understood(pattern_of: str, value, fits: bool) -> None:
    assert model.matches(model.shape(pattern_of)["pattern"], value) is fits


def test_a_vendor_team_may_be_anothers(harness: Any, tools: type[Tools]) -> None:
    vendor = f"arn:aws:sagemaker:{tools.REGION}:999988887777:workteam/vendor-crowd/someone"
    harness.service.add_workteam(vendor)
    assert harness.create(**{TASK + "WorkteamArn": vendor}).status == 200


def test_an_adjustment_job_keeps_ref_and_a_verification_job_must_not_have_it(
    harness: Any, tools: type[Tools]
) -> None:
    def change(task, attribute):
        return {
            PRE: tools.function(f"PRE-{task}"),
            ACS: tools.function(f"ACS-{task}"),
            "LabelAttributeName": attribute,
        }

    assert harness.create("a", **change("AdjustmentSemanticSegmentation", "again-ref")).status == 200
    bad = harness.create("b", **change("VerificationSemanticSegmentation", "check-ref"))
    assert "must not end with '-ref'" in bad.body["message"]
