"""The author's console: what it shows of jobs, results and disagreement, whom it lets in, what it needs."""

from __future__ import annotations

import io
import json
import re
import time
import urllib.request
import zipfile
from urllib.parse import urlsplit

import boto3
import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import LabelList
from ground_truth_local.console import measures
from ground_truth_local.console.account import Account, AccountError
from ground_truth_local.console.console_cli import serving
from ground_truth_local.service.masks import encode_answer
from ground_truth_local.workers import paint
from tests.local.portal.test_portal import Client
from tests.local.portal.workshop import MEMBERS, picture

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal")

LABELS = ("cat", "dog")


class Author(Client):
    """Somebody who was given the console's address."""

    def __init__(self, address) -> None:
        parts = urlsplit(address)
        super().__init__(f"{parts.scheme}://{parts.netloc}")
        self.entry = f"{parts.path}?{parts.query}"

    def enter(self):
        status, headers, _ = self(self.entry)
        assert (status, headers["Location"]) == (303, "/console")
        self.cookie = headers["Set-Cookie"].partition(";")[0]
        return self


def label(workshop, name, *, people=MEMBERS, differ=0):
    """Let people do all tasks of a job over HTTP; each shifts the mask a little."""
    arn = workshop.wait(name, "InProgress")["LabelingJobArn"]
    masks = []
    for number, member in enumerate(people):
        client = Client(workshop.aws.portal_url)
        client.sign_in(workshop, member)
        path = client.task(arn)
        while path.startswith("/tasks/"):
            mask = np.zeros((80, 120), np.uint8)
            mask[20:60, 30 + differ * number : 90] = 1
            mask[5:15, 5:25] = 2
            masks.append(mask)
            answer = {"crowd-semantic-segmentation": encode_answer(mask, LABELS)}
            status, content = client.json(f"{path}/submit", {"answer": answer})
            assert status == 200, content
            path = content["next"]
    return masks


@pytest.fixture(scope="module")
def voted(workshop):
    """Give a completed job of two objects and three workers each, one object failed, and their masks."""
    lines = [{"source-ref": workshop.put(f"voted/{name}", picture())} for name in ("a.jpg", "b.jpg")]
    lines.append({"source-ref": workshop.put("voted/broken.jpg", b"no picture")})
    name = workshop.create(labels=LABELS, lines=lines, NumberOfHumanWorkersPerDataObject=3)
    masks = label(workshop, name, differ=6)
    workshop.wait(name, "Completed")
    return name, masks


@pytest.fixture
def author(workshop):
    return Author(workshop.aws.console_url).enter()


def test_the_overview_has_all_jobs_with_status_and_counters(author, voted) -> None:
    status, _, text = author("/console")
    assert status == 200
    row = next(part for part in text.split("<article")[1:] if f"/console/jobs/{voted[0]}" in part)
    assert "Completed" in row
    assert re.search(r"<strong>2</strong> of 3 labeled", row)
    assert "1 failed" in row
    assert "6 of 9" in row
    assert "Completed" not in author("/console?status=Failed")[2].partition("<article")[2]


