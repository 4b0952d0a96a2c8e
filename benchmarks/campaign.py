"""Planning a campaign: what a million keys take beside a bare listing of them, and what more images would.

What is measured is planning on this machine. What follows from it for any number of images is arithmetic; no
account was asked.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from . import s3_stub
from .preflight import _client, _list, _measured, _peak
from .side_by_side import ROOT

_COUNTS = (20_000, 200_000, 1_000_000)
_SIMULATED = (20_000, 1_000_000, 70_000_000)
_IMAGES_PER_JOB = 20_000
#: Lambda lets one invocation run so long.
_SECONDS_MAX = 900
#: Step Functions lets a standard workflow's execution have so many events.
_HISTORY_MAX = 25_000
#: Entered states, and events in the history: of a run besides its jobs, and of a job that is made at once.
_TRANSITIONS, _TRANSITIONS_OF_A_JOB = 6, 3
_EVENTS, _EVENTS_OF_A_JOB = 22, 14
#: US dollars in us-east-1, as the services' pricing pages had them in 2025 (assumed to hold): for a sum of
#: what comes beside the labels. The library itself holds no price.
_PER_TRANSITION, _PER_GB_SECOND, _PER_PUT, _PER_LISTING = 0.025e-3, 1.66667e-5, 0.005e-3, 0.005e-3
_GIGABYTES = 1.0


def main() -> None:
    """Print the measured figures, then the simulation."""
    per_image = 0.0
    for count in _COUNTS:
        with s3_stub.serving(count) as endpoint:
            _list(endpoint, count)  # the stub makes its pages once
            got = [_measured_pair(endpoint) for _ in range(3)]
        ratios = sorted(each["seconds"] / each["bare"] for each in got)
        per_image = sorted(each["seconds"] for each in got)[1] / count
        print(
            f"plan of {count:,} keys ÷ a bare listing of them: {ratios[1]:.2f} ({ratios[0]:.2f} to"
            f" {ratios[-1]:.2f})  [goal ≤ 1.3],"
            f" peak memory {max(each['peak'] for each in got) / 2**20:.0f} MiB"
            f" (bare: {max(each['bare_peak'] for each in got) / 2**20:.0f})"
        )
    for images in _SIMULATED:
        print(_simulated(images, per_image))


def _measured_pair(endpoint: str) -> dict[str, float]:
    bare = _measured("_bare", endpoint, module="benchmarks.campaign")
    ours = _measured("_plan", endpoint, module="benchmarks.campaign")
    return {**ours, "bare": bare["seconds"], "bare_peak": bare["peak"]}


def _simulated(images: int, per_image: float) -> str:
    sys.path.insert(0, str(ROOT / "lambda"))
    from labeling_job.campaign import JOBS_PER_RUN

    jobs = -(-images // _IMAGES_PER_JOB)
    runs = -(-jobs // JOBS_PER_RUN)
    seconds = images * per_image
    transitions = runs * _TRANSITIONS + jobs * _TRANSITIONS_OF_A_JOB
    events = _EVENTS + min(jobs, JOBS_PER_RUN) * _EVENTS_OF_A_JOB
    # Each run lists all; plan and gather read and write about the same; each job is created in a minute.
    lambda_seconds = 2 * seconds * runs + 60 * jobs
    dollars = (
        transitions * _PER_TRANSITION
        + lambda_seconds * _GIGABYTES * _PER_GB_SECOND
        + (6 * jobs + 10) * _PER_PUT
        + 2 * runs * images / 1_000 * _PER_LISTING
    )
    limits = [
        f"planning takes {seconds:,.0f} s of an invocation's {_SECONDS_MAX}"
        if seconds > _SECONDS_MAX
        else "",
        f"the history has {events:,} events of {_HISTORY_MAX:,}" if events > _HISTORY_MAX else "",
    ]
    met = "; ".join(filter(None, limits))
    verdict = f"first limit: {met}: a campaign for each prefix of the bucket" if met else "within all limits"
    return (
        f"simulated, {images:,} images: {jobs:,} jobs in {runs} runs, planned in {seconds:,.1f} s,"
        f" {transitions:,} state transitions, {events:,} history events a run,"
        f" about {dollars:,.2f} USD of AWS services; {verdict}"
    )


def _bare(endpoint: str) -> None:
    client = _client(endpoint)
    started = time.perf_counter()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=s3_stub.BUCKET)
    count = sum(len(page["Contents"]) for page in pages)
    print(json.dumps({"images": count, "seconds": time.perf_counter() - started, "peak": _peak()}))


def _plan(endpoint: str) -> None:
    client = _client(endpoint)
    from labeling_campaign import planner
    from labeling_campaign.state import Dataset
    from labeling_job.contract import Images
    from labeling_job.patience import Patience
    from labeling_job.storage import Storage

    patience = Patience(remaining_ms=lambda: 900_000, sleep=time.sleep, now=lambda: datetime.now(UTC))
    images = Images(
        source="Bucket",
        images_s3_uri=f"s3://{s3_stub.BUCKET}/",
        staging_s3_uri=f"s3://{s3_stub.BUCKET}/in/",
    )
    campaign: Any = SimpleNamespace(
        storage=Storage(client, patience),
        patience=patience,
        properties=SimpleNamespace(
            source_manifest="",
            shuffled=False,
            cost=None,
            images_per_job=_IMAGES_PER_JOB,
            meaning="",
            attribute="x-ref",
            job=SimpleNamespace(images=images),
        ),
        name_of=lambda run, number: f"{run}-{number}",
        state=SimpleNamespace(dataset=Dataset, keep_plan=lambda plan: True),
    )
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        made = planner._made(campaign, "run", "execution")
    seconds = time.perf_counter() - started
    planned = sum(job.images for job in made.jobs)
    print(json.dumps({"images": planned, "seconds": seconds, "peak": _peak()}))


if __name__ == "__main__":
    {"_plan": _plan, "_bare": _bare}[sys.argv[1]](sys.argv[2])
