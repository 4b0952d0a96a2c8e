"""What a labeling job reads and writes: an in-memory S3 with one small data set, for the embedded service."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from PIL import Image

from tests.faults.wire import ACCOUNT, REGION
from tests.s3 import Objects

_TEMPLATE = b"""<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-semantic-segmentation name="crowd-semantic-segmentation"
src="{{ task.input.taskObject | grant_read_access }}" header="Paint"
labels="{{ task.input.labels | to_json | escape }}"><full-instructions header="How">x</full-instructions>
<short-instructions>y</short-instructions></crowd-semantic-segmentation></crowd-form>"""
_CATEGORIES = {"document-version": "2018-11-28", "labels": [{"label": "road"}, {"label": "sky"}]}
_FUNCTIONS = f"arn:aws:lambda:{REGION}:568282634449:function:"


def _photo() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 48), "grey").save(made, "JPEG")
    return made.getvalue()


_PHOTO = _photo()


class GroundTruthAws(Objects):
    """The `AwsAccess` of the embedded service."""

    endpoint_url = "http://127.0.0.1:1"
    team = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/annotators"

    def __init__(self) -> None:
        line = json.dumps({"source-ref": "s3://photos/day/1.jpg"})
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr("1.jpg", _PHOTO)
            made.writestr("2.jpg", _PHOTO)
        objects = {
            ("photos", "day/1.jpg"): _PHOTO,
            **{("photos", f"week/{number}.jpg"): _PHOTO for number in range(4)},
            ("input", "ready.manifest"): f"{line}\n".encode(),
            ("input", "labels.json"): json.dumps(_CATEGORIES).encode(),
            ("input", "template.liquid"): _TEMPLATE,
            ("input", "photos.zip"): archive.getvalue(),
        }
        super().__init__(objects)

    def session_for_role(self, role_arn: str, region: str, account: str) -> Any:
        return self

    def client(self, service: str, **_: Any) -> Any:
        return self

    def get_bucket_location(self, *, Bucket: str) -> dict[str, Any]:
        return {"LocationConstraint": REGION}

    def bucket_cors(self, bucket: str, account: str, region: str) -> list[dict[str, Any]]:
        return [
            {
                "AllowedMethods": ["GET"],
                "AllowedOrigins": ["*"],
                "ExposeHeaders": ["Access-Control-Allow-Origin"],
            }
        ]

    def put_event(self, **_: Any) -> None:
        pass

    # Nobody looks at a job's metrics and logs here.
    put_metric_data = create_log_group = create_log_stream = put_log_events = put_event


def properties(
    title: str = "A",
    *,
    manifest: str = "ready.manifest",
    images: str = "Manifest",
    tags: dict[str, str] | None = None,
    removal: str = "Stop",
    preflight: bool = False,
) -> dict[str, Any]:
    """The custom resource's properties; another title is another job."""
    sources: dict[str, dict[str, str]] = {
        "Manifest": {},
        "Bucket": {"ImagesS3Uri": "s3://photos/day/", "StagingS3Uri": "s3://input/staged/"},
        "Week": {"ImagesS3Uri": "s3://photos/week/", "StagingS3Uri": "s3://input/staged/"},
        "Directory": {"ArchiveS3Uri": "s3://input/photos.zip", "StagingS3Uri": "s3://input/staged/"},
    }
    given = {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://input/{manifest}"}}}
    return {
        "ServiceToken": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:handler",
        "ServiceTimeout": "3000",
        "JobNamePrefix": "streets",
        "Images": {"Source": "Bucket" if images == "Week" else images, **sources[images]},
        "Request": {
            "LabelAttributeName": "streets-ref",
            **({"InputConfig": given} if images == "Manifest" else {}),
            "OutputConfig": {"S3OutputPath": "s3://output/labels"},
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/labeling",
            "LabelCategoryConfigS3Uri": "s3://input/labels.json",
            "HumanTaskConfig": {
                "WorkteamArn": GroundTruthAws.team,
                "UiConfig": {"UiTemplateS3Uri": "s3://input/template.liquid"},
                "PreHumanTaskLambdaArn": f"{_FUNCTIONS}PRE-SemanticSegmentation",
                "TaskTitle": title,
                "TaskDescription": "Paint it",
                "NumberOfHumanWorkersPerDataObject": "3",
                "TaskTimeLimitInSeconds": "3600",
                "AnnotationConsolidationConfig": {
                    "AnnotationConsolidationLambdaArn": f"{_FUNCTIONS}ACS-SemanticSegmentation"
                },
            },
        },
        "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        "RemovalPolicy": removal,
        **({"Preflight": {}} if preflight else {}),
    }
