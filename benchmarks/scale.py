"""A day of a large team: three jobs, 20,000 images, 30 people at once, each over HTTP as their page does.

`SCALE_IMAGES=900 python -m benchmarks scale` is a short one. A day of the moved clock passes in ten steps.
"""

from __future__ import annotations

import io
import json
import os
import re
import statistics
import tempfile
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from PIL import Image

from ground_truth_local.clock import ClockHand
from ground_truth_local.server import EmbeddedAws
from ground_truth_local.service.masks import encode_answer

IMAGES = int(os.environ.get("SCALE_IMAGES", "20000"))
PEOPLE, JOBS, STEPS = 30, 3, 10
LABELS = ("road", "sky")
FUNCTION = "arn:aws:lambda:us-east-1:432418664414:function"
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script><crowd-form>
<crowd-semantic-segmentation name="crowd-semantic-segmentation" header="Paint"
src="{{ task.input.taskObject | grant_read_access }}" labels="{{ task.input.labels | to_json | escape }}">
</crowd-semantic-segmentation></crowd-form>"""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Worker:
    """One person's browser, without the browser."""

    def __init__(self, portal: str, team: str, worker: str) -> None:
        self._portal, self._cookie = portal, ""
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._cookie = self._post("/sign-in", {"team": team, "worker": worker})["Set-Cookie"].partition(";")[
            0
        ]
        self.taken: list[str] = []
        self.next_times: list[float] = []
        self.submit_times: list[float] = []

    def work(self, jobs: list[str], answer: dict[str, Any], done: threading.Event) -> None:
        """Take and submit tasks until all jobs are done; a job hands out so many at a time."""
        while not done.is_set():
            start = time.perf_counter()
            path = self._post("/work", {"job": jobs[0]})["Location"]
            took = time.perf_counter() - start
            if not path.startswith("/tasks/"):
                jobs = [*jobs[1:], jobs[0]]
                done.wait(0.1)
                continue
            self.next_times.append(took)
            self.taken.append(path)
            start = time.perf_counter()
            self._post(f"{path}/submit", {"answer": answer}, as_json=True)
            self.submit_times.append(time.perf_counter() - start)

    def _post(self, path: str, body: dict[str, Any], *, as_json: bool = False) -> Any:
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        data = json.dumps(body).encode() if as_json else urlencode(body).encode()
        headers = {"Cookie": self._cookie, "Content-Type": kind, "Origin": self._portal}
        request = urllib.request.Request(self._portal + path, data=data, headers=headers)
        try:
            with self._opener.open(request, timeout=60) as response:
                return response.headers
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 303:
                    return error.headers
                raise


