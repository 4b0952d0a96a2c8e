"""The label category file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from aws_cdk import Stack

from cdk_ground_truth import SemanticSegmentationLabelingJob
from tests.constructs.conftest import Synthesized


def test_the_file_that_the_job_names(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    labels = ["road", "Straße", 'tree\'s "crown"']
    add_job(stack, labels=labels)
    template = synth(stack)
    (asset,) = template.directory.glob("asset.*.json")
    assert json.loads(asset.read_bytes()) == {
        "document-version": "2018-11-28",
        "labels": [{"label": label} for label in labels],
    }
    digest = hashlib.sha256(asset.read_bytes()).hexdigest()
    assert template.delivered()["Request"]["LabelCategoryConfigS3Uri"].endswith(f"/{digest}.json")


def test_jobs_with_the_same_labels_share_one_file(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    for name in ("One", "Two"):
        add_job(stack, name)
    assert len(list(synth(stack).directory.glob("asset.*.json"))) == 1


def test_files_of_a_stage_lie_where_its_manifest_says(
    tmp_path: Path, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    from aws_cdk import App, Stack, Stage

    app = App(outdir=str(tmp_path / "out"))
    stage = Stage(app, "Prod")
    add_job(Stack(stage, "Test"))
    app.synth()
    folder = tmp_path / "out" / "assembly-Prod"
    (manifest,) = folder.glob("*.assets.json")
    files = json.loads(manifest.read_text())["files"].values()
    paths = [folder / file["source"]["path"] for file in files]
    assert len(paths) >= 4 and all(path.exists() for path in paths)
