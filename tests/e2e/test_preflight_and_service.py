"""Preflight and the embedded service, which has rules of its own, over the same corpus.

What preflight passes the service must take and show to workers; what the service refuses, preflight must
have refused.
"""

from __future__ import annotations

import itertools
import sqlite3
import time
from contextlib import closing
from types import SimpleNamespace
from typing import Any

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
from tests.deep import deep

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("preflight-and-service"),
]

#: `make test` plays each third input; `make deep` plays all.
SHARE = deep(3, 1)
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000, log_group_name="group")
PATIENCE_SECONDS = 300
#: An account has so many jobs at a time; one answer of ListLabelingJobs has them all.
JOBS_AT_A_TIME = 40
ENDED = ("Completed", "Failed", "Stopped")
#: Objects that the service shows workers first.
PROBE_BATCH = 10
#: The embedded S3 has no archive and refuses to write with a disabled key; in its policies a wildcard takes
#: no line break; its teams have somebody.
NOT_PLAYED = {
    *("archived image", "images' key disabled", "key with a line break", "team of nobody"),
}
#: Worlds whose images aren't looked at, and aren't there: their number matters alone.
UNSEEN = {"20,001 objects", "labels: too many for automated labeling"}
#: Preflight is stricter: the service would take these, and nobody would get what they want.
STRICTER = {
    "an image twice": "each line is paid for",
    "all labeled already": "the job would end at once",
    "attribute taken by something else": "the label would overwrite the input's attribute",
    "attribute taken by another task type": "the label would overwrite another",
    "labels: BACKGROUND": "the service writes it itself, for unpainted pixels",
    "an inner attribute twice": "which one is meant is for the reader to guess",
    "an attribute twice": "which one is meant is for the reader to guess",
    "labels: white space around": "nobody sees it, and two classes look the same",
    "labels: a tab": "no page shows it",
    "labels: a line break": "no page shows it",
    "labels: BACKGROUND in lower case": "readers take it for unpainted pixels",
    "labels: labels twice": "which one is meant is for the reader to guess",
    "labels: NaN": "not JSON, for stricter readers",
    "template: no script": "no browser knows the elements without; the embedded portal brings its own",
    "lossless JPEG": "the service reads its size; no browser shows it to the worker",
    "arithmetic JPEG": "the service reads its size; no browser shows it to the worker",
    "JPEG without pixels": "the service reads its size; the worker sees nothing",
    "PNG cut in its pixels": "the service reads its size; the worker sees a part of it",
    "large PNG cut in its pixels": "the service reads its size; the worker sees a part of it",
    "no CORS": "its tasks fail in the worker's browser",
    "no CORS on a second bucket": "its tasks fail in the worker's browser",
    "CORS without GET": "its tasks fail in the worker's browser",
    "CORS for one origin": "its tasks fail in the worker's browser",
    "labels: no document-version": "the documented format has it",
    "image of more than 40 MB": "the guide's 40 MB may be 40,000,000 bytes or 40 MiB: the smaller holds",
    "adjustment: a class is gone": "the worker couldn't keep what has it",
    "images below the output": "the next deploy would label masks",
    "output below the listed prefix": "the next deploy would label masks",
    "too many objects": "the user's own ceiling",
    "too many tasks": "the user's own ceiling",
    "too expensive": "the user's own ceiling",
    "team too small": "each object waits for somebody who isn't there",
}


@pytest.fixture(scope="module")
def stage():
    with EmbeddedAws(region=REGION) as aws:
        yield Stage(aws)


