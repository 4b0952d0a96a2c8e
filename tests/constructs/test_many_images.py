"""A directory of as many images as a job takes is one asset, however many files it has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from aws_cdk import Stack

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob
from cdk_ground_truth._rooms import limits
from tests.constructs.conftest import Synthesized


def test_20000_files_are_one_asset(
    stack: Stack,
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    synth: Callable[..., Synthesized],
    tmp_path: Path,
) -> None:
    photos = tmp_path / "many"
    for folder in range(20):
        (photos / f"{folder:02}").mkdir(parents=True)
    for number in range(limits.OBJECTS_MAX):
        (photos / f"{number % 20:02}" / f"{number:05}.jpg").write_bytes(b"\xff\xd8\xff")
    add_job(stack, images=Images.from_directory(photos))
    (file,) = synth(stack).directory.glob("*.assets.json")
    files = json.loads(file.read_text())["files"].values()
    zipped = [each for each in files if each["source"]["packaging"] == "zip"]
    # The handler's package and the directory; besides, the template, categories and the worker template.
    assert len(zipped) == 2 and len(files) <= 5
