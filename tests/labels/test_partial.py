"""Labels of images that never got all of their answers: each pixel's votes counted in another way."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import ExportError, ManifestError, check, partial, read_manifest
from ground_truth_labels.cli.main import main
from tests.labels.independent import classes_by_color, classes_by_index
from tests.labels.sets import WHITE, line, mask, read_lines

CLASSES = ["road", "car", "tree"]
COLORS = {"BACKGROUND": WHITE, "road": "#2ca02c", "car": "#1f77b4", "tree": "#d62728"}


def painted(rows):
    """As the element draws: where nobody painted, nothing is."""
    image = Image.open(io.BytesIO(mask(rows, COLORS))).convert("RGBA")
    clear = [[255 * (name != "BACKGROUND") for name in row] for row in rows]
    image.putalpha(Image.fromarray(np.array(clear, np.uint8)))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def answer(worker, rows, *, minute):
    return {
        "workerId": worker,
        "submissionTime": f"2026-11-23T08:{minute:02}:00.000Z",
        "answerContent": {
            "annotatedResult": {
                "labelMappings": {
                    name: {"color": color} for name, color in COLORS.items() if name != "BACKGROUND"
                },
                "labeledImage": {"pngImageData": painted(rows)},
            }
        },
    }


@pytest.fixture
def stopped(tmp_path: Path):
    """A stopped job: one image labeled, one with two answers, one with one, one with none."""
    base = tmp_path / "labels/streets"
    output = "annotations/consolidated-annotation/output/0_m.png"
    rng = np.random.default_rng(4)
    rows = {
        number: [rng.choice(list(COLORS), (6, 9)).tolist() for _ in range(count)]
        for number, count in ((0, 3), (1, 2), (2, 1))
    }
    for number, answers in rows.items():
        for minute, each in enumerate(answers):
            # The later file has the earlier answer: the time that counts is in the answer.
            place = base / f"annotations/worker-response/iteration-1/{number}/{9 - minute}.json"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps({"answers": [answer(f"w{minute}", each, minute=minute)]}))
    (base / output).parent.mkdir(parents=True)
    (base / output).write_bytes(mask(rows[0][0], COLORS))
    lines = [
        line("s3://b/0.jpg", f"s3://b/labels/streets/{output}", COLORS),
        {"source-ref": "s3://b/1.jpg", "weather": "rain"},
        {
            "source-ref": "s3://b/2.jpg",
            "streets-ref-metadata": {"failure-reason": "expired", "job-name": "labeling-job/streets"},
        },
        {"source-ref": "s3://b/3.jpg"},
    ]
    manifest = base / "manifests/output/output.manifest"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("".join(json.dumps(each) + "\n" for each in lines))
    return tmp_path, manifest, rows


def voted(answers):
    """Most votes by a plain count; of as many the class of the first answer."""
    out: list[Any] = []
    for y in range(len(answers[0])):
        out.append([])
        for x in range(len(answers[0][0])):
            said = [each[y][x] for each in answers]
            votes = Counter(said)
            out[-1].append(next(name for name in said if votes[name] == max(votes.values())))
    return out


@pytest.mark.parametrize(("wanted", "made"), [(1, 2), (2, 1), (3, 0)])
def test_each_pixel_has_its_votes(wanted: int, made: int, stopped, tmp_path: Path) -> None:
    root, manifest, rows = stopped
    target = tmp_path / f"whole-{wanted}"
    result = partial(read_manifest(manifest, root=root, labels=CLASSES), target, min_answers=wanted)
    assert (result.made, result.labeled, result.missing) == (made, 1, 3 - made)
    lines = read_lines(result.manifest)
    original = (root / "labels/streets/annotations/consolidated-annotation/output/0_m.png").read_bytes()
    assert (target / lines[0]["streets-ref"]).read_bytes() == original
    assert "consolidated-by" not in lines[0]["streets-ref-metadata"]
    assert lines[3] == {"source-ref": "s3://b/3.jpg"}
    for number in (1, 2)[:made]:
        value = lines[number]
        data = (target / value["streets-ref"]).read_bytes()
        metadata = value["streets-ref-metadata"]
        table = metadata["internal-color-map"]
        assert classes_by_color(data, table).tolist() == voted(rows[number])
        assert classes_by_index(data, table).tolist() == voted(rows[number])
        assert metadata["consolidated-by"] == "ground-truth-labels"
        assert metadata["answers"] == len(rows[number])
        assert metadata["type"] == "groundtruth/semantic-segmentation" and "failure-reason" not in metadata
        assert metadata["job-name"] == "labeling-job/streets"
    if made:
        assert lines[1]["weather"] == "rain"
    read = read_manifest(result.manifest)
    assert read.classes == {"BACKGROUND": 0, "road": 1, "car": 2, "tree": 3}
    assert not check(read, images=False).errors


def test_three_answers_of_which_two_agree(stopped, tmp_path: Path) -> None:
    root, manifest, _ = stopped
    folder = manifest.parents[2] / "annotations/worker-response/iteration-1/3"
    folder.mkdir(parents=True)
    said = [["road", "car"]], [["car", "car"]], [["car", "tree"]]
    answers = [answer(f"w{minute}", rows, minute=minute) for minute, rows in enumerate(said)]
    (folder / "0.json").write_text(json.dumps({"answers": answers}))
    result = partial(read_manifest(manifest, root=root, labels=CLASSES), tmp_path / "whole")
    value = read_lines(result.manifest)[3]
    data = (tmp_path / "whole" / value["streets-ref"]).read_bytes()
    assert classes_by_color(data, value["streets-ref-metadata"]["internal-color-map"]).tolist() == [
        ["car", "car"]
    ]


def test_answers_that_cannot_be_used_are_told(stopped, tmp_path: Path) -> None:
    root, manifest, _ = stopped
    answers = manifest.parents[2] / "annotations/worker-response/iteration-1"
    (answers / "1/odd.json").write_text(json.dumps({"answers": [answer("w", [["road"]], minute=1)]}))
    (answers / "2/9.json").write_text("{")
    result = partial(read_manifest(manifest, root=root, labels=CLASSES), tmp_path / "whole")
    assert (result.made, result.missing, len(result.problems)) == (0, 3, 2)
    assert any("line 2: the answers' masks differ in size" in each for each in result.problems)
    assert any("2/9.json: must be JSON" in each for each in result.problems)


def test_a_job_that_finished_nothing(stopped, tmp_path: Path) -> None:
    _, manifest, _ = stopped
    lines = read_lines(manifest)
    plain = [{"source-ref": value["source-ref"]} for value in lines]
    manifest.write_text("".join(json.dumps(each) + "\n" for each in plain))
    with pytest.raises(ManifestError, match="no line says what its labels are called; give attribute"):
        partial(manifest, tmp_path / "whole")
    with pytest.raises(ManifestError, match=r"1 to 254, got 0; give labels="):
        partial(manifest, tmp_path / "whole", attribute="streets-ref")
    result = partial(read_manifest(manifest, labels=CLASSES), tmp_path / "whole", attribute="streets-ref")
    assert result.made == 3
    # The attribute that a failure names is enough.
    manifest.write_text("".join(json.dumps(each) + "\n" for each in [plain[0], plain[1], lines[2]]))
    assert partial(read_manifest(manifest, labels=CLASSES), tmp_path / "failed").attribute == "streets-ref"


def test_wrong_wishes(stopped, tmp_path: Path) -> None:
    root, manifest, _ = stopped
    with pytest.raises(ManifestError, match="min_answers must be 1 or more, got 0"):
        partial(manifest, tmp_path / "whole", min_answers=0)
    with pytest.raises(ExportError, match="end in '-ref'"):
        partial(manifest, tmp_path / "whole", attribute="streets")
    with pytest.raises(ExportError, match="is not empty; partial writes a copy"):
        partial(manifest, root, attribute="streets-ref")


def test_the_command(stopped, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, manifest, _ = stopped
    options = ["--root", str(root), "--labels", ",".join(CLASSES), "--quiet"]
    assert main(["partial", str(manifest), str(tmp_path / "whole"), *options, "--min-answers", "2"]) == 0
    told = capsys.readouterr().out
    assert "1 labels made of answers, 1 were there, 2 images have fewer than 2 answers" in told
