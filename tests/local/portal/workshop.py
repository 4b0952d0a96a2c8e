"""An embedded AWS with a bucket, a role and a work team, and labeling jobs made straight by the API."""

from __future__ import annotations

import io
import itertools
import json
import time

import numpy as np
from PIL import Image

from tests.local.portal.painter import Painter

SEED = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-semantic-segmentation
    name="crowd-semantic-segmentation"
    src="{{ task.input.taskObject | grant_read_access }}"
    header="Please segment out all pedestrians."
    labels="{{ task.input.labels | to_json | escape }}"
  >
    <full-instructions header="Segmentation instructions">
      <ol><li><strong>Read</strong> the task carefully and inspect the image.</li></ol>
    </full-instructions>
    <short-instructions>
      <h2><span style="color: rgb(0, 138, 0);">Good example</span></h2>
      <p>Enter description to explain a correctly done segmentation</p>
    </short-instructions>
  </crowd-semantic-segmentation>
</crowd-form>"""
FUNCTION = "arn:aws:lambda:us-east-1:432418664414:function"
CORS = {
    "AllowedMethods": ["GET"],
    "AllowedOrigins": ["*"],
    "ExposeHeaders": ["Access-Control-Allow-Origin"],
}
MEMBERS = ("ada@example.com", "grace@example.com", "katherine@example.com")


def picture(size=(120, 80), kind="JPEG"):
    """Return a picture of an ellipse on a plain ground."""
    y, x = np.mgrid[: size[1], : size[0]]
    inside = ((x / size[0] - 0.5) / 0.3) ** 2 + ((y / size[1] - 0.5) / 0.3) ** 2 <= 1
    pixels = np.where(inside[..., None], (200, 60, 40), (60, 110, 160)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


class Workshop:
    """One running embedded AWS for many tests; each job has a name and a folder of its own."""

    def __init__(self, aws) -> None:
        self.aws = aws
        session = aws.session()
        self.s3, self.sagemaker = session.client("s3"), session.client("sagemaker")
        self._numbers = itertools.count(1)
        self.s3.create_bucket(Bucket="pictures")
        self.s3.put_bucket_cors(Bucket="pictures", CORSConfiguration={"CORSRules": [CORS]})
        self.team = aws.create_workteam("annotators", MEMBERS)
        self.role = self._make_role(session.client("iam"))

    def _make_role(self, iam) -> str:
        service = {"Service": "sagemaker.amazonaws.com"}
        trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
        allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        iam.create_role(RoleName="labeling", AssumeRolePolicyDocument=_policy(trust))
        iam.put_role_policy(RoleName="labeling", PolicyName="s3", PolicyDocument=_policy(allow))
        return f"arn:aws:iam::{self.aws.account}:role/labeling"

    def put(self, key, body) -> str:
        self.s3.put_object(Bucket="pictures", Key=key, Body=body)
        return f"s3://pictures/{key}"

    def create(self, template=SEED, *, labels=("cat", "dog"), pictures=None, lines=None, kind="", **task):
        """Create a job and return its name."""
        name = f"job-{next(self._numbers)}"
        if lines is None:
            lines = [
                {"source-ref": self.put(f"{name}/{file}", body)}
                for file, body in (pictures or {"a.jpg": picture()}).items()
            ]
        categories = {"document-version": "2018-11-28", "labels": [{"label": label} for label in labels]}
        human_task = {
            "WorkteamArn": self.team,
            "UiConfig": {"UiTemplateS3Uri": self.put(f"{name}/template.html", template)},
            "PreHumanTaskLambdaArn": f"{FUNCTION}:PRE-{kind}SemanticSegmentation",
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": f"{FUNCTION}:ACS-{kind}SemanticSegmentation"
            },
            "TaskTitle": name,
            "TaskDescription": "Paint",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 3600,
        } | task
        manifest = self.put(f"{name}/manifest", "\n".join(json.dumps(line) for line in lines))
        self.sagemaker.create_labeling_job(
            LabelingJobName=name,
            LabelAttributeName=f"{name}-{'checked' if kind == 'Verification' else 'ref'}",
            InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": manifest}}},
            OutputConfig={"S3OutputPath": "s3://pictures/labels"},
            RoleArn=self.role,
            LabelCategoryConfigS3Uri=self.put(f"{name}/labels.json", json.dumps(categories)),
            HumanTaskConfig=human_task,
        )
        return name

    def wait(self, name, *statuses, seconds=30):
        """Wait until the job has a status; return its description."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = self.sagemaker.describe_labeling_job(LabelingJobName=name)
            if job["LabelingJobStatus"] in statuses:
                return job
            assert job["LabelingJobStatus"] not in ("Failed", "Stopped"), job.get("FailureReason")
            time.sleep(0.1)
        raise AssertionError(f"{name} is still {job['LabelingJobStatus']}")

    def labeled(self, name):
        """Return the output manifest's lines of a completed job."""
        uri = self.wait(name, "Completed")["LabelingJobOutput"]["OutputDatasetS3Uri"]
        return [json.loads(line) for line in self.get(uri).decode().splitlines()]

    def get(self, uri):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def stop(self, name) -> None:
        self.sagemaker.stop_labeling_job(LabelingJobName=name)


def _policy(statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Person:
    """Somebody at the portal, in a browser of their own."""

    def __init__(self, browser, url, name=MEMBERS[0], *, viewport=(1280, 800), **options) -> None:
        size = {"width": viewport[0], "height": viewport[1]}
        self.context = browser.new_context(viewport=size, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.url = url
        self.page.goto(url)
        self.page.get_by_role("button", name=name).click()
        self.page.wait_for_url("**/jobs")

    @property
    def frame(self):
        return self.page.frame_locator("#frame")

    def start(self, title):
        """Open the job's next task, as soon as the job hands one out."""
        card = self.page.locator("article.job", has=self.page.get_by_role("heading", name=title, exact=True))
        deadline = time.monotonic() + 20
        while not card.count() and time.monotonic() < deadline:
            self.page.wait_for_timeout(200)
            self.page.goto(f"{self.url}/jobs")
        card.get_by_role("button").click()
        self.page.wait_for_url("**/tasks/*")
        return self

    def painter(self, state="ready"):
        return Painter(self.page, self.frame).wait(state)

    def widget_keys(self, *keys) -> None:
        """Press keys without waiting for anything."""
        for key in keys:
            self.page.keyboard.press(key)

    def submit(self) -> None:
        """Press Submit and wait for the next page."""
        old = self.page.url
        self.frame.get_by_role("button", name="Submit", exact=True).click()
        self.page.wait_for_url(lambda url: url != old)

    def close(self) -> None:
        self.context.close()
