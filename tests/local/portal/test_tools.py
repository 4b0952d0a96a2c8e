"""Each tool paints, pixel by pixel, what an independent rasterizer says; and what is around painting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.local.portal import rasterizer
from tests.local.portal.painter import Painter, template, write_picture

LABELS = ["cat", "Straßenbahnhaltestellenüberdachung", "bird"]
SHAPE = (400, 600)
RESET = """element => {
  const { editor } = element;
  for (const id of [...editor.locked]) editor.toggleLocked(id);
  for (const id of [...editor.hidden]) editor.toggleHidden(id);
  editor.painting.load(new Uint8Array(editor.painting.data.length));
  editor.setTool("brush");
  editor.setLabel(1);
  editor.setTolerance(24);
  editor.setRefine("plus");
  editor.view((viewport) => viewport.fit());
  const { painting } = editor;
  window.strokes = [];
  const own = Object.getPrototypeOf(painting);
  painting.beginStroke = function (point, ...rest) {
    window.strokes = [[point.x, point.y]];
    own.beginStroke.call(this, point, ...rest);
  };
  painting.extendStroke = function (point) {
    window.strokes.push([point.x, point.y]);
    own.extendStroke.call(this, point);
  };
  painting.fillPolygon = function (points, id) {
    window.outline = points.map(({ x, y }) => [x, y]);
    own.fillPolygon.call(this, points, id);
  };
}"""


@pytest.fixture(scope="module")
def served(module_server):
    address, folder = module_server
    pixels = np.asarray(Image.open(write_picture(folder / "photo.png")).convert("RGB"))
    (folder / "index.html").write_text(template("photo.png", LABELS))
    return f"{address}/index.html", pixels


@pytest.fixture(scope="module")
def opened(browser: Any, served):
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(served[0])
    yield Painter(page).wait()
    context.close()
    assert page.errors == []


@pytest.fixture
def painter(opened):
    """One page for all tests: loading it takes longer than painting."""
    opened.widget.evaluate(RESET)
    return opened


def strokes(painter):
    return painter.page.evaluate("window.strokes")


def test_a_stroke(painter) -> None:
    painter.size(23)
    painter.drag((60, 60), (200, 90), (180, 300))
    assert (painter.mask() == rasterizer.stroke(strokes(painter), 23, SHAPE)).all()
    painter.tool("eraser")
    before = painter.mask()
    painter.size(8)
    painter.drag((70, 40), (150, 200))
    assert (painter.mask() == before * ~rasterizer.stroke(strokes(painter), 8, SHAPE)).all()


def test_the_lasso(painter) -> None:
    painter.tool("lasso")
    painter.drag((100, 100), (250, 110), (330, 260), (150, 330), (90, 200), (260, 180), steps=4)
    outline = painter.page.evaluate("window.outline")
    assert len(outline) > 15
    expected = rasterizer.polygon(outline, SHAPE)
    assert expected.sum() > 10_000
    assert (painter.mask() == expected).all()
    painter.drag((400, 100), (410, 100))
    assert (painter.mask() == expected).all()


def test_a_polygons_corners_move_before_it_is_filled(painter) -> None:
    painter.tool("polygon")
    painter.click((100, 100), (300, 100), (300, 250), (100, 250))
    painter.drag((300, 250), (420, 330))
    assert not painter.mask().any()
    # The first corner can be moved, too, and a click on it fills.
    painter.drag((100, 100), (60, 80))
    painter.click((60, 80))
    outline = painter.page.evaluate("window.outline")
    assert [(int(x), int(y)) for x, y in outline][::2] == [(60, 80), (420, 330)]
    assert (painter.mask() == rasterizer.polygon(outline, SHAPE)).all()


@pytest.mark.parametrize("tolerance", [0, 24, 90])
def test_smart_fill(painter, served, tolerance: int) -> None:
    painter.tool("smart-fill")
    painter.widget.evaluate("(e, tolerance) => e.editor.setTolerance(tolerance)", tolerance)
    painter.key("3")
    painter.click((300, 200))
    accepted = rasterizer.like(served[1], (300, 200), tolerance)
    expected = rasterizer.region(accepted, (300, 200))
    assert expected.any()
    assert (painter.mask() == expected * 3).all()


def test_smart_fill_follows_a_winding_region(page, module_server) -> None:
    """A spiral of one colour, whose turns are apart by another: the way is long, and every pixel counts."""
    address, folder = module_server
    y, x = np.mgrid[:220, :300]
    angle, radius = np.arctan2(y - 110, x - 150), np.hypot(y - 110, x - 150)
    wall = ((radius / 9 + angle / (2 * np.pi)) % 1) < 0.45
    noise = np.random.default_rng(3).integers(-6, 7, (220, 300, 3))
    pixels = (np.where(wall[..., None], 200, 60) + noise).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "spiral.png")
    (folder / "spiral.html").write_text(template("spiral.png", LABELS))
    page.goto(f"{address}/spiral.html")
    painter = Painter(page).wait()
    seed = next((x, 110) for x in range(150, 300) if not wall[110, x])
    for tolerance in (5, 12):
        painter.tool("smart-fill")
        painter.widget.evaluate("(e, tolerance) => e.editor.setTolerance(tolerance)", tolerance)
        painter.click(seed)
        expected = rasterizer.region(rasterizer.like(pixels, seed, tolerance), seed)
        assert (painter.mask() == expected).all(), tolerance
        painter.key("Control+z")


def test_the_smart_brush(painter, served) -> None:
    painter.tool("smart-brush")
    painter.size(61)
    painter.drag((200, 200), (320, 230))
    reached = rasterizer.stroke(strokes(painter), 61, SHAPE)
    accepted = rasterizer.like(served[1], (200, 200), 24)
    assert 0 < (reached & accepted).sum() < reached.sum()
    assert (painter.mask() == (reached & accepted)).all()


def test_holes_are_filled(painter) -> None:
    rng = np.random.default_rng(5)
    mask = (rng.random((100, 150)) < 0.62).astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    mask[rng.random(SHAPE) < 0.02] = 2
    painter.widget.evaluate(
        "(e, text) => e.editor.painting.load(Uint8Array.from(text, Number))", "".join(map(str, mask.ravel()))
    )
    expected = np.where(rasterizer.holes(mask, 1), 1, mask)
    assert (expected != mask).sum() > 1000
    painter.frame.get_by_role("button", name="Fill the holes of the selected label").click()
    assert (painter.mask() == expected).all()
    assert painter.frame.get_by_text("The holes are filled.").is_visible()
    painter.key("Control+z")
    assert (painter.mask() == mask).all()


def test_nothing_paints_over_a_locked_label(painter) -> None:
    painter.size(61)
    painter.drag((100, 200), (300, 200))
    cat = painter.mask() == 1
    painter.frame.get_by_role("button", name="Lock cat").click()
    painter.key("2")
    painter.drag((200, 120), (200, 280))
    bar = rasterizer.stroke(strokes(painter), 61, SHAPE)
    assert (painter.mask() == np.where(cat, 1, bar * 2)).all()
    painter.key("e")
    painter.drag((100, 210), (300, 210))
    assert ((painter.mask() == 1) == cat).all()
    painter.tool("fill")
    painter.click((110, 200))
    assert ((painter.mask() == 1) == cat).all()
    painter.key("1", "k", "e")
    painter.drag((100, 200), (300, 200))
    assert not (painter.mask() == 1)[cat].all()


def test_a_hidden_label_stays_painted(painter) -> None:
    painter.size(61)
    painter.drag((100, 200), (300, 200))
    mask = painter.mask()
    shown = """e => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
      const { viewport } = e.editor;
      const { x, y } = viewport.toScreen({ x: 200, y: 200 });
      const context = e.shadowRoot.querySelectorAll("canvas")[1].getContext("2d");
      done(context.getImageData(Math.round(x), Math.round(y), 1, 1).data[3]);
    })))"""
    assert painter.widget.evaluate(shown) == 255
    painter.key("v")
    assert painter.widget.evaluate(shown) == 0
    assert (painter.mask() == mask).all()
    assert painter.frame.get_by_role("button", name="Hide cat").get_attribute("aria-pressed") == "true"
    # Whoever picks it wants to see it.
    painter.key("2", "1")
    assert painter.widget.evaluate(shown) == 255
    painter.page.keyboard.down("c")
    assert painter.widget.evaluate(shown) == 0
    painter.page.keyboard.up("c")
    assert painter.widget.evaluate(shown) == 255


def test_undo_is_per_stroke_across_tools(painter) -> None:
    states = [painter.mask()]

    def step(*actions) -> None:
        for action in actions:
            action()
        states.append(painter.mask())
        assert (states[-1] != states[-2]).any()

    painter.size(30)
    step(lambda: painter.drag((50, 60), (550, 60)))
    step(lambda: painter.tool("lasso"), lambda: painter.drag((100, 150), (200, 150), (200, 250)))
    step(lambda: painter.tool("smart-fill"), lambda: painter.click((300, 300)))
    step(lambda: painter.tool("polygon"), lambda: painter.click((20, 20), (60, 20), (60, 60)),
         lambda: painter.key("Enter"))  # fmt: skip
    step(lambda: painter.tool("eraser"), lambda: painter.drag((30, 30), (50, 300)))
    for state in reversed(states[:-1]):
        painter.key("Control+z")
        assert (painter.mask() == state).all()
    for state in states[1:]:
        painter.key("Control+Shift+z")
        assert (painter.mask() == state).all()


def test_a_dropped_stroke_outside_takes_no_other_one_back(painter) -> None:
    painter.size(20)
    painter.drag((50, 60), (100, 60))
    mask = painter.mask()
    painter.widget.evaluate(
        "e => { e.editor.tool.down({ x: -90, y: -90 }); e.editor.tool.cancel();"
        " e.editor.tool.down({ x: 90, y: 90 }); e.editor.tool.cancel(); }"
    )
    assert (painter.mask() == mask).all()
    assert painter.frame.get_by_role("button", name="Redo").is_disabled()


def press(painter, **event):
    painter.page.evaluate(
        "(event) => document.dispatchEvent("
        "new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...event }))",
        event,
    )
    return painter.widget.evaluate(
        "e => ({ tool: e.editor.tool.name, label: e.editor.label, size: e.editor.size })"
    )


def test_keys_are_where_they_are_on_any_layout(painter) -> None:
    painter.size(50)
    # Russian: the key with B on an English keyboard types и.
    press(painter, code="KeyE", key="\u0443")
    assert press(painter, code="KeyB", key="и")["tool"] == "brush"
    # French: digits are typed with Shift, without it the key gives &.
    assert press(painter, code="Digit2", key="é")["label"] == 2
    # German: the keys of the brackets are ü and +.
    assert press(painter, code="BracketLeft", key="ü")["size"] == 40
    assert press(painter, code="BracketRight", key="+")["size"] == 48
    # With AltGr, which is Ctrl and Alt on Windows, what is typed counts: [ and ] on a German 8 and 9.
    found = press(painter, code="Digit8", key="[", ctrlKey=True, altKey=True, modifierAltGraph=True)
    assert (found["size"], found["label"]) == (38, 2)
    assert press(painter, code="Digit9", key="]", modifierAltGraph=True)["size"] == 46


@pytest.mark.parametrize(
    ("key", "code"), [("z", "KeyY"), ("я", "KeyZ"), ("z", "KeyW"), ("Z", "KeyZ")],
    ids=["German", "Russian", "French", "Caps Lock"],
)  # fmt: skip
def test_undo_is_where_the_letter_is(painter, key: str, code: str) -> None:
    painter.size(30)
    painter.drag((50, 60), (100, 60))
    press(painter, code=code, key=key, ctrlKey=True)
    assert not painter.mask().any()


def test_a_polish_letter_is_no_undo(painter) -> None:
    painter.size(30)
    painter.drag((50, 60), (100, 60))
    press(painter, code="KeyZ", key="ż", ctrlKey=True, altKey=True, modifierAltGraph=True)
    assert painter.mask().any()


def test_the_question_mark_shows_the_keys(painter) -> None:
    painter.key("?")
    dialog = painter.frame.get_by_role("dialog", name="Keys")
    text = dialog.text_content()
    for words in (
        "smart fill",
        "lasso",
        "Shift + wheel",
        "compare with the earlier mask",
        "search the labels",
    ):
        assert words in text
    painter.key("Escape")
    assert not dialog.is_visible()


def test_the_wheel_sizes_the_brush(painter) -> None:
    painter.size(20)
    painter.page.mouse.move(*painter.at(300, 200))
    scale = painter.widget.evaluate("e => e.editor.viewport.scale")
    painter.page.keyboard.down("Shift")
    painter.page.mouse.wheel(0, -100)
    painter.page.keyboard.up("Shift")
    painter.page.wait_for_timeout(60)
    assert painter.widget.evaluate("e => [e.editor.size, e.editor.viewport.scale]") == [24, scale]
    painter.key("[", "]")
    assert painter.frame.get_by_role("slider", name="Brush size").get_attribute("aria-valuetext") == "23 px"


@pytest.fixture
def tablet(browser: Any, served):
    context = browser.new_context(viewport={"width": 834, "height": 1112}, has_touch=True)
    page = context.new_page()
    page.goto(served[0])
    painter = Painter(page).wait()
    session = context.new_cdp_session(page)
    painter.widget.evaluate(RESET)

    def touch(kind, *points) -> None:
        places = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    def pen(kind, place, force=0.5) -> None:
        event = {"type": kind, "x": place[0], "y": place[1], "pointerType": "pen", "force": force}
        held = {"button": "left", "buttons": 0 if kind == "mouseReleased" else 1, "clickCount": 1}
        session.send("Input.dispatchMouseEvent", event | held)

    yield painter, touch, pen
    context.close()


def test_a_palm_neither_ends_a_pens_stroke_nor_moves_the_view(tablet) -> None:
    painter, touch, pen = tablet
    painter.size(15)
    view = "e => [e.editor.viewport.x, e.editor.viewport.y, e.editor.viewport.scale]"
    before = painter.widget.evaluate(view)
    palm = [painter.at(400, 350), painter.at(430, 370)]
    pen("mousePressed", painter.at(100, 100), 0.1)
    pen("mouseMoved", painter.at(150, 110), 0.9)
    touch("touchStart", palm[0])
    touch("touchStart", *palm)
    touch("touchMove", (palm[0][0] - 90, palm[0][1] - 90), (palm[1][0] + 60, palm[1][1]))
    pen("mouseMoved", painter.at(250, 160), 0.3)
    touch("touchEnd")
    pen("mouseMoved", painter.at(300, 100), 1.0)
    pen("mouseReleased", painter.at(300, 100))
    assert painter.widget.evaluate(view) == before
    # It is one stroke, as wide at any pressure, and takes one step to undo.
    assert (painter.mask() == rasterizer.stroke(strokes(painter), 15, SHAPE)).all()
    painter.key("Control+z")
    assert not painter.mask().any()


def test_a_palm_that_comes_first_gives_way_to_the_pen(tablet) -> None:
    painter, touch, pen = tablet
    painter.size(15)
    palm = painter.at(400, 350)
    touch("touchStart", palm)
    touch("touchMove", (palm[0] + 20, palm[1]))
    pen("mousePressed", painter.at(100, 100))
    pen("mouseMoved", painter.at(200, 100))
    pen("mouseReleased", painter.at(200, 100))
    touch("touchEnd")
    assert (painter.mask() == rasterizer.stroke(strokes(painter), 15, SHAPE)).all()
    # From now on the pen paints, and a finger moves the picture.
    painter.page.wait_for_timeout(750)
    mask, place = painter.mask(), painter.at(300, 200)
    touch("touchStart", place)
    touch("touchMove", (place[0] + 40, place[1] + 30))
    touch("touchEnd")
    assert (painter.mask() == mask).all()
    assert painter.at(300, 200)[0] > place[0] + 20


def test_255_labels_can_be_searched_and_none_breaks_the_page(page, static_server, tmp_path: Path) -> None:
    write_picture(tmp_path / "photo.png", (60, 40))
    labels = [f"Straßenbahnhaltestellenüberdachungskonstruktionsteil {number}" for number in range(1, 254)]
    labels += ["café", "<b>"]
    (tmp_path / "index.html").write_text(template("photo.png", labels))
    page.goto(f"{static_server}/index.html")
    painter = Painter(page).wait()
    overflow = "panel => panel.scrollWidth - panel.clientWidth"
    assert page.locator(".labels").evaluate(overflow) == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    painter.key("/")
    page.keyboard.type("strassen 25")
    choices = page.get_by_role("radiogroup", name="Label").get_by_role("radio")
    assert choices.count() == 7
    page.keyboard.press("Enter")
    assert painter.widget.evaluate("e => e.editor.label") == 25
    assert choices.count() == 255
    painter.key("/")
    page.keyboard.type("CAFE")
    page.keyboard.press("Enter")
    painter.size(5)
    painter.click((20, 20))
    assert painter.mask()[20, 20] == 254
    painter.key("/")
    page.keyboard.type("nothing like it")
    assert page.get_by_text("No label like that.").is_visible()
