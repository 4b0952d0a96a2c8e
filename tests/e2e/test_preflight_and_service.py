"""Preflight and the embedded service, which has rules of its own, over the same corpus.

What preflight passes the service must take and show to workers; what the service refuses, preflight must
have refused.
"""

import sqlite3
import time
from contextlib import closing
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from ground_truth_local.server import EmbeddedAws
from labeling_job.contract import Images, JobProperties
from labeling_job.errors import DeployError
from labeling_job.preflight import access, gate
from tests.corpus.broken import BROKEN
from tests.corpus.embedded import Stage, renamed
from tests.corpus.odd import ODD
from tests.corpus.world import REGION, good_world

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("preflight-and-service"),
]

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000, log_group_name="group")
PATIENCE_SECONDS = 300
JOBS_AT_A_TIME = 40
ENDED = ("Completed", "Failed", "Stopped")
#: The service begins with so many objects.
PROBE_BATCH = 10
#: The embedded S3 has no archive and refuses to write with a disabled key; in its policies a wildcard takes
#: no line break.
NOT_PLAYED = {"archived image", "images' key disabled", "key with a line break"}
#: Preflight is stricter: the service would take these, and nobody would get what they want.
STRICTER = {
    "an image twice": "each line is paid for",
    "all labeled already": "the job would end at once",
    "attribute taken by something else": "the label would overwrite the input's attribute",
    "attribute taken by another task type": "the label would overwrite another",
    "labels: BACKGROUND": "the service writes it itself, for unpainted pixels",
    "NaN": "not JSON, for stricter readers of the output manifest",
    "an attribute twice": "which one is meant is for the reader to guess",
    "images below the output": "the next deploy would label masks",
    "output below the listed prefix": "the next deploy would label masks",
    "too many objects": "the user's own ceiling",
    "too many tasks": "the user's own ceiling",
    "too expensive": "the user's own ceiling",
}


@pytest.fixture(scope="module")
def stage():
    with EmbeddedAws(region=REGION) as aws:
        yield Stage(aws)


@pytest.fixture(scope="module")
def worlds(stage):
    """Every input of the corpus, each with a name's number of its own."""
    made = {}
    changes = {name: change for name, (_, change) in BROKEN.items()} | ODD
    for number, (name, change) in enumerate(changes.items()):
        world = good_world(account=stage.aws.account)
        change(world)
        made[name] = renamed(world, number)
    return made


@pytest.fixture(scope="module")
def verdicts(stage, worlds):
    """What preflight says, empty if it passes."""
    original, access._SETTLE_SECONDS = access._SETTLE_SECONDS, 0.0
    said = {}
    for name, world in worlds.items():
        stage.play(world)
        images = Images(source="Bucket" if world.listed else "Manifest", images_s3_uri=world.listed)
        properties = JobProperties(
            job_name_prefix="c",
            images=images,
            request={},
            tags={},
            preflight={"Seconds": 20},
            cost=world.cost,
        )
        try:
            gate.passed(world.request, properties, client=stage.client, context=CONTEXT)
            said[name] = ""
        except DeployError as refusal:
            said[name] = str(refusal)
    access._SETTLE_SECONDS = original
    return said


@pytest.fixture(scope="module")
def outcomes(stage, worlds, verdicts):
    """What the service makes of each input: its refusal, or the job when all its images were opened."""
    sagemaker, outcomes = stage.client("sagemaker"), {}
    names = list(worlds)
    # An account has so many jobs at a time.
    for start in range(0, len(names), JOBS_AT_A_TIME):
        batch = {name: worlds[name].request for name in names[start : start + JOBS_AT_A_TIME]}
        outcomes |= dict(run(stage, sagemaker, batch))
    return outcomes


def run(stage, sagemaker, requests):
    """Create jobs, and tell of each when its images were opened or it ended."""
    waiting = {}
    for name, request in requests.items():
        try:
            sagemaker.create_labeling_job(**request)
            waiting[name] = request["LabelingJobName"]
        except ClientError as error:
            yield name, {"status": "Refused", "reason": str(error), "failed": 0}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waiting:
        assert time.monotonic() < deadline, f"neither opened nor ended: {waiting}"
        for name, job_name in list(waiting.items()):
            job = sagemaker.describe_labeling_job(LabelingJobName=job_name)
            in_progress = job["LabelingJobStatus"] == "InProgress"
            if job["LabelingJobStatus"] in ENDED or (in_progress and is_opened(stage, job["LabelingJobArn"])):
                # Read again: what failed last was counted after the first look.
                job = sagemaker.describe_labeling_job(LabelingJobName=job_name)
                yield (
                    name,
                    {
                        "status": job["LabelingJobStatus"],
                        "reason": job.get("FailureReason", ""),
                        "failed": job["LabelCounters"]["FailedNonRetryableError"],
                    },
                )
                if in_progress:
                    sagemaker.stop_labeling_job(LabelingJobName=job_name)
                del waiting[name]
        time.sleep(0.1)


def is_opened(stage, arn: str) -> bool:
    """Whether the service has looked at all images that it shows at a time; its API doesn't tell."""
    store = next(stage.aws.state.root.rglob("ground-truth.sqlite"))
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT state, COUNT(*) FROM objects WHERE job = ? GROUP BY state", (arn,))
        states = dict(rows.fetchall())
    looked_at = states.get("open", 0) + states.get("failed", 0)
    return not states.get("batch") and (not states.get("pending") or looked_at >= PROBE_BATCH)


def is_taken(outcome) -> bool:
    return outcome["status"] in ("Completed", "InProgress") and not outcome["failed"]


def test_preflight_says_the_same_of_real_buckets_and_roles(verdicts):
    wrong = {
        name: verdicts[name]
        for name, (check, _) in BROKEN.items()
        if name not in NOT_PLAYED and f"ERROR {check}" not in verdicts[name]
    }
    assert not wrong
    assert {name: verdicts[name] for name in ODD if verdicts[name]} == {}


def test_the_service_shows_workers_what_preflight_passes(verdicts, outcomes):
    passed = [name for name, verdict in verdicts.items() if not verdict and name not in NOT_PLAYED]
    assert len(passed) >= len(ODD)
    assert {name: outcomes[name] for name in passed if not is_taken(outcomes[name])} == {}


def test_preflight_refuses_all_that_the_service_refuses_and_no_more_than_is_listed(verdicts, outcomes):
    taken = {name for name in BROKEN if name not in NOT_PLAYED and is_taken(outcomes[name])}
    assert taken == set(STRICTER)
    refused = [name for name, outcome in outcomes.items() if not is_taken(outcome)]
    assert all(verdicts[name] for name in refused if name not in NOT_PLAYED)
    assert len(refused) >= 60
