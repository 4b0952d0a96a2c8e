"""Shows 5: killed in the middle, repeated: the same tree as an undisturbed export, and never half a file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ground_truth_labels import ExportError, MaskError, export, read_manifest

HIDDEN = ".ground-truth-labels"


def tree(folder):
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def visible(folder):
    return [p for p in folder.rglob("*") if p.is_file() and HIDDEN not in p.parts]


def assert_whole(path) -> None:
    data = path.read_bytes()
    if path.suffix in (".png", ".jpg"):
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    elif path.suffix == ".npy":
        np.load(io.BytesIO(data))
    elif path.suffix == ".json":
        json.loads(data)
    elif path.suffix == ".jsonl":
        [json.loads(line) for line in data.splitlines()]
    elif path.suffix == ".parquet":
        assert data[:4] == data[-4:] == b"PAR1"


def command(job, target, layout):
    return [
        sys.executable, "-m", "ground_truth_labels", "export", str(job.root), str(target),
        "--format", layout, "--split", "60/20/20", "--workers", "2", "--quiet",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def big_job(tmp_path_factory: pytest.TempPathFactory, job_maker):
    """The shared photographs, many times: long enough to be killed in the middle."""
    return job_maker(tmp_path_factory.mktemp("big") / "bucket", copies=15, workers=False)


@pytest.mark.parametrize("layout", ["coco", "hf-parquet", "numpy"])
def test_killed_again_and_again(big_job, tmp_path: Path, layout: str) -> None:
    undisturbed, target = tmp_path / "undisturbed", tmp_path / "killed"
    export(read_manifest(big_job.root), undisturbed, format=layout,
           split={"train": 60, "validation": 20, "test": 20})  # fmt: skip
    kills = 0
    for wanted in (3, 25, 50, 75):
        process = subprocess.Popen(command(big_job, target, layout))
        goal = wanted if layout != "hf-parquet" else wanted // 25
        while process.poll() is None and len(visible(target)) < goal:
            time.sleep(0.005)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.wait()
        for path in visible(target):
            assert_whole(path)
    assert kills
    assert subprocess.run(command(big_job, target, layout)).returncode == 0
    assert tree(target) == tree(undisturbed)
    assert not (target / HIDDEN).exists()


def test_an_error_in_the_middle_keeps_what_was_done(job, tmp_path: Path) -> None:
    victim = job.local(job.lines[4]["streets-ref"])
    good = victim.read_bytes()
    victim.write_bytes(good[:50])
    with pytest.raises(ValueError, match="line 5"):
        export(read_manifest(job.root), tmp_path / "out", workers=1)
    victim.write_bytes(good)
    result = export(read_manifest(job.root), tmp_path / "out")
    assert result.resumed == 4 and result.exported == {"": 6}
    export(read_manifest(job.root), tmp_path / "other")
    assert tree(tmp_path / "out") == tree(tmp_path / "other")


def test_repeating_a_finished_export_changes_nothing(shared_job, tmp_path: Path) -> None:
    export(read_manifest(shared_job.root), tmp_path / "out")
    before = {p: p.stat().st_mtime_ns for p in visible(tmp_path / "out")}
    assert export(read_manifest(shared_job.root), tmp_path / "out").resumed == 6
    assert {p: p.stat().st_mtime_ns for p in visible(tmp_path / "out")} == before


def test_other_options_do_not_mix(shared_job, tmp_path: Path) -> None:
    export(read_manifest(shared_job.root), tmp_path / "out")
    with pytest.raises(ExportError, match="another finished export"):
        export(read_manifest(shared_job.root, background=7), tmp_path / "out")


def test_an_unfinished_export_of_other_options_is_refused(job, tmp_path: Path) -> None:
    job.local(job.lines[4]["streets-ref"]).write_bytes(b"x")
    with pytest.raises(ValueError):
        export(read_manifest(job.root), tmp_path / "out")
    with pytest.raises(ExportError, match="unfinished export of other labels or options"):
        export(read_manifest(job.root), tmp_path / "out", format="numpy")


@pytest.mark.parametrize("layout", ["png", "coco"])
def test_two_exports_into_one_target_at_once(big_job, tmp_path: Path, layout: str) -> None:
    """The one ends as if it were alone, the other says why it doesn't; repeated, it finds all done."""
    alone = tmp_path / "alone"
    subprocess.run(command(big_job, alone, layout), check=True, capture_output=True)
    for round_ in range(3):
        target = tmp_path / f"both {round_}"
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        both = [subprocess.Popen(command(big_job, target, layout), **pipes) for _ in range(2)]
        told = [process.communicate(timeout=120) for process in both]
        codes = sorted(process.returncode for process in both)
        assert codes in ([0, 1], [0, 0]), told
        for process, (_, error) in zip(both, told, strict=True):
            if process.returncode:
                assert error.count("\n") == 1 and "another export is writing here; wait for its end" in error
        assert tree(target) == tree(alone)
        again = subprocess.run(command(big_job, target, layout), capture_output=True, text=True)
        assert again.returncode == 0 and "were there from an earlier run" in again.stdout


def test_who_waits_for_the_folder_gets_it(job, tmp_path: Path) -> None:
    from ground_truth_labels.exports.lock import hold

    held = hold(str(tmp_path / "out" / HIDDEN / "lock"))
    with pytest.raises(ExportError, match="another export is writing here"):
        export(read_manifest(job.root), tmp_path / "out")
    assert held
    held.close()
    # What is left of one that was killed before it wrote anything is no obstacle, and goes.
    assert export(read_manifest(job.root), tmp_path / "out").exported == {"": 6}
    assert not (tmp_path / "out" / HIDDEN).exists()
    # One that fails lets go of it.
    job.local(job.lines[5]["streets-ref"]).write_bytes(b"nonsense")
    for _ in range(2):
        with pytest.raises(MaskError, match="must be a PNG"):
            export(read_manifest(job.root), tmp_path / "other")
