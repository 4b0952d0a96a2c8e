"""The embedded AWS under load: 20,000 objects of one job, 200 jobs, and 50 clients at once.

`TWIN_OBJECTS=2000 python -m benchmarks twin` is a short one. The clients ask while the 200 jobs are labeled.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ground_truth_local.server import EmbeddedAws
from ground_truth_local.service.quotas import Quotas

from .scale import _job, _megabytes

OBJECTS = int(os.environ.get("TWIN_OBJECTS", "20000"))
JOBS, OBJECTS_OF_A_JOB = int(os.environ.get("TWIN_JOBS", "200")), 5
CLIENTS, CALLS, AT_ONCE = 50, 40, 20
PATIENCE = 1_800.0
_ENDED = ("Completed", "Failed", "Stopped")


def main() -> None:
    """Print times, memory and latencies."""
    with tempfile.TemporaryDirectory() as folder, _server(folder) as aws:
        team = aws.create_workteam("annotators", ["ada@example.com", "grace@example.com"])
        _one_large_job(aws, team)
    with tempfile.TemporaryDirectory() as folder, _server(folder) as aws:
        team = aws.create_workteam("annotators", ["ada@example.com", "grace@example.com"])
        _many_jobs(aws, team)


def _server(folder: str) -> EmbeddedAws:
    return EmbeddedAws(Path(folder), simulated_workers=True, quotas=Quotas(jobs=JOBS + 1))


def _one_large_job(aws: EmbeddedAws, team: str) -> None:
    memory, done = [_megabytes(aws)], threading.Event()
    watch = threading.Thread(target=_sample, args=(aws, memory, done))
    start = time.perf_counter()
    _job(aws, team, "large", OBJECTS)
    made = time.perf_counter()
    before, worked = _megabytes(aws), _processor_seconds(aws)
    watch.start()
    [job] = _ended(aws, ["large"])
    done.set()
    watch.join()
    seconds, worked = time.perf_counter() - made, _processor_seconds(aws) - worked
    labeled = job["LabelCounters"]["TotalLabeled"]
    print(
        f"a job of {OBJECTS:,} objects: {labeled:,} labeled by simulated workers in {seconds:.0f} s, "
        f"{labeled / seconds:.0f} a second  [goal {OBJECTS:,} in ≤ 600 s]; uploads {made - start:.0f} s"
    )
    print(
        f"  processor time of the server: {1000 * worked / OBJECTS:.0f} ms an object; "
        f"{os.getloadavg()[0]:.0f} programs wanted the machine's {os.cpu_count()} processors meanwhile"
    )
    print(
        f"  memory of the server: {memory[0]:.0f} MB before, {before:.0f} MB with all objects, "
        f"{max(memory):.0f} MB at most, {memory[-1]:.0f} MB after; of the labeling's last quarter on its "
        f"second: {_growth(memory[1:]):+.0f} MB  [goal flat]"
    )
    # S3 has an index of all files in memory, whoever wrote them: of an object, a mask and a worker response.
    kilobytes = 1024 * (memory[-1] - before) / (2 * OBJECTS)
    print(f"  that is {kilobytes:.1f} KB for each file that the job left in S3")


def _processor_seconds(aws: EmbeddedAws) -> float:
    """What the server has worked so far; unlike a clock, it depends little on what else runs."""
    assert aws._process is not None, "it runs"
    fields = Path(f"/proc/{aws._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _growth(memory: list[float]) -> float:
    """The mean of the last quarter over that of the second: what still grows when all is warm."""
    quarter = max(1, len(memory) // 4)
    return statistics.mean(memory[-quarter:]) - statistics.mean(memory[quarter : 2 * quarter] or memory)


def _many_jobs(aws: EmbeddedAws, team: str) -> None:
    names = [f"small-{number:03}" for number in range(JOBS)]
    start, times = time.perf_counter(), list[float]()
    asked = threading.Thread(target=lambda: times.extend(_clients(aws, names)))
    asked.start()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        # Each is waited for until it is in progress.
        list(pool.map(lambda name: _job(aws, team, name, OBJECTS_OF_A_JOB), names))
    made = time.perf_counter() - start
    asked.join()
    jobs = _ended(aws, names)
    seconds = time.perf_counter() - start
    labeled = sum(job["LabelCounters"]["TotalLabeled"] for job in jobs)
    completed = sum(job["LabelingJobStatus"] == "Completed" for job in jobs)
    print(
        f"{JOBS} jobs of {OBJECTS_OF_A_JOB} objects: made in {made:.0f} s, {completed} completed "
        f"with {labeled:,} labels after {seconds:.0f} s; memory {_megabytes(aws):.0f} MB"
    )
    high = statistics.quantiles(times, n=100)[98]
    print(
        f"  {CLIENTS} clients meanwhile, {len(times):,} calls: median {statistics.median(times):.0f} ms, "
        f"99th percentile {high:.0f} ms, slowest {max(times):.0f} ms  [goal 99th ≤ 1,000 ms]"
    )


def _clients(aws: EmbeddedAws, names: list[str]) -> list[float]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        found = pool.map(lambda number: _client(aws, names, number), range(CLIENTS))
        return [milliseconds for one in found for milliseconds in one]


def _client(aws: EmbeddedAws, names: list[str], number: int) -> list[float]:
    """What one client asks in turn; how long each answer took."""
    session, chance = aws.session(), random.Random(number)
    s3, sagemaker = session.client("s3"), session.client("sagemaker")
    bucket = f"client-{number:02}"
    s3.create_bucket(Bucket=bucket)
    calls: list[Callable[[], Any]] = [
        lambda: s3.put_object(Bucket=bucket, Key="a", Body=b"x" * 10_000),
        lambda: s3.head_bucket(Bucket=bucket),
        lambda: s3.list_objects_v2(Bucket=bucket),
        lambda: sagemaker.list_labeling_jobs(NameContains=chance.choice(names)),
        lambda: sagemaker.list_labeling_jobs(MaxResults=100),
    ]
    times = []
    for _ in range(CALLS):
        call = chance.choice(calls)
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return times


def _ended(aws: EmbeddedAws, names: list[str]) -> list[dict[str, Any]]:
    client, deadline = aws.session().client("sagemaker"), time.monotonic() + PATIENCE
    found: dict[str, dict[str, Any]] = {}
    while len(found) < len(names):
        assert time.monotonic() < deadline, f"{len(names) - len(found)} jobs haven't ended"
        for name in names:
            if name not in found:
                job = client.describe_labeling_job(LabelingJobName=name)
                if job["LabelingJobStatus"] not in _ENDED:
                    break
                found[name] = job
        time.sleep(0.5)
    return [found[name] for name in names]


def _sample(aws: EmbeddedAws, memory: list[float], done: threading.Event) -> None:
    while not done.wait(2):
        memory.append(_megabytes(aws))


if __name__ == "__main__":
    main()