def main() -> None:
    """Print latencies, memory and what was lost or handed out twice."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedAws(Path(folder)) as aws:
        members = [f"worker-{number:02}@example.com" for number in range(PEOPLE)]
        team = aws.create_workteam("annotators", members)
        counts = [IMAGES // JOBS + (number < IMAGES % JOBS) for number in range(JOBS)]
        arns = [_job(aws, team, f"streets-{number}", count) for number, count in enumerate(counts)]
        mask = np.zeros((24, 32), np.uint8)
        mask[4:12, 6:20] = 1
        answer = {"crowd-semantic-segmentation": encode_answer(mask, LABELS)}
        workers = [Worker(aws.portal_url, team, one) for one in _ids(aws.portal_url, team)[:PEOPLE]]
        assert len(workers) == PEOPLE
        memory = [_megabytes(aws)]
        ended, done = threading.Event(), threading.Event()
        threading.Thread(target=_watch, args=(aws, done), daemon=True).start()
        clock = threading.Thread(target=_day, args=(aws, ended, memory))
        clock.start()
        start = time.perf_counter()
        with ThreadPoolExecutor(PEOPLE) as pool:
            orders = [arns[number % JOBS :] + arns[: number % JOBS] for number in range(PEOPLE)]
            pairs = zip(workers, orders, strict=True)
            list(pool.map(lambda pair: pair[0].work(pair[1], answer, done), pairs))
        seconds = time.perf_counter() - start
        ended.set()
        clock.join()
        _report(aws, workers, seconds, [*memory, _megabytes(aws)])


def _report(aws: EmbeddedAws, workers: list[Worker], seconds: float, memory: list[float]) -> None:
    taken = [path for worker in workers for path in worker.taken]
    labeled = sum(_labeled(aws, number) for number in range(JOBS))
    print(f"{IMAGES:,} images, {JOBS} jobs, {PEOPLE} people at once, a day of the moved clock:")
    twice = len(taken) - len(set(taken))
    print(f"  labeled {labeled:,}; handed out {len(taken):,}, of them twice {twice:,}; "
          f"lost {IMAGES - labeled:,}  [goal 0 and 0]")  # fmt: skip
    print(f"  {len(taken) / seconds:.0f} answers a second")
    for name in ("next", "submit"):
        times = [1000 * one for worker in workers for one in getattr(worker, f"{name}_times")]
        high = statistics.quantiles(times, n=100)[98]
        print(f"  {name}: median {statistics.median(times):.0f} ms, 99th percentile {high:.0f} ms")
    before, after = memory[0], memory[-1]
    print(
        f"  memory of the server: {before:.0f} MB before, {max(memory):.0f} MB at most, {after:.0f} MB after"
    )


def _job(aws: EmbeddedAws, team: str, name: str, count: int) -> str:
    session = aws.session()
    s3, sagemaker = session.client("s3"), session.client("sagemaker")
    role = _role(session.client("iam"), aws, name)
    s3.create_bucket(Bucket=name)
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), "gray").save(buffer, "PNG")

    def put(key: str, body: bytes) -> None:
        s3.put_object(Bucket=name, Key=key, Body=body)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: put(f"{index}.png", buffer.getvalue()), range(count)))
    put(
        "m",
        "\n".join(json.dumps({"source-ref": f"s3://{name}/{index}.png"}) for index in range(count)).encode(),
    )
    put("labels.json", json.dumps({"labels": [{"label": label} for label in LABELS]}).encode())
    put("template.html", TEMPLATE.encode())
    sagemaker.create_labeling_job(
        LabelingJobName=name,
        LabelAttributeName=f"{name}-ref",
        InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{name}/m"}}},
        OutputConfig={"S3OutputPath": f"s3://{name}/out"},
        RoleArn=role,
        LabelCategoryConfigS3Uri=f"s3://{name}/labels.json",
        HumanTaskConfig={
            "WorkteamArn": team,
            "UiConfig": {"UiTemplateS3Uri": f"s3://{name}/template.html"},
            "PreHumanTaskLambdaArn": f"{FUNCTION}:PRE-SemanticSegmentation",
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": f"{FUNCTION}:ACS-SemanticSegmentation"
            },
            "TaskTitle": name,
            "TaskDescription": "Paint",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 8 * 3600,
            "TaskAvailabilityLifetimeInSeconds": 10 * 24 * 3600,
        },
    )
    while (job := sagemaker.describe_labeling_job(LabelingJobName=name))[
        "LabelingJobStatus"
    ] == "Initializing":
        time.sleep(0.2)
    # A small one may be done by now.
    assert job["LabelingJobStatus"] in ("InProgress", "Completed"), job
    return str(job["LabelingJobArn"])


def _role(iam: Any, aws: EmbeddedAws, name: str) -> str:
    service = {"Service": "sagemaker.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [trust]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy))
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    iam.put_role_policy(RoleName=name, PolicyName="s3", PolicyDocument=json.dumps(policy))
    return f"arn:aws:iam::{aws.account}:role/{name}"


def _ids(portal: str, team: str) -> list[str]:
    with urllib.request.urlopen(portal) as response:
        page = response.read().decode()
    return [found for found in re.findall(r'name="worker" value="([^"]+)"', page) if found]


def _day(aws: EmbeddedAws, ended: threading.Event, memory: list[float]) -> None:
    """Let a day pass in steps, so that no task in somebody's hands is beyond its limit of eight hours."""
    state = aws.session()
    credentials = state.get_credentials().get_frozen_credentials()
    hand = ClockHand(aws.endpoint_url, (credentials.access_key, credentials.secret_key), "us-east-1")
    for _ in range(STEPS):
        if ended.wait(max(1.0, IMAGES / 2_000)):
            return
        hand.advance(hours=24 / STEPS)
        memory.append(_megabytes(aws))


def _watch(aws: EmbeddedAws, done: threading.Event) -> None:
    """Set the event when all jobs are completed, or nothing has been labeled for a minute."""
    client = aws.session().client("sagemaker")
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 60:
        jobs = [client.describe_labeling_job(LabelingJobName=f"streets-{number}") for number in range(JOBS)]
        if all(job["LabelingJobStatus"] == "Completed" for job in jobs):
            break
        labeled = sum(job["LabelCounters"]["TotalLabeled"] for job in jobs)
        if labeled != last:
            last, since = labeled, time.monotonic()
        time.sleep(0.5)
    done.set()


def _labeled(aws: EmbeddedAws, number: int) -> int:
    job = aws.session().client("sagemaker").describe_labeling_job(LabelingJobName=f"streets-{number}")
    return int(job["LabelCounters"]["TotalLabeled"])


def _megabytes(aws: EmbeddedAws) -> float:
    assert aws._process is not None, "it runs"
    text = Path(f"/proc/{aws._process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", text)
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