@pytest.fixture(scope="module")
def worlds(stage):
    """The inputs of the corpus, each with a name's number of its own."""
    made = {}
    changes = {name: change for name, (_, change) in BROKEN.items()} | ODD
    for number, (name, change) in enumerate(itertools.islice(changes.items(), 0, None, SHARE)):
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
        stage.play(world, images=name not in UNSEEN)
        images = Images(source="Bucket" if world.listed else "Manifest", images_s3_uri=world.listed)
        properties = JobProperties(
            job_name_prefix="c",
            images=images,
            request={},
            tags={},
            preflight={"Seconds": 0 if name in UNSEEN else 20},
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
    """What the service makes of each input: its refusal, its end, or how many first objects failed."""
    names = list(worlds)
    outcomes: dict[str, Any] = {}
    for start in range(0, len(names), JOBS_AT_A_TIME):
        outcomes |= run(stage, {name: worlds[name].request for name in names[start : start + JOBS_AT_A_TIME]})
    return outcomes


def run(stage, requests):
    """Create jobs, and wait until each has ended or shows its first objects to workers."""
    sagemaker, waiting, outcomes = stage.client("sagemaker"), {}, {}
    for name, request in requests.items():
        try:
            waiting[sagemaker.create_labeling_job(**request)["LabelingJobArn"]] = name
        except ClientError as error:
            outcomes[name] = {"status": "Refused", "reason": str(error), "failed": 0}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waiting:
        assert time.monotonic() < deadline, f"neither opened nor ended: {waiting}"
        time.sleep(0.2)
        jobs = sagemaker.list_labeling_jobs(SortBy="CreationTime", SortOrder="Descending", MaxResults=100)
        for job in jobs["LabelingJobSummaryList"]:
            name = waiting.get(job["LabelingJobArn"])
            if name is None:
                continue
            states = states_of(stage, job["LabelingJobArn"])
            if job["LabelingJobStatus"] in ENDED:
                failed = job["LabelCounters"]["FailedNonRetryableError"]
            elif job["LabelingJobStatus"] == "InProgress" and states.get("open") and not states.get("batch"):
                # It goes on until somebody labels: all that it shows at first has been looked at.
                assert states["open"] + states.get("failed", 0) <= PROBE_BATCH
                failed = states.get("failed", 0)
                sagemaker.stop_labeling_job(LabelingJobName=job["LabelingJobName"])
            else:
                continue
            reason = job.get("FailureReason", "")
            outcomes[name] = {"status": job["LabelingJobStatus"], "reason": reason, "failed": failed}
            del waiting[job["LabelingJobArn"]]
    return outcomes


def states_of(stage, arn: str) -> dict[str, int]:
    """How many of a job's objects are in which state; the service's API doesn't tell."""
    with closing(sqlite3.connect(f"file:{stage.store}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT state, COUNT(*) FROM objects WHERE job = ? GROUP BY state", (arn,))
        return dict(rows.fetchall())


def is_taken(outcome) -> bool:
    return outcome["status"] in ("Completed", "InProgress") and not outcome["failed"]


def test_preflight_says_the_same_of_real_buckets_and_roles(verdicts) -> None:
    wrong = {
        name: verdicts[name]
        for name, (check, _) in BROKEN.items()
        if name in verdicts and name not in NOT_PLAYED and f"ERROR {check}" not in verdicts[name]
    }
    assert not wrong
    assert {name: verdicts[name] for name in ODD if verdicts.get(name)} == {}


def test_the_service_shows_workers_what_preflight_passes(verdicts, outcomes) -> None:
    passed = [name for name, verdict in verdicts.items() if not verdict and name not in NOT_PLAYED]
    assert set(passed) == set(ODD) & set(verdicts) - NOT_PLAYED
    assert {name: outcomes[name] for name in passed if not is_taken(outcomes[name])} == {}


def test_preflight_refuses_all_that_the_service_refuses_and_no_more_than_is_listed(
    verdicts, outcomes
) -> None:
    broken = set(BROKEN) & set(outcomes) - NOT_PLAYED
    assert {name for name in broken if is_taken(outcomes[name])} == set(STRICTER) & broken
    refused = [name for name, outcome in outcomes.items() if not is_taken(outcome)]
    assert all(verdicts[name] for name in refused if name not in NOT_PLAYED)
    assert len(refused) >= 60 // SHARE
