"""One rule, three doors: what synth, the command and the handler say of the same input is the same.

All broken and odd inputs of the tests go through: their verdict, the rule's name and its words are equal.
What can only be known at deploy, or only of a file, is listed here by name.
"""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path

import pytest

from cdk_ground_truth import cli
from cdk_ground_truth._rooms import findings, task
from cdk_ground_truth.category_file import check_labels
from cdk_ground_truth.image_files import read_manifest
from cdk_ground_truth.task_types import ADJUSTMENT, SEGMENTATION, VERIFICATION
from cdk_ground_truth.validation import Checker
from cdk_ground_truth.worker_template import WorkerTemplate
from labeling_job.contract import Images, JobProperties
from labeling_job.errors import DeployError
from labeling_job.preflight import access, gate
from labeling_job.preflight.plan import plan_of
from tests.corpus.broken import BROKEN
from tests.corpus.fake_aws import FakeAws
from tests.corpus.odd import ODD
from tests.corpus.world import good_world
from tests.hostile.grammar import ALPHABETS, KINDS, Shape
from tests.labeling_job.preflight.conftest import CONTEXT

CHECK = Checker("Test/Job")
TASK_TYPES = (SEGMENTATION, ADJUSTMENT, VERIFICATION)
#: What all three doors can judge.
CONTENT = frozenset(
    {check for check in findings.CHECKS if check.startswith("manifest-")} - {"manifest-readable"}
    | {"label-attribute", "prior-labels", "nothing-to-label", "category-file", "template"}
)
CHANGES = {name: change for name, (_, change) in BROKEN.items()} | ODD
#: The files are judged one by one at synth, where earlier classes and verdicts are arguments of their own.
ONLY_TOGETHER = {"adjustment: a class is gone", "verification: eleven verdicts"}
#: What isn't there, or can't be read, shows at deploy.
ONLY_AT_DEPLOY = {
    *("manifest missing", "manifest in no bucket", "labels: missing", "template: missing"),
    *("output bucket missing", "output bucket elsewhere"),
}
#: Synth renders the page with any image, where the others know the first: what was met is shown with another.
OF_ANY_IMAGE = {"template: image without access"}
#: The command doesn't ask how a job labels; it knows segmentation by people.
NOT_OF_THE_COMMAND = {
    name for name in CHANGES if "automated" in name or name.startswith(("adjustment", "verification"))
}


def _lines(kind: str, alphabet: str, seed: int) -> bytes:
    """A good line, one of a kind that breaks a rule, and a good one."""
    chance, shape = random.Random(seed), Shape(alphabet=alphabet, key=9)
    good = [json.dumps(shape.image(n, chance), ensure_ascii=False).encode() for n in (1, 3)]
    return b"\n".join([good[0], KINDS[kind][1](shape.image(2, chance), chance), good[1]])


def _hostile(body: bytes):
    return lambda world: world.put("in.manifest", body)


CHANGES |= {
    f"{kind}, {alphabet!a}": _hostile(_lines(kind, alphabet, seed))
    for seed, kind in enumerate(KINDS)
    for alphabet in random.Random(seed).sample(ALPHABETS, 7)
}


def world_of(name):
    world = good_world()
    CHANGES[name](world)
    return world


def _of_content(groups) -> list[dict]:
    return [group for group in groups if group["check"] in CONTENT]


def by_the_handler(world, monkeypatch) -> list[dict]:
    monkeypatch.setattr(access, "_SETTLE_SECONDS", 0.0)
    aws = FakeAws(world)
    # Whether images are there isn't asked here.
    skip = sorted(set(findings.CHECKS) - CONTENT)
    properties = JobProperties(
        job_name_prefix="c", images=Images(source="Manifest"), request={}, tags={}, preflight={"Skip": skip}
    )
    with contextlib.suppress(DeployError):
        gate.passed(world.request, properties, client=aws, context=CONTEXT)
    [body] = aws.written.values()
    return _of_content(json.loads(body)["findings"])


