"""The whole way: `cdk deploy`, three people paint in the portal, and the masks in S3 are what they painted."""

import io
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from ground_truth_local.cdk_cli import CdkCli
from ground_truth_local.service.consolidation import consolidate
from tests.local.portal.painter import decode
from tests.local.portal.workshop import MEMBERS, Person

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs"
LABELS = ("cup", "spoon", "saucer", "table")
COFFEE = {  # of scikit-image's photograph, in pixels
    "cup": [
        (172, 110),
        (180, 60),
        (240, 25),
        (310, 18),
        (380, 40),
        (410, 95),
        (395, 150),
        (300, 207),
        (200, 175),
    ],
    "spoon": [(330, 300), (345, 270), (380, 262), (405, 285), (395, 318), (360, 325)],
}
RIM = [(310, 18), (290, 207), (172, 110), (410, 95)]


@pytest.fixture(scope="module")
def deployed(workshop, tmp_path_factory):
    photos = tmp_path_factory.mktemp("photos")
    Image.fromarray(data.coffee()).save(photos / "coffee.jpg", quality=92)
    context = {"photos": str(photos), "workteam": workshop.team}
    cli = CdkCli(f"{sys.executable} {HERE / 'app.py'}", workshop.aws.environment, context=context)
    outputs = cli.deploy()["Portal"]
    yield outputs
    cli.destroy()


@pytest.fixture
def photograph(tmp_path):
    """Give a function that keeps a screenshot; with UPDATE_SCREENSHOTS=1 it becomes the documentation's."""

    def take(page, name):
        path = tmp_path / f"{name}.png"
        page.screenshot(path=path)
        assert path.stat().st_size > 10_000
        if os.environ.get("UPDATE_SCREENSHOTS"):
            shutil.copy(path, DOCS / path.name)

    return take


def paint_cup(painter, shift):
    """Paint as one of three people would: a little beside each other."""
    painter.key("1")
    painter.tool("polygon")
    painter.click(*[(x + shift, y + shift) for x, y in COFFEE["cup"]])
    painter.key("Enter")
    painter.key("3")
    painter.tool("brush")
    painter.size(26)
    painter.drag((100, 200 + shift), (140, 300), (240, 360), (350, 365 - shift), steps=8)
    painter.tool("eraser")
    painter.size(18)
    painter.drag((290 + shift, 30), (300 + shift, 190), steps=4)


def auto_segment(painter, label, points):
    painter.key(label)
    painter.tool("auto")
    painter.click(*points)
    painter.frame.get_by_text("Refine the mask").wait_for()


def masks_in_s3(workshop, manifest, name):
    """Return the consolidated mask's class ids, by colour, and the workers' answers."""
    [line] = [json.loads(line) for line in workshop.get(manifest).decode().splitlines()]
    [attribute] = [key for key in line if key.endswith("-ref") and key != "source-ref"]
    pixels = np.asarray(Image.open(io.BytesIO(workshop.get(line[attribute]))).convert("RGB")).astype(int)
    packed = (pixels[..., 0] << 16) + (pixels[..., 1] << 8) + pixels[..., 2]
    ids = np.full(packed.shape, 255, np.uint8)
    names = ("BACKGROUND", *LABELS)
    for entry in line[f"{attribute}-metadata"]["internal-color-map"].values():
        ids[packed == int(entry["hex-color"][1:], 16)] = names.index(entry["class-name"])
    bucket, _, key = manifest.removeprefix("s3://").partition("/")
    prefix = key.partition("/manifests/")[0] + "/annotations/worker-response/"
    contents = workshop.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    response = json.loads(workshop.get(f"s3://{bucket}/{contents[0]['Key']}"))
    answers = [part["answerContent"]["crowd-semantic-segmentation"] for part in response["answers"]]
    return ids, [decode(answer, LABELS) for answer in answers]


def completed(workshop, outputs, job):
    workshop.wait(outputs[f"{job}Name"], "Completed", seconds=40)
    return masks_in_s3(workshop, outputs[f"{job}Manifest"], job)


@pytest.mark.deploy
def test_one_persons_mask_arrives_pixel_by_pixel(browser, workshop, deployed, photograph):
    ada = Person(browser, workshop.aws.portal_url)
    ada.start("Breakfast, solo")
    painter = ada.painter()
    paint_cup(painter, 0)
    auto_segment(painter, "2", [(338, 270), (400, 290), (372, 262), (365, 322)])
    assert (painter.mask() == 2).sum() > 500
    mask = painter.mask()
    assert set(np.unique(mask)) == {0, 1, 2, 3}
    photograph(ada.page, "portal-mask")
    ada.submit()
    stored, [answer] = completed(workshop, deployed, "Solo")
    assert (answer == mask).all()
    assert (stored == mask).all()
    ada.close()


@pytest.mark.deploy
def test_three_people_vote(browser, workshop, deployed, photograph):
    people = [Person(browser, workshop.aws.portal_url, name) for name in MEMBERS]
    people[0].page.goto(workshop.aws.portal_url)
    photograph(people[0].page, "portal-jobs")
    # All three have the picture at the same time.
    for one in people:
        one.start("Breakfast, vote")
    masks = []
    for shift, one in enumerate(people):
        painter = one.painter()
        if shift == 0:
            one.frame.get_by_role("button", name="View full instructions").click()
            photograph(one.page, "portal-task")
            painter.key("Escape")
        paint_cup(painter, shift * 3)
        if shift == 2:
            auto_segment(painter, "1", RIM)
        masks.append(painter.mask())
    for one in people:
        one.submit()
    stored, answers = completed(workshop, deployed, "Vote")
    assert sorted(answer.tobytes() for answer in answers) == sorted(mask.tobytes() for mask in masks)
    assert (stored == consolidate(masks).mask).all()
    same = (masks[0] == masks[1]) & (masks[1] == masks[2])
    assert (stored == masks[0])[same].mean() > 0.99
    for one in people:
        one.close()


def test_the_sign_in_page(browser, workshop, photograph):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(workshop.aws.portal_url)
    photograph(page, "portal-sign-in")
    page.close()
