"""The preview: a template of an app, for a picture, without a deploy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ground_truth_local.cli import main
from ground_truth_local.portal.designs import Design, DesignError, load, synthesize
from ground_truth_local.portal.frame import FrameError
from ground_truth_local.portal.preview import serving
from ground_truth_local.portal.watching import Watch
from tests.local.portal.painter import Painter, write_picture
from tests.local.portal.workshop import SEED

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal-deploy")

APP = f"{sys.executable} {Path(__file__).with_name('app.py')}"
TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/annotators"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "photos").mkdir()
    write_picture(folder / "photos" / "street.jpg")
    context = {"photos": str(folder / "photos"), "workteam": TEAM}
    synthesize(APP, folder / "cdk.out", context=context, cwd=folder)
    return folder / "cdk.out"


def test_an_apps_job_is_found(assembly) -> None:
    design = load(assembly, "solo")
    assert design.title == "Breakfast, solo"
    assert design.labels == ["cup", "spoon", "saucer", "table"]
    assert design.workteam == TEAM
    assert design.picture is not None
    assert design.picture.name == "street.jpg"
    assert "Paint cup, spoon, saucer and table" in design.template


def test_which_job_has_to_be_said_where_there_are_more(assembly, tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"There are 2 labeling jobs, .*--job"):
        load(assembly)
    with pytest.raises(DesignError, match="has no labeling job with 'nobody'"):
        load(assembly, "nobody")
    with pytest.raises(DesignError, match="has no labeling job"):
        load(tmp_path)


def test_an_app_that_fails_says_what_it_printed(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("raise SystemExit('no photos')")
    with pytest.raises(DesignError, match="no photos"):
        synthesize("bad.py", tmp_path / "out", cwd=tmp_path)
    with pytest.raises(DesignError, match=r"cdk\.json"):
        synthesize("", tmp_path / "out", cwd=tmp_path)


def test_a_screenshot(browser: Any, assembly, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The command starts its own browser, which Playwright allows once a thread.
    command = [sys.executable, "-m", "ground_truth_local.cli", "preview", str(assembly), "--job", "vote"]
    out = tmp_path / "out.png"
    subprocess.run([*command, "--screenshot", str(out), "--size", "1024x768"], check=True, timeout=60)
    with Image.open(out) as image:
        assert image.size == (1024, 768)
        assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 500


def test_painting_in_a_preview(page, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "a photo.png", (60, 40))
    design = Design(name="x", title="A <b>job</b>", template=SEED, labels=["a"], workteam=TEAM, picture=None)
    with serving(design, picture) as address:
        page.goto(address)
        assert page.get_by_text("A <b>job</b>").is_visible()
        painter = Painter(page, page.frame_locator("#frame")).wait()
        painter.tool("auto")
        painter.click((10, 5), (10, 35), (3, 20), (50, 20))
        painter.frame.get_by_text("Refine the mask").wait_for()
        painter.tool("brush")
        painter.drag((5, 5), (20, 20))
        painter.frame.get_by_role("button", name="Submit").click()
        page.get_by_text("This is a preview, so it is not.").wait_for()


@pytest.mark.attack("a web page", "a preview's photograph", attempts=4)
def test_another_site_reads_nothing_of_it(page, static_server, tmp_path: Path) -> None:
    """Neither what it shows nor, by guessing, the photograph; the frame itself reads it."""
    picture = write_picture(tmp_path / "a.png", (60, 40))
    design = Design(name="x", title="t", template=SEED, labels=["a"], workteam=TEAM, picture=None)
    with serving(design, picture) as address:
        page.goto(address)
        Painter(page, page.frame_locator("#frame")).wait()
        page.goto(static_server)
        for path in ("/", "/task/frame", "/picture", "/picture?X-Amz-Signature=preview"):
            read = "url => fetch(url).then(answer => answer.text()).catch(error => error.name)"
            assert page.evaluate(read, address + path) == "TypeError", path


def test_a_watched_preview_shows_each_change(page, tmp_path: Path) -> None:
    picture = write_picture(tmp_path / "a.png", (60, 40))
    file = tmp_path / "t.html"
    file.write_text(SEED)

    def load():
        text = file.read_text()
        return Design(name="x", title="t", template=text, labels=["a"], workteam=TEAM, picture=None)

    with serving(load(), picture, watch=Watch([tmp_path], load)) as address:
        page.goto(address)
        frame = page.frame_locator("#frame")
        Painter(page, frame).wait()
        file.write_text(SEED.replace("Please segment out all pedestrians.", "Paint every tram."))
        frame.get_by_text("Paint every tram.").first.wait_for()
        file.write_text(SEED.replace("crowd-form", "crowd-from"))
        page.get_by_text("must have one <crowd-form>").wait_for()
        file.write_text(SEED)
        frame.get_by_text("Please segment out all pedestrians.").first.wait_for()


def test_what_is_watched(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    loaded = []
    design: Any = object()
    watch = Watch([tmp_path], lambda: loaded.append(1) or design)
    assert watch.fresh() is None
    (tmp_path / "node_modules" / "a.py").write_text("x")
    (tmp_path / "notes.log").write_text("x")
    assert watch.fresh() is None
    (tmp_path / "app.py").write_text("x")
    assert watch.fresh() is design
    assert watch.fresh() is None
    (tmp_path / "app.py").unlink()
    assert watch.fresh() is design
    assert loaded == [1, 1]


NOT_SHOWN = {
    "no form": (SEED.replace("crowd-form", "crowd-from"), "one <crowd-form>"),
    "a file of the account's": (
        SEED + "{{ 's3://other/key' | grant_read_access }}",
        "is not there without a deploy",
    ),
    "an element that isn't here": (
        SEED + "\n<crowd-polygon></crowd-polygon>",
        "Line 18 of the rendered template: <crowd-polygon>",
    ),
    "Liquid that isn't": (SEED + "\n{% if %}", "18:"),
}


@pytest.mark.parametrize(("template", "message"), NOT_SHOWN.values(), ids=NOT_SHOWN)
def test_a_template_that_cannot_be_shown(tmp_path: Path, template, message) -> None:
    picture = write_picture(tmp_path / "a.png", (60, 40))
    design = Design(name="x", title="t", template=template, labels=["a"], workteam=TEAM, picture=None)
    with pytest.raises(FrameError, match=message), serving(design, picture):
        pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.html", "--labels", "a"], "There is no file gone.html"),
        (["t.html"], "give them with --labels"),
        (["t.html", "--labels", "a"], "name one with --image"),
        (["t.html", "--labels", "a", "--image", "gone.jpg"], "There is no file gone.jpg"),
        (
            ["t.html", "--labels", "a", "--image", "a.png", "--screenshot", "o.png", "--size", "big"],
            "like 1280x800",
        ),
    ],
)
def test_what_the_command_says(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.html").write_text(SEED)
    write_picture(tmp_path / "a.png", (60, 40))
    assert main(["preview", *arguments]) == 1
    assert message in capsys.readouterr().err