def test_a_job_shows_results_failures_request_and_downloads(author, voted, workshop) -> None:
    name, _ = voted
    text = author(f"/console/jobs/{name}")[2]
    assert text.count("/thumbnail.jpg") == 2
    # The service's words, with the manifest's line.
    assert re.search(
        r'<td class="number">3</td><td>s3://pictures/voted/broken.jpg</td><td>ClientError:', text
    )
    request = json.loads(author(f"/console/jobs/{name}/request.json")[2])
    assert request["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] == 3
    assert request["RoleArn"] == workshop.role
    assert "LabelCounters" not in request


def test_what_came_in_is_drawn(author, voted) -> None:
    name, masks = voted
    address = f"/console/jobs/{name}/results/0"
    text = author(address)[2]
    assert text.count("like the vote") == 3
    vote = masks[2]
    same = np.mean(
        [all(m[y, x] == masks[0][y, x] for m in masks[::2]) for y in range(80) for x in range(120)]
    )
    assert same < 1
    for kind in ("picture", "vote", "thumbnail", "worker-0", "worker-2", "disagreement"):
        body = fetch(author, f"{address}/{kind}.jpg")
        assert Image.open(io.BytesIO(body)).size == (120, 80), kind
    heat = np.asarray(Image.open(io.BytesIO(fetch(author, f"{address}/disagreement.jpg"))), int)
    colour = heat.max(axis=2) - heat.min(axis=2)
    # Colour where they differ, grey where all agree.
    assert colour[30, 33] > 60
    assert colour[30, 60] < 20
    assert colour[70, 110] < 20
    assert vote.any()
    for path in (f"{address}/worker-3.jpg", f"{address}/nothing.jpg", f"/console/jobs/{name}/results/2"):
        assert author(path)[0] in (404, 502)


def fetch(client, path):
    request = urllib.request.Request(client.url + path, headers={"Cookie": client.cookie})
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.read()


@pytest.mark.parametrize("kind", ["png", "coco", "numpy"])
def test_each_export_is_a_download(author, voted, kind: str) -> None:
    name, masks = voted
    archive = zipfile.ZipFile(io.BytesIO(fetch(author, f"/console/jobs/{name}/export/{kind}")))
    assert archive.testzip() is None
    if kind == "png":
        found = [
            np.asarray(Image.open(archive.open(one)))
            for one in archive.namelist()
            if "mask" in one and one.endswith(".png")
        ]
        assert len(found) == 2
        assert (found[0] == 2).sum() == (masks[0] == 2).sum()
    if kind == "coco":
        [document] = [
            json.loads(archive.read(one))
            for one in archive.namelist()
            if one.endswith(".json") and "annotations" in json.loads(archive.read(one))
        ]
        assert len(document["annotations"]) == 4


def test_the_report_is_a_download(author, voted) -> None:
    assert b"<html" in fetch(author, f"/console/jobs/{voted[0]}/export/report").lower()
    assert author(f"/console/jobs/{voted[0]}/export/nothing")[0] == 502


def test_results_come_in_while_people_work(author, workshop) -> None:
    name = workshop.create(labels=LABELS, pictures={f"{n}.jpg": picture() for n in range(2)})
    arn = workshop.wait(name, "InProgress")["LabelingJobArn"]
    assert "Nothing is consolidated yet" in author(f"/console/jobs/{name}")[2]
    client = Client(workshop.aws.portal_url)
    client.sign_in(workshop, MEMBERS[0])
    answer = {"crowd-semantic-segmentation": encode_answer(np.ones((80, 120), np.uint8), LABELS)}
    client.json(f"{client.task(arn)}/submit", {"answer": answer})
    for _ in range(200):
        text = author(f"/console/jobs/{name}")[2]
        if "/thumbnail.jpg" in text:
            break
        time.sleep(0.1)
    assert text.count("/thumbnail.jpg") == 1
    # It can be stopped, by the console's own pages alone.
    assert author(f"/console/jobs/{name}/stop", {}, origin="http://evil.example")[0] == 403
    assert author(f"/console/jobs/{name}/stop", {})[0] == 303
    workshop.wait(name, "Stopped")


@pytest.mark.attack("a web page", "the author's console", attempts=6)
def test_the_console_opens_by_its_key_alone(workshop, voted) -> None:
    stranger = Author(workshop.aws.console_url)
    for path in ("/console", f"/console/jobs/{voted[0]}", f"/console/jobs/{voted[0]}/results/0/vote.jpg"):
        assert stranger(path)[0] == 401
    assert stranger("/console/sign-in?key=")[0] == 403
    assert stranger("/console/sign-in?key=0123")[0] == 403
    # A worker is no author.
    stranger.sign_in(workshop, MEMBERS[0])
    assert stranger("/console")[0] == 401


@pytest.mark.attack("a web page", "the author's console", attempts=3)
def test_other_sites_read_nothing_of_it(author, voted) -> None:
    _, headers, _ = author(f"/console/jobs/{voted[0]}/results/0/vote.jpg")
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "SameSite=Strict" in author(author.entry)[1]["Set-Cookie"]


def test_a_real_account_is_read_only_and_needs_documented_rights_alone(
    workshop, voted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same code with a profile of an AWS configuration: nothing private of the embedded AWS is used."""
    for name, value in workshop.aws.profile_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with serving(Account(boto3.Session(profile_name="analyst"), read_only=True)) as address:
        reader = Author(address).enter()
        text = reader(f"/console/jobs/{voted[0]}")[2]
        assert text.count("/thumbnail.jpg") == 2
        assert "Stop …" not in text
        assert reader(f"/console/jobs/{voted[0]}/stop", {})[0] == 502
        assert fetch(reader, f"/console/jobs/{voted[0]}/results/0/disagreement.jpg")
    with pytest.raises(AccountError, match=r"not authorized|AccessDenied"):
        Account(boto3.Session(profile_name="deploy"), read_only=True).jobs()


def test_disagreement_is_what_counting_says() -> None:
    """By a loop over all pixels, which shares nothing with the console's arrays."""
    rng = np.random.default_rng(1)
    masks = [rng.integers(0, 4, (12, 9)).astype(np.uint8) for _ in range(5)]
    share = measures.minority(masks)
    for y in range(12):
        for x in range(9):
            votes = [int(mask[y, x]) for mask in masks]
            most = max(votes.count(one) for one in votes)
            assert share[y, x] == pytest.approx(1 - most / 5)
    labels = LabelList(("a", "b", "c"))
    by_name = {one.name: one for one in measures.by_class(masks[0], masks, labels)}
    pixels = [(y, x) for y in range(12) for x in range(9)]
    anybody = [p for p in pixels if any(mask[p] == 1 for mask in masks)]
    everybody = [p for p in pixels if all(mask[p] == 1 for mask in masks)]
    assert by_name["a"].unanimous == pytest.approx(len(everybody) / len(anybody))
    [first, *_] = measures.by_worker(masks[0], [("w", 3.0, masks[1])], labels)
    assert first.same == pytest.approx(sum(masks[0][p] == masks[1][p] for p in pixels) / len(pixels))


def test_simulated_workers_paint_the_stored_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.open(io.BytesIO(picture())).save(buffer, "JPEG", exif=exif)
    assert paint(Image.open(buffer), LABELS, seed=0).shape == (80, 120)
