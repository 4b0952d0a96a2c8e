"""What lets an export go on: its plan, its journal, its lock, and what may lie in a target."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ground_truth_labels import ExportError, Storage
from ground_truth_labels.exports.workspace import DONE, HIDDEN, Workspace
from tests.labels.test_storage import Bucket, opened

PLAN = {"format": "png", "lines": 3}
PLACES = ("a folder", "s3://b/x/y/", "s3://b")
#: What a batch may note of itself: any JSON, in one line of the journal.
ENTRIES = st.lists(
    st.dictionaries(
        st.text(max_size=4), st.one_of(st.integers(), st.text(max_size=6), st.none()), max_size=3
    ),
    max_size=150,
)


def begun(base, storage, plan=None):
    workspace = Workspace(storage, base)
    return workspace, workspace.open(PLAN if plan is None else plan)


def finish(workspace, plan=None):
    workspace.write(DONE, json.dumps({"plan": PLAN if plan is None else plan}).encode())
    workspace.close()


@pytest.mark.parametrize("where", PLACES)
@settings(max_examples=25, deadline=None)
@given(runs=st.lists(st.tuples(ENTRIES, st.booleans()), min_size=1, max_size=3))
def test_a_journal_goes_on_where_the_last_run_left_it(where: str, runs) -> None:
    with opened(where) as (base, storage):
        kept: list[Any] = []
        for entries, orderly in runs:
            workspace, already = begun(base, storage)
            assert already == len(kept) and list(workspace.entries()) == kept
            for entry in entries:
                workspace.append(entry)
            if orderly:
                workspace.flush()
                kept += entries
            else:
                # A run that dies has kept whole files of 64 entries, and nothing of the rest.
                kept += entries[: len(entries) // 64 * 64]
            workspace.release()
        workspace, already = begun(base, storage)
        assert already == len(kept) and list(workspace.entries()) == list(workspace.entries()) == kept
        finish(workspace)
        assert list(storage.list(base)) == [DONE]
        # The very same export is there, complete; another one isn't.
        assert begun(base, storage)[1] is None
        with pytest.raises(ExportError, match="holds another finished export; choose an empty target"):
            begun(base, storage, {**PLAN, "lines": 4})


@pytest.mark.parametrize("where", PLACES)
def test_what_a_target_may_hold(where: str) -> None:
    with opened(where) as (base, storage):
        workspace, already = begun(base, storage)
        assert already == 0
        workspace.release()
        with pytest.raises(ExportError, match="holds an unfinished export of other labels or options"):
            begun(base, storage, {**PLAN, "format": "coco"})
        # With its own plan it goes on all the same.
        assert begun(base, storage)[1] == 0
    with opened(where) as (base, storage):
        storage.write(f"{base.rstrip('/')}/somebody's.txt", b"")
        with pytest.raises(ExportError, match="is not empty and holds no export; choose an empty target"):
            begun(base, storage)
        assert list(storage.list(base)) == ["somebody's.txt"]


@pytest.mark.parametrize("where", PLACES)
def test_one_that_died_while_it_cleaned_up_is_complete(where: str) -> None:
    """All is there but for the end of its cleaning; the next run does that, and writes nothing again."""
    with opened(where) as (base, storage):
        workspace, _ = begun(base, storage)
        workspace.append({"n": 1})
        workspace.flush()
        workspace.write(DONE, json.dumps({"plan": PLAN}).encode())
        workspace.release()
        with pytest.raises(ExportError, match="another finished export"):
            begun(base, storage, {**PLAN, "lines": 9})
        assert begun(base, storage)[1] is None
        assert list(storage.list(base)) == [DONE] and begun(base, storage)[1] is None


def test_half_a_file_of_a_killed_run_goes(tmp_path: Path) -> None:
    base = tmp_path / "out"
    workspace, _ = begun(str(base), Storage())
    staging = Path(str(workspace.scratch()))
    (staging / ".0123.part").write_bytes(b"half")
    (staging / "scratch").write_bytes(b"of an index")
    workspace.release()
    again, _ = begun(str(base), Storage())
    assert list(staging.iterdir()) == []
    finish(again)
    assert not (base / HIDDEN).exists()


@pytest.mark.parametrize("where", PLACES)
def test_values_that_a_run_keeps_for_the_next(where: str) -> None:
    with opened(where) as (base, storage):
        workspace, _ = begun(base, storage)
        assert workspace.saved("split.json") is None
        workspace.save("split.json", {"ä": [1, None]})
        workspace.release()
        again, already = begun(base, storage)
        assert again.saved("split.json") == {"ä": [1, None]} and already == 0
        assert (again.scratch() is None) == base.startswith("s3://")


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "../a", "a/..", ".", "a/./b", "a\\b", "c:a", "s3://b/k"]
)
def test_names_that_would_lead_elsewhere(where: str, name: str) -> None:
    with opened(where) as (base, storage):
        before = list(storage.list(base))
        workspace = Workspace(storage, base)
        for write in (lambda: workspace.write(name, b""), lambda: workspace.write_stream(name, [b""])):
            with pytest.raises(ExportError, match="is not a name below the target"):
                write()
        assert list(storage.list(base)) == before


@pytest.mark.parametrize("name", ["a", "a/b/c.png", "..a", "a..", "ä 車", "-", "~"])
def test_names_that_stay_below(name: str, tmp_path: Path) -> None:
    client = Bucket()
    for base, storage in ((str(tmp_path / "t"), Storage()), ("s3://b/t", Storage(client=client))):
        workspace, _ = begun(base, storage)
        workspace.write(name, b"1")
        workspace.write_stream(name, [b"2", b"3"])
    assert (tmp_path / "t" / name).read_bytes() == b"23" == client.objects["b", f"t/{name}"]


@pytest.mark.parametrize("below", ["link", "folder/link", f"{HIDDEN}/staging"])
@pytest.mark.parametrize("to", ["file", "folder", "nothing"])
def test_a_target_with_links_is_refused(below: str, to: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_bytes(b"x")
    base = tmp_path / "out"
    (base / below).parent.mkdir(parents=True)
    (base / below).symlink_to(
        {"file": elsewhere / "precious", "folder": elsewhere}.get(to, tmp_path / "nothing")
    )
    with pytest.raises(
        ExportError, match="is a symbolic link; an export writes and removes below its target alone"
    ):
        begun(str(base), Storage())
    assert (elsewhere / "precious").read_bytes() == b"x" and len(list(elsewhere.iterdir())) == 1


# --- one at a time ---

HOLDER = """
import sys
from ground_truth_labels import Storage
from ground_truth_labels.exports.workspace import Workspace
workspace = Workspace(Storage(), sys.argv[1])
workspace.open({"format": "png", "lines": 3})
print("held", flush=True)
sys.stdin.read()
"""


def test_another_process_is_waited_for_and_its_death_is_no_obstacle(tmp_path: Path) -> None:
    base = str(tmp_path / "out")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, base], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(ExportError, match="another export is writing here; wait for its end"):
            begun(base, Storage())
    finally:
        holder.kill()
        holder.wait()
        for stream in (holder.stdin, holder.stdout):
            if stream is not None:
                stream.close()
    assert begun(base, Storage())[1] == 0


def test_a_lock_is_given_back(tmp_path: Path) -> None:
    base = str(tmp_path / "out")
    first, _ = begun(base, Storage())
    with pytest.raises(ExportError, match="another export is writing here"):
        begun(base, Storage())
    first.release()
    first.release()
    second, already = begun(base, Storage())
    assert already == 0
    finish(second)
    assert begun(base, Storage())[1] is None and os.listdir(base) == ["_labels"]
