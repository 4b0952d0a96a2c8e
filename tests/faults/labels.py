"""Updates of a job that people have worked on: every image is painted once, and no label is lost.

What was bought is read from what lies in S3, worker responses and output manifests, and not asked of the
handler or of the service's books.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ground_truth_local.service.masks import empty_mask, encode_answer
from tests.faults.material import properties
from tests.faults.wire import ACCOUNT, REGION
from tests.faults.world import LIVE, World

ATTRIBUTE = "streets-ref"
_ANSWER = re.compile(r"labels/([^/]+)/annotations/worker-response/iteration-\d+/(\d+)/[^/]+\.json")
_OUTPUT = re.compile(r"labels/([^/]+)/manifests/output/output\.manifest")
_PATIENCE = 120.0


def job(title: str, labels: tuple[str, ...] = ("road", "sky")) -> dict[str, Any]:
    """A job over the photographs of a week, each for one worker; another title is another job."""
    made = properties(title, images="Week")
    made["Identity"] = {"Labels": list(labels), "Template": "t"}
    made["Request"]["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] = "1"
    return made


def painted(count: int) -> Callable[[World], None]:
    """Workers label so many further images of the stack's job."""
    return lambda world: paint(world, count)


def photograph(world: World) -> None:
    """Somebody puts two more photographs into the bucket."""
    body = world.material.objects["photos", "week/0.jpg"]
    world.material.objects |= {("photos", f"week/{number}.jpg"): body for number in (8, 9)}


def paint(world: World, count: int | None = None) -> None:
    """Workers label so many images of the stack's live job, or all that are left."""
    resource = world.cloudformation.resource
    if resource is None or resource.physical_id not in world.jobs(*LIVE):
        return
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{resource.physical_id}"
    queue = world.service.queue
    _let_run(world, arn)
    while count is None or count:
        found = world.service.job(arn)
        assert found is not None
        task = queue.accept(arn, queue.members(found.team)[0].worker)
        if task is None:
            return
        mask = empty_mask(task.height, task.width, len(task.labels))
        mask[:] = np.uint8(1 + task.index % len(task.labels))
        queue.submit(task.id, task.worker, {task.element: encode_answer(mask, task.labels)}, 1.0)
        _let_run(world, arn)
        count = None if count is None else count - 1


def _let_run(world: World, arn: str) -> None:
    """The runner's own steps of a job in progress, until only workers can bring more."""
    found = world.service.job(arn)
    assert found is not None
    runner = world.service._engine._runner(found)
    while found.status == "InProgress" and runner._advance():
        runner._reload()


def goes_on(properties: Mapping[str, Any]) -> Callable[[World], list[str]]:
    """What must hold when the user has deployed once more and the workers have done all that is left."""

    def check(world: World) -> list[str]:
        stack = world.cloudformation
        if stack.status.endswith("_FAILED"):
            return []
        if not stack.deploy(dict(properties)):
            return [f"the next deploy fails: {stack.last_reason}"]
        world.wait(_PATIENCE)
        before = labels(world)
        paint(world)
        problems = twice(world)
        name = stack.resource.physical_id if stack.resource else ""
        final = labels(world).get(name, {})
        wanted = {f"s3://photos/{key}" for bucket, key in world.material.objects if bucket == "photos"}
        wanted = {source for source in wanted if "/week/" in source}
        if wanted - final.keys():
            problems.append(f"{name} ends without labels of {sorted(wanted - final.keys())}")
        first = {source: line for old in reversed(before.values()) for source, line in old.items()}
        changed = sorted(source for source, line in first.items() if final.get(source) not in (line, None))
        if changed:
            problems.append(f"{name} has other labels than those that were bought first: {changed}")
        return problems

    return check


def nothing_lost(world: World) -> list[str]:
    """Answers of jobs that have ended and that no output has; and images that were painted twice."""
    ended = set(world.jobs("Completed", "Stopped", "Failed"))
    found = labels(world)
    lost = [
        f"{source} was painted in {name}, whose output doesn't have it"
        for name, sources in answered(world).items()
        for source in sources
        if name in ended and source not in found.get(name, {})
    ]
    return lost + twice(world)


def twice(world: World) -> list[str]:
    """Images that people were asked for more than once."""
    counts = sum((Counter(sources) for sources in answered(world).values()), Counter())
    return [f"{source} was painted {count} times" for source, count in counts.items() if count > 1]


def answered(world: World) -> dict[str, dict[str, int]]:
    """Job → image → number of answers, by the worker responses."""
    found: dict[str, dict[str, int]] = {}
    for key, body in _output(world).items():
        if match := _ANSWER.fullmatch(key):
            source = _sources(world, match[1])[int(match[2])]
            sources = found.setdefault(match[1], {})
            sources[source] = sources.get(source, 0) + len(json.loads(body)["answers"])
    return found


def labels(world: World) -> dict[str, dict[str, bytes]]:
    """Job → image → its line, to the byte, of the output manifests; in the order of the jobs' names."""
    found = {}
    for key, body in sorted(_output(world).items()):
        if match := _OUTPUT.fullmatch(key):
            lines = {json.loads(line)["source-ref"]: line for line in body.splitlines()}
            found[match[1]] = {s: line for s, line in lines.items() if ATTRIBUTE in json.loads(line)}
    return found


def _output(world: World) -> dict[str, bytes]:
    return {key: body for (bucket, key), body in world.material.objects.items() if bucket == "output"}


def _sources(world: World, name: str) -> list[str]:
    found = world.service.job(f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{name}")
    assert found is not None
    uri = found.request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return [json.loads(line)["source-ref"] for line in world.material.objects[bucket, key].splitlines()]
