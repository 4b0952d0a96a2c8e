"""`cdk-ground-truth plan` says before a deploy what it then does; each figure is counted afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdk_ground_truth import CostCeiling, Images, Instructions, Prices, PriceTier, cli
from cdk_ground_truth.command_line import USAGE
from ground_truth_local.testing import Workers
from tests.e2e.test_bought_once import SIX, Streets

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600), pytest.mark.xdist_group("plan")]


@pytest.fixture
def streets(ground_truth, request: pytest.FixtureRequest):
    return Streets(ground_truth, "".join(word.title() for word in request.node.name.split("_")[1:])[:24])


@pytest.fixture
def plan(ground_truth, capsys: pytest.CaptureFixture[str]):
    """Run the command over an app; its exit code and what it says of each job."""

    def run(app, *options):
        assembly = ground_truth.synth(app).assembly
        client = ground_truth.aws.session().client
        capsys.readouterr()
        code = cli.main(["plan", str(assembly), *options], client=client)
        told = capsys.readouterr().out
        return code, [json.loads(line) for line in told.splitlines()] if "--json" in options else told

    return run


def look(text):
    return {"instructions": Instructions(short=text, full=f"<p>{text}</p>")}


def test_the_plan_is_what_the_deploy_then_does(streets, plan) -> None:
    streets.photograph(*SIX)
    code, [new] = plan(streets, "--json")
    assert (code, new["change"], new["job"], new["keep"], new["ask"], new["tasks"]) == (0, "new", "", 0, 6, 6)

    first = streets.first(streets.run(workers=Workers(images=2)))
    code, [same] = plan(streets, "--json")
    assert (same["change"], same["job"], same["ask"]) == ("unchanged", first.name, 0)

    # While people are at work the numbers are those of now.
    streets.options = look("Look twice.")
    code, [middle] = plan(streets, "--json")
    assert (middle["change"], middle["keep"], middle["ask"]) == ("goes on", 2, 4)
    assert "as of now" in middle["text"]
    second = streets.first(streets.run())
    assert sum(streets.asked(second).values()) == 4

    # More photographs, and one replaced under its key.
    streets.photograph("6.png", "7.png")
    streets.photograph("3.png", seed=9)
    streets.options = look("Look three times.")
    code, [more] = plan(streets, "--json")
    assert (code, more["change"], more["keep"], more["ask"]) == (0, "goes on", 5, 3)
    # Other tests have jobs, too, and a list is of ten.
    own = second.name.rpartition("-")[0]
    listed = streets.sagemaker.list_labeling_jobs(NameContains=own)["LabelingJobSummaryList"]
    third = streets.first(streets.run())
    assert sum(streets.asked(third).values()) == more["ask"]
    # The plan itself had made no job.
    assert second.name in {each["LabelingJobName"] for each in listed}
    assert third.name not in {each["LabelingJobName"] for each in listed}

    streets.labels = [*streets.labels, "kerb"]
    code, [refused] = plan(streets, "--json")
    assert (code, refused["change"]) == (1, "refused") and "adds 'kerb'" in refused["text"]
    streets.options = {"relabel": True}
    code, told = plan(streets)
    assert code == 0 and "8 go to workers" in told
    assert f"the 8 labels of {third.name} are bought again" in told


def test_a_directory_that_is_not_published_yet_is_counted(streets, plan, tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (40, 30), (number, 9, 9)).save(folder / f"{number}.png")
    tiers = [PriceTier(price="0.08")]
    prices = Prices(currency="USD", per_object=tiers, per_task="0.84", source="a list", as_of="2026-11-01")
    streets.images = Images.from_directory(folder)
    streets.options = {"cost_ceiling": CostCeiling(prices=prices, max_amount="100")}
    first = streets.first(streets.run())
    assert streets.asked(first) == {"0.png": 1, "1.png": 1, "2.png": 1}
    Image.new("RGB", (40, 30), (7, 9, 9)).save(folder / "1.png")
    Image.new("RGB", (40, 30), (8, 9, 9)).save(folder / "3.png")
    streets.images = Images.from_directory(folder)
    code, told = plan(streets)
    assert code == 0 and "2 images keep their labels, 2 go to workers" in told and "1.84 USD" in told
    second = streets.first(streets.run())
    assert streets.asked(second) == {"1.png": 1, "3.png": 1}


def test_what_is_no_assembly(plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", str(tmp_path)], client=lambda service: None) == USAGE
    assert "is no cloud assembly; run cdk synth first" in capsys.readouterr().err
