"""Label, verify, adjust the rejected: the example, deployed stage by stage; its training data read back."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ground_truth_local.testing import Workers

EXAMPLE = Path(__file__).parents[2] / "examples" / "label_verify_adjust"
PHOTOS = EXAMPLE.parent / "photos"

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600), pytest.mark.xdist_group("loop")]


@pytest.fixture
def photos(tmp_path: Path):
    """The example's photographs, and two more."""
    folder = tmp_path / "photos"
    shutil.copytree(PHOTOS, folder)
    for number, path in enumerate(sorted(PHOTOS.iterdir())):
        with Image.open(path) as image:
            image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / f"turned-{number}.png")
    return folder


def training_data():
    spec = importlib.util.spec_from_file_location("training_data", EXAMPLE / "training_data.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_rejected_are_adjusted_and_all_are_trained_on(
    ground_truth, photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = {"photos": str(photos), "workteam": ground_truth.workteam("annotators")}

    def deploy(stage, **options):
        return ground_truth.run(EXAMPLE / "app.py", context={**context, "stage": stage}, **options)

    # The first two photographs are painted with care, and the others without.
    deploy("label", workers=Workers(images=2))
    deploy("label", workers=Workers(accuracy=0.3))
    verified = deploy("verify")
    [verdicts] = [job for name, job in verified.jobs.items() if name.startswith("Verdicts")]
    said = {line["source-ref"]: line["verdict-metadata"]["class-name"] for line in verdicts.manifest}
    assert sorted(said.values()) == ["right", "right", "wrong", "wrong"]
    run = deploy("adjust")
    [adjusted] = [job for name, job in run.jobs.items() if name.startswith("Adjusted")]
    assert {line["source-ref"] for line in adjusted.manifest} == {
        source for source, verdict in said.items() if verdict == "wrong"
    }
    # Whoever trains may read the labels; the environment is that of whoever deploys.
    reader = ground_truth.aws.session().get_credentials().get_frozen_credentials()
    own = {"AWS_ACCESS_KEY_ID": reader.access_key, "AWS_SECRET_ACCESS_KEY": reader.secret_key}
    for name, value in {**ground_truth.aws.environment, **own}.items():
        monkeypatch.setenv(name, value)
    outputs = run.outputs["Streets"]
    counts = training_data().write(
        outputs["LabelsManifest"], outputs["AdjustedManifest"], str(tmp_path / "streets")
    )
    assert sum(counts.values()) == 4
    lines = [json.loads(line) for line in (tmp_path / "streets/labels/output.manifest").open()]
    by_image = {line["source-ref"]: line for line in adjusted.manifest}
    for line in lines:
        newest = by_image.get(line["source-ref"], line)
        assert line["streets-ref"] == newest.get("adjusted-ref", line["streets-ref"])
    assert len({line["streets-ref"] for line in lines} & {v["adjusted-ref"] for v in adjusted.manifest}) == 2
    masks = [np.asarray(Image.open(path)) for path in (tmp_path / "streets/dataset").rglob("masks/*.png")]
    assert len(masks) == 4 and all(mask.max() <= 2 for mask in masks)
