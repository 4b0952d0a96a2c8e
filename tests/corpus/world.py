"""A job's surroundings in plain values, which a fake or an embedded AWS plays."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.corpus import pictures

REGION, ELSEWHERE = "eu-west-1", "eu-central-1"
FUNCTIONS_ACCOUNT = "568282634449"
INPUT, OUTPUT = "corpus-input", "corpus-output"
CORS = [
    {
        "AllowedMethods": ["GET"],
        "AllowedOrigins": ["*"],
        "ExposeHeaders": ["Access-Control-Allow-Origin"],
    }
]
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-semantic-segmentation name="segmentation" header="Mark the road"
    src="{{ task.input.taskObject | grant_read_access }}"
    labels="{{ task.input.labels | to_json | escape }}">
    <full-instructions header="How">Paint.</full-instructions>
    <short-instructions>Paint.</short-instructions>
  </crowd-semantic-segmentation>
</crowd-form>
"""
LABELS = ["road", "building", "pedestrian"]


@dataclass(kw_only=True)
class Bucket:
    region: str = REGION
    cors: list[dict[str, Any]] | None = field(default_factory=lambda: [dict(rule) for rule in CORS])
    objects: dict[str, bytes] = field(default_factory=dict)
    #: Objects' storage class, where it isn't the standard one.
    archived: set[str] = field(default_factory=set)
    #: Objects' customer key, by its name in `World.keys`.
    encrypted: dict[str, str] = field(default_factory=dict)
    policy: dict | None = None


@dataclass(kw_only=True)
class Key:
    state: str = "Enabled"
    #: Whether the role's own policies let it use the key.
    granted: bool = True


@dataclass(kw_only=True)
class World:
    account: str = "111122223333"
    region: str = REGION
    buckets: dict[str, Bucket] = field(default_factory=dict)
    trusts: str = "sagemaker.amazonaws.com"
    has_role: bool = True
    statements: list[dict] = field(default_factory=list)
    keys: dict[str, Key] = field(default_factory=dict)
    #: Work teams that exist → their members.
    teams: dict[str, list[str]] = field(default_factory=lambda: {"corpus-team": ["ann", "bob", "cat"]})
    request: dict = field(default_factory=dict)
    cost: dict | None = None
    listed: str = ""

    @property
    def role_arn(self) -> str:
        return self.request["RoleArn"]

    @property
    def task(self) -> dict:
        return self.request["HumanTaskConfig"]

    @property
    def input(self) -> Bucket:
        return self.buckets[INPUT]

    @property
    def cors(self) -> list[dict[str, Any]]:
        assert self.input.cors is not None
        return self.input.cors

    def put(self, key: str, body: bytes | str, bucket: str = INPUT) -> None:
        self.buckets[bucket].objects[key] = body.encode() if isinstance(body, str) else body

    def lines(self, *entries: object, end: str = "\n") -> None:
        """Write the manifest: mappings as JSON, strings as they are."""
        self.put("in.manifest", "".join(_line(entry) + end for entry in entries))

    def images(self, *keys: str, body: bytes | None = None, bucket: str = INPUT) -> None:
        """Images with a manifest that names them, and nothing else."""
        for key in keys:
            self.put(key, body or pictures.jpeg(), bucket)
        self.lines(*({"source-ref": f"s3://{bucket}/{key}"} for key in keys))

    def many(self, count: int) -> None:
        """That many different images of one tiny file."""
        self.images(*(f"many/{n:05}.png" for n in range(count)), body=pictures.bare_png(4, 4))

    def labels(self, *names: object, **document: object) -> None:
        content = {"document-version": "2018-11-28", "labels": [{"label": name} for name in names]}
        self.put("labels.json", json.dumps({**content, **document}))

    def automated(self) -> None:
        arn = f"arn:aws:sagemaker:{self.region}:027400017018:labeling-job-algorithm-specification"
        self.request["LabelingJobAlgorithmsConfig"] = {
            "LabelingJobAlgorithmSpecificationArn": f"{arn}/semantic-segmentation"
        }

    def task_type(self, name: str) -> None:
        base = f"arn:aws:lambda:{self.region}:{FUNCTIONS_ACCOUNT}:function"
        self.task["PreHumanTaskLambdaArn"] = f"{base}:PRE-{name}"
        self.task["AnnotationConsolidationConfig"] = {
            "AnnotationConsolidationLambdaArn": f"{base}:ACS-{name}"
        }


def _line(entry: object) -> str:
    return entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False)


def good_world(account: str = "111122223333") -> World:
    """Three images, labels, a template, a team and a role: nothing is wrong."""
    world = World(account=account)
    world.buckets = {INPUT: Bucket(), OUTPUT: Bucket()}
    read = [f"arn:aws:s3:::{name}" for name in ("corpus-*",)]
    world.statements = [
        _allow("s3:GetObject", [f"{arn}/*" for arn in read]),
        _allow("s3:PutObject", [f"arn:aws:s3:::{OUTPUT}/*"]),
        _allow("s3:AbortMultipartUpload", [f"arn:aws:s3:::{OUTPUT}/*"]),
        _allow("s3:GetBucketLocation", read),
        _allow("s3:ListBucket", read),
    ]
    world.images("day/a.jpg", "day/b.jpg", "night/c.jpg")
    world.labels(*LABELS)
    world.put("template.liquid.html", TEMPLATE)
    world.request = {
        "LabelingJobName": "corpus",
        "LabelAttributeName": "streets-ref",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{INPUT}/in.manifest"}}},
        "OutputConfig": {"S3OutputPath": f"s3://{OUTPUT}/labels"},
        "RoleArn": f"arn:aws:iam::{account}:role/corpus-role",
        "LabelCategoryConfigS3Uri": f"s3://{INPUT}/labels.json",
        "HumanTaskConfig": {
            "WorkteamArn": f"arn:aws:sagemaker:{REGION}:{account}:workteam/private-crowd/corpus-team",
            "UiConfig": {"UiTemplateS3Uri": f"s3://{INPUT}/template.liquid.html"},
            "TaskTitle": "Streets",
            "TaskDescription": "Mark the road",
            "NumberOfHumanWorkersPerDataObject": 3,
            "TaskTimeLimitInSeconds": 600,
        },
    }
    world.task_type("SemanticSegmentation")
    return world


def _allow(action: str, resources: list[str]) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resources}


def drop(world: World, action: str) -> None:
    """Take an action from the role."""
    world.statements = [s for s in world.statements if s["Action"] != action]


def deny(world: World, action: str, resource: str) -> None:
    world.statements.append({"Effect": "Deny", "Action": action, "Resource": [resource]})
