"""The whole way: `cdk deploy`, three people paint in the portal, and what they painted is in S3."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage import data

from ground_truth_local.cdk_cli import CdkCli
from ground_truth_local.service.consolidation import consolidate
from tests.local.portal.painter import decode
from tests.local.portal.workshop import MEMBERS, Person

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal-deploy")

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs"
LABELS = ("cup", "spoon", "saucer", "table")
# Where things are in scikit-image's photograph of a cup of coffee.
SAUCER = ((278, 230), 203, 162)
BOWL = ((365, 278), 41, 47)
CUP_BODY = [(174, 115), (186, 190), (205, 250), (245, 280), (300, 284), (345, 260), (385, 200), (408, 115)]
HANDLE = [(399, 69), (425, 78), (418, 110), (394, 238), (376, 234)]
RIM = [(310, 18), (290, 207), (172, 110), (410, 95)]


def ellipse(center, across, down, *, shift=0, corners=22):
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return [
        (round(center[0] + shift + across * np.cos(angle)), round(center[1] + down * np.sin(angle)))
        for angle in angles
    ]


@pytest.fixture(scope="module")
def deployed(workshop, tmp_path_factory: pytest.TempPathFactory):
    photos = tmp_path_factory.mktemp("photos")
    Image.fromarray(data.coffee()).save(photos / "coffee.jpg", quality=92)
    context = {"photos": str(photos), "workteam": workshop.team}
    cli = CdkCli(f"{sys.executable} {HERE / 'app.py'}", workshop.aws.environment, context=context)
    # Not destroyed: the whole embedded AWS goes away after the tests.
    return cli.deploy()["Portal"]


def polygon(painter, label, corners) -> None:
    painter.key(label)
    painter.tool("polygon")
    painter.click(*corners)
    painter.key("Enter")


def auto_segment(painter, label, points) -> None:
    painter.key(label)
    painter.tool("auto")
    painter.click(*points)
    painter.frame.get_by_text("Refine the mask").wait_for()


def paint_breakfast(painter, shift=0, *, rim=None) -> None:
    """Paint as one of three people would: a little beside each other."""
    polygon(painter, "3", ellipse(*SAUCER, shift=shift))
    polygon(painter, "1", [(x + shift, y) for x, y in CUP_BODY])
    polygon(painter, "1", ellipse((292, 113), 118, 95, shift=shift))
    if rim:
        auto_segment(painter, "1", rim)
    polygon(painter, "2", ellipse(*BOWL, shift=shift, corners=14))
    polygon(painter, "2", HANDLE)
    painter.key("1")
    painter.tool("brush")
    painter.size(22)
    painter.drag((250, 250), (215, 275), (205, 300 - shift), (222, 308), steps=6)
    painter.tool("eraser")
    painter.size(14)
    painter.drag((415 + shift, 60), (440, 90), steps=4)
    painter.key("4")
    painter.tool("fill")
    painter.click((20, 20))


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
def test_one_persons_mask_arrives_pixel_by_pixel(browser: Any, workshop, deployed, keep) -> None:
    ada = Person(browser, workshop.aws.portal_url)
    ada.start("Breakfast, solo")
    painter = ada.painter()
    paint_breakfast(painter, rim=RIM)
    painter.tool("brush")
    mask = painter.mask()
    assert set(np.unique(mask)) == {1, 2, 3, 4}
    keep(ada.page, "portal-mask")
    ada.submit()
    stored, [answer] = completed(workshop, deployed, "Solo")
    assert (answer == mask).all()
    assert (stored == mask).all()
    ada.close()


@pytest.mark.deploy
def test_three_people_vote(browser: Any, workshop, deployed, keep) -> None:
    people = [Person(browser, workshop.aws.portal_url, name) for name in MEMBERS]
    people[0].page.goto(workshop.aws.portal_url)
    keep(people[0].page, "portal-jobs")
    # All three have the picture at the same time.
    for one in people:
        one.start("Breakfast, vote")
    masks = []
    for shift, one in enumerate(people):
        painter = one.painter()
        if shift == 0:
            one.frame.get_by_role("button", name="View full instructions").click()
            keep(one.page, "portal-task")
            painter.key("Escape")
        paint_breakfast(painter, shift * 3, rim=RIM if shift == 2 else None)
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


def test_the_sign_in_page(browser: Any, workshop, keep) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(workshop.aws.portal_url)
    keep(page, "portal-sign-in")
    page.close()