def at_synth(world, folder) -> list[dict]:
    """What the construct does with the three inputs, each refused by itself."""
    files = world.input.objects
    plan = plan_of(world.request, region=world.region)
    job = task.LabelingTask(attribute=plan.attribute, task_type=plan.task_type, automated=plan.automated)
    task_type = next(each for each in TASK_TYPES if each.name == job.task_type)
    groups: list[dict] = []

    def judged(judge) -> None:
        found = findings.Findings()
        refused = False
        try:
            judge(found)
        except ValueError as error:
            refused = True
            assert "Test/Job" in str(error)
        assert refused == bool(found.errors())
        groups.extend(found.report())

    manifest, page = folder / "in.manifest", folder / "page.html"
    manifest.write_bytes(files["in.manifest"])
    page.write_bytes(files["template.liquid.html"])
    judged(lambda found: read_manifest(CHECK, manifest, job, found))
    names = _names(files["labels.json"])
    if names is not None:
        judged(lambda found: check_labels(CHECK, names, found, automated=job.automated))
        judged(lambda found: WorkerTemplate(page).read(CHECK, names, found, task_type))
    return sorted(
        groups, key=lambda group: (group["severity"] != "error", findings.CHECKS.index(group["check"]))
    )


def _names(content: bytes) -> list | None:
    """The labels as an app would have them; None for a file that only somebody's hand writes so."""
    try:
        document = json.loads(content)
        names = [entry["label"] for entry in document["labels"]]
    except (ValueError, KeyError, TypeError):
        return None
    good = document.get("document-version") == "2018-11-28" and content.count(b'"labels"') == 1
    return names if good and b"NaN" not in content and all(isinstance(name, str) for name in names) else None


@pytest.mark.parametrize("name", sorted(set(CHANGES) - ONLY_AT_DEPLOY - ONLY_TOGETHER))
def test_synth_says_what_the_handler_says(name, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world = world_of(name)
    deployed = by_the_handler(world, monkeypatch)
    if _names(world.input.objects["labels.json"]) is None:
        # Synth writes this file itself, so its form is no input; nor can a template be rendered without it.
        assert [group["check"] for group in deployed] == ["category-file"]
        return
    at_synth_too = at_synth(world, tmp_path)
    if name in OF_ANY_IMAGE:
        for group in (*at_synth_too, *deployed):
            del group["found"]
    assert at_synth_too == deployed


@pytest.mark.parametrize("name", sorted(set(CHANGES) - ONLY_AT_DEPLOY - NOT_OF_THE_COMMAND))
def test_the_command_says_what_the_handler_says(
    name, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = world_of(name)
    deployed = by_the_handler(world, monkeypatch)
    for key in ("in.manifest", "labels.json", "template.liquid.html"):
        (tmp_path / key).write_bytes(world.input.objects[key])
    files = [str(tmp_path / key) for key in ("in.manifest", "labels.json", "template.liquid.html")]
    capsys.readouterr()
    options = ["--label-attribute-name", world.request["LabelAttributeName"], "--offline", "--json"]
    cli.main(["check", files[0], "--categories", files[1], "--template", files[2], *options])
    assert _of_content(json.loads(capsys.readouterr().out)["findings"]) == deployed


def test_the_corpus_is_as_large_as_promised(record_property) -> None:
    """Inputs that change one of the three files, and are judged at all three doors."""
    good = good_world().input.objects
    worlds = {name: world_of(name).input.objects for name in set(CHANGES) - ONLY_AT_DEPLOY - ONLY_TOGETHER}
    judged = [
        name
        for name, files in worlds.items()
        if name not in NOT_OF_THE_COMMAND
        and any(files.get(key) != good[key] for key in ("in.manifest", "labels.json", "template.liquid.html"))
        and _names(files["labels.json"]) is not None
    ]
    record_property("told", f"three doors: {len(judged)} inputs, the same verdict, rule and words at each")
    assert len(judged) >= 250, len(judged)
