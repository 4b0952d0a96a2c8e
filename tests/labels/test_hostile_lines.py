"""One bad line is one bad line, one error is one sentence, and a name never drives a terminal."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any, Never

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import (
    ExportError,
    LabelList,
    LabelsError,
    ManifestError,
    MissingError,
    SegmentationDataset,
    Storage,
    StorageError,
    check,
    export,
    read_manifest,
)
from ground_truth_labels.cli import main
from ground_truth_labels.decode import Alpha, decode_mask
from ground_truth_labels.errors import MaskError

hostile = pytest.mark.attack("whoever sends finished labels", "the labels")

GREEN, WHITE = "#2ca02c", "#ffffff"
TABLE = {
    "0": {"class-name": "BACKGROUND", "hex-color": WHITE, "confidence": 0.5},
    "1": {"class-name": "road", "hex-color": GREEN, "confidence": 0.5},
}


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(array, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def line(number=0, table=TABLE, **more):
    return {
        "source-ref": f"{number}.png",
        "m-ref": "m.png",
        "m-ref-metadata": {"internal-color-map": table, "type": "groundtruth/semantic-segmentation"},
        **more,
    }


@pytest.fixture
def folder(tmp_path: Path):
    """Three good lines; `write` puts others between them."""
    mask = np.full((4, 6, 3), 255)
    mask[1:3, 1:4] = (0x2C, 0xA0, 0x2C)
    (tmp_path / "m.png").write_bytes(png(mask))
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(png(np.full((4, 6, 3), number)))

    def write(*lines):
        texts = [json.dumps(line(0)), *lines, json.dumps(line(1)), json.dumps(line(2))]
        (tmp_path / "output.manifest").write_text("\n".join(texts), encoding="utf-8", errors="surrogatepass")
        return tmp_path

    return write


def with_confidence(text):
    return json.dumps(line()).replace("0.5", text, 1)


MANY = {str(i): {"class-name": f"c{i}", "hex-color": f"#{i:06x}"} for i in range(40_000)}
BAD = {
    "400 digits": with_confidence("1" + "0" * 400),
    "5000 digits": with_confidence("1" + "0" * 5000),
    "1e999": with_confidence("1e999"),
    "NaN": with_confidence("NaN"),
    "-Infinity": with_confidence("-Infinity"),
    "half a pair in source-ref": json.dumps(line(**{"source-ref": "\ud800.png"})),
    "half a pair in a class": json.dumps(line()).replace('"road"', '"\\udfff"'),
    "40,000 classes": json.dumps(line(table=MANY)),
    "escape": json.dumps(line(**{"source-ref": "\x1b[2Jx.png"})),
    "right to left": json.dumps(line(**{"source-ref": "a/../\u202egnp.exe"})),
}


@hostile
@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_stops_nothing_but_itself(
    folder, tmp_path: Path, name, capsys: pytest.CaptureFixture[str]
) -> None:
    root = folder(BAD[name])
    result = export(read_manifest(root), tmp_path / "out", skip_broken=True, split="50/50")
    assert sum(result.exported.values()) == 3 and result.left_out == {"broken": 1}
    assert result.exported.keys() == {"train", "validation"}
    assert read_manifest(root).classes == {"BACKGROUND": 0, "road": 1}
    assert {(p.code, p.line) for p in check(read_manifest(root)).errors} == {("bad-line", 2)}
    for command in (["check"], ["read"], ["check", "--json"], ["read", "--json"]):
        assert main([command[0], str(root), *command[1:], *(["--quiet"])]) == 1
    told = capsys.readouterr()
    assert "Traceback" not in told.err and not set(told.out + told.err) & {"\x1b", "\u202e", "\x9b"}


def test_background_in_another_spelling_is_a_class(folder) -> None:
    root = folder()
    text = (root / "output.manifest").read_text().replace('"road"', '"Background"')
    (root / "output.manifest").write_text(text)
    manifest = read_manifest(root)
    assert manifest.classes == {"BACKGROUND": 0, "Background": 1} and manifest[0].mask().sum() == 6


def test_an_attribute_that_no_line_has(folder) -> None:
    with pytest.raises(ManifestError, match=r"no line has the label attribute 'x-ref', found 'm-ref'"):
        check(read_manifest(folder(), attribute="x-ref"))
    assert main(["check", str(folder()), "--attribute", "x-ref", "--quiet"]) == 1


def test_what_a_practitioner_writes_first(folder) -> None:
    manifest = read_manifest(folder())
    assert len(manifest) == 3 and manifest[0].line == 1 and manifest[-1].line == 3
    with pytest.raises(IndexError, match="has 3 objects, there is none at 3"):
        manifest[3]


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (["sky", "road"], {"BACKGROUND": 0, "sky": 1, "road": 2}),
        ("sky, road", {"BACKGROUND": 0, "sky": 1, "road": 2}),
        ({"road": 7}, {"BACKGROUND": 0, "road": 7}),
        ({"BACKGROUND": 3, "road": 0}, {"BACKGROUND": 3, "road": 0}),
        (LabelList(("road",), background=9), {"BACKGROUND": 9, "road": 0}),
    ],
)
def test_labels_have_one_rule(folder, labels, wanted) -> None:
    manifest = read_manifest(folder(), labels=labels)
    assert manifest.classes == wanted
    assert set(np.unique(manifest[0].mask())) == {wanted["BACKGROUND"], wanted["road"]}


def test_a_text_is_a_file_in_python_and_on_the_command_line(
    folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = tmp_path / "lab.txt"
    names.write_text("\ufeffsky\n\nroad\n", encoding="utf-8")
    wanted = {"BACKGROUND": 0, "sky": 1, "road": 2}
    assert read_manifest(folder(), labels=str(names)).classes == wanted
    assert read_manifest(folder(), labels=names).classes == wanted
    assert main(["check", str(folder()), "--labels", str(names), "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == wanted
    with pytest.raises(MissingError, match=r"one class alone is written 'road,'"):
        read_manifest(folder(), labels="road")
    assert main(["check", str(folder()), "--labels", "road", "--quiet"]) == 1
    assert main(["check", str(folder()), "--labels", "road,", "--quiet"]) == 0


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"a": 0, "b": 0}, "'BACKGROUND' and 'a[+]b' have the same id 0"),
        ("a=1,b", "must be name=id for each class, or names alone, got 'a=1,b'"),
        ({"a": 0}, "'BACKGROUND' and 'a' have the same id 0"),
        ({"a": 255}, "255, which trainers ignore"),
        ({"a": "1"}, "must be in 0..65534, got '1'"),
        ({"a": True}, "must be in 0..65534, got True"),
        (["a", "a"], "must be unique"),
        (["a", 3], "non-empty text, got 3"),
        (7, "labels must be names"),
    ],
)
def test_wrong_labels_are_named(folder, labels, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        read_manifest(folder(), labels=labels)


def test_the_same_photograph_stays_in_one_split(folder, tmp_path: Path) -> None:
    root = folder(*[json.dumps(line(0)) for _ in range(5)])
    export(read_manifest(root), tmp_path / "out", split={"train": 0.5, "validation": 0.5})
    sources = [json.loads(s) for s in (tmp_path / "out/_labels/sources.jsonl").read_text().splitlines()]
    assert len(sources) == 8
    splits: dict[Any, Any] = {}
    for source in sources:
        splits.setdefault(source["source_ref"], set()).add(source["split"])
    assert all(len(found) == 1 for found in splits.values()) and len({*map(min, splits.values())}) == 2


def test_transparency_is_told_with_counts_and_has_a_choice(folder) -> None:
    root = folder()
    pixels = np.zeros((4, 6, 4), np.uint8)
    pixels[1, :5] = (0x2C, 0xA0, 0x2C, 255)
    pixels[1, 3:5, 3] = 90
    pixels[2, :3] = (0x2C, 0xA0, 0x2C, 0)
    (root / "m.png").write_bytes(png(pixels))
    found = {p.code: p.message for p in check(read_manifest(root)).problems}
    assert "2 of 'road'" in found["partly-transparent"] and "3 of 'road'" in found["hidden-colors"]
    counts: dict[Alpha, int] = {"visible": 5, "opaque": 3, "color": 8}
    for alpha, pixels_of_road in counts.items():
        assert read_manifest(root, alpha=alpha)[0].mask().sum() == pixels_of_road


def test_masks_of_16_bits_are_refused() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((2, 2), np.uint16)).save(buffer, "PNG")
    from ground_truth_labels.colormap import ColorTable

    with pytest.raises(MaskError, match="grey PNG of 16 bits"):
        decode_mask(buffer.getvalue(), ColorTable(((0, 1),), 0))


def test_albumentations_is_refused_by_name(folder) -> None:
    transform = type("Compose", (), {"__module__": "albumentations.core.composition"})()
    with pytest.raises(LabelsError, match="Albumentations is called by names"):
        SegmentationDataset(read_manifest(folder()), transform=transform)


class Broken:
    """S3 in which every call fails in one way."""

    def __init__(self, error) -> None:
        self.error = error

    def __getattr__(self, name):
        def call(*_, **__) -> Never:
            raise self.error

        return call


def _errors():
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import (
        ClientError,
        EndpointConnectionError,
        FlexibleChecksumError,
        NoCredentialsError,
        ParamValidationError,
    )

    return [
        ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject"),
        EndpointConnectionError(endpoint_url="http://x"),
        FlexibleChecksumError(error_msg="refused"),
        NoCredentialsError(),
        ParamValidationError(report="bad"),
        S3UploadFailedError("failed"),
        OSError(28, "No space left on device"),
        ValueError("Invalid endpoint: x"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ]


CALLS = {
    "read": lambda s: s.read("s3://b/k"),
    "open": lambda s: s.open("s3://b/k").__enter__(),
    "list": lambda s: list(s.list("s3://b/k")),
    "write": lambda s: s.write("s3://b/k", b"x"),
    "write_stream": lambda s: s.write_stream("s3://b/k", [b"x"]),
    "remove": lambda s: s.remove("s3://b/k"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", _errors(), ids=lambda e: type(e).__name__)
def test_every_error_at_every_call_is_a_sentence(call, error) -> None:
    with pytest.raises(LabelsError, match=r"^s3://b/k: cannot be"):
        CALLS[call](Storage(client=Broken(error)))


def test_an_endpoint_that_is_none_and_targets_that_are_files(
    folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = folder()
    assert main(["check", "s3://b/x.manifest", "--endpoint-url", "localhost:9", "--quiet"]) == 1
    (tmp_path / "file").write_text("x")
    for arguments in (["export", str(root), str(tmp_path / "file/x")], ["report", str(root), str(tmp_path)]):
        assert main([*arguments, "--quiet"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3 and all(text.startswith("ground-truth-labels ") for text in told)


def test_an_error_that_nobody_thought_of(
    folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ground_truth_labels.cli import commands

    monkeypatch.setattr(commands, "check", lambda *_, **__: 1 / 0)
    assert main(["check", str(folder()), "--quiet"]) == 1
    assert "unexpected ZeroDivisionError" in capsys.readouterr().err


@hostile
def test_a_prepared_target_leads_nowhere_else(folder, tmp_path: Path) -> None:
    root = folder()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.txt").write_text("x")
    for number, place in enumerate((".ground-truth-labels", ".ground-truth-labels/staging", "masks")):
        target = tmp_path / f"target{number}"
        (target / place).parent.mkdir(parents=True)
        os.symlink(outside, target / place)
        with pytest.raises(ExportError, match="is a symbolic link"):
            export(read_manifest(root), target)
    assert [p.name for p in outside.iterdir()] == ["mine.txt"]


def test_findings_of_one_kind_are_one(folder, capsys: pytest.CaptureFixture[str]) -> None:
    root = folder(*[json.dumps(line(9)) for _ in range(50)])
    assert main(["check", str(root), "--quiet"]) == 1
    out = capsys.readouterr().out
    assert "[missing-image] (50 times)" in out and "and 47 more" in out and len(out.splitlines()) < 30


def test_a_disk_error_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot be written"):
        Storage().write(str(tmp_path / "file/below"), b"x")
