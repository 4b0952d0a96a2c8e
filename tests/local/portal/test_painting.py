"""The elements by themselves: what a person does with mouse and keys, and what is answered."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.local.portal.painter import WIDGET, Painter, decode, template, write_picture

LABELS = ["cat", "dog's <b>", "bird"]


@pytest.fixture
def painter(page, static_server, tmp_path: Path):
    write_picture(tmp_path / "photo.png")
    (tmp_path / "index.html").write_text(template("photo.png", LABELS))
    page.goto(f"{static_server}/index.html")
    return Painter(page).wait()


def circle(center, radius, shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return (x - center[0]) ** 2 + (y - center[1]) ** 2 <= radius**2


def test_the_answer_is_exactly_the_documented_one(painter) -> None:
    painter.size(21)
    painter.drag((100, 100), (200, 120))
    painter.key("3")
    painter.drag((300, 300), (320, 200))
    answer = painter.answer()
    assert list(answer) == ["inputImageProperties", "labelMappings", "labeledImage"]
    assert answer["inputImageProperties"] == {"height": 400, "width": 600}
    assert answer["labelMappings"] == {
        "cat": {"color": "#2ca02c"},
        "dog's <b>": {"color": "#1f77b4"},
        "bird": {"color": "#ff7f0e"},
    }
    assert list(answer["labeledImage"]) == ["pngImageData"]
    ids = decode(answer, LABELS)
    assert set(np.unique(ids)) == {0, 1, 3}
    assert (ids == painter.mask()).all()


def test_a_brush_dot_is_a_disc_of_its_size(painter) -> None:
    painter.size(41)
    painter.click((150, 90))
    expected = circle((150, 90), 20.5, (400, 600))
    assert (painter.mask() == expected).mean() > 0.9999
    painter.key("Control+z")
    painter.size(1)
    painter.click((7, 9))
    assert np.argwhere(painter.mask()).tolist() == [[9, 7]]


def test_polygon_and_eraser_and_fill(painter) -> None:
    painter.key("2")
    painter.tool("polygon")
    painter.click((100, 100), (300, 100), (300, 200))
    painter.click((100, 200))
    painter.key("Enter")
    mask = painter.mask()
    assert mask[150, 200] == 2
    assert abs((mask == 2).sum() - 200 * 100) < 700
    painter.tool("eraser")
    painter.size(20)
    painter.drag((200, 90), (200, 210))
    assert painter.mask()[150, 200] == 0
    painter.key("f", "1")
    painter.click((120, 150))
    mask = painter.mask()
    # Only the half on this side of the erased line.
    assert mask[150, 120] == 1
    assert mask[150, 280] == 2


def test_a_polygon_closes_on_its_first_corner_and_gives_corners_back(painter) -> None:
    painter.tool("polygon")
    painter.click((50, 50), (150, 50), (300, 300))
    painter.key("Backspace")
    painter.click((150, 150), (51, 51))
    mask = painter.mask()
    assert mask[80, 120] == 1
    assert mask[200, 220] == 0
    painter.click((400, 100), (500, 100), (500, 200))
    painter.key("Escape", "Enter")
    assert (painter.mask() == mask).all()


def test_undo_and_redo(painter) -> None:
    painter.size(30)
    states = [painter.mask()]
    for row in (60, 140, 220):
        painter.drag((50, row), (550, row))
        states.append(painter.mask())
    for state in reversed(states[:-1]):
        painter.key("Control+z")
        assert (painter.mask() == state).all()
    for state in states[1:]:
        painter.key("Control+y")
        assert (painter.mask() == state).all()
    painter.key("Control+z")
    painter.key("2")
    painter.drag((50, 300), (550, 300))
    assert painter.frame.get_by_role("button", name="Redo").is_disabled()


def test_zoomed_in_each_pixel_can_be_met(painter) -> None:
    painter.page.mouse.move(*painter.at(300, 200))
    for _ in range(12):
        painter.page.mouse.wheel(0, -200)
    painter.size(1)
    painter.click((301, 203))
    painter.click((303, 201))
    assert np.argwhere(painter.mask()).tolist() == [[201, 303], [203, 301]]
    painter.key("h")
    before = painter.at(300, 200)
    painter.drag((300, 200), (303, 202))
    after = painter.at(300, 200)
    assert after[0] > before[0] and after[1] > before[1]
    painter.key("w")
    assert painter.frame.locator(".zoom output").text_content() != "4000 %"


def test_painting_without_a_pointer(painter) -> None:
    painter.size(9)
    painter.surface.focus()
    painter.key("ArrowRight", "ArrowDown")
    painter.page.keyboard.down(" ")
    painter.key("Shift+ArrowRight", "Shift+ArrowRight")
    painter.page.keyboard.up(" ")
    mask = painter.mask()
    ys, xs = np.nonzero(mask)
    assert xs.max() - xs.min() > 40
    assert ys.max() - ys.min() < 12


def test_labels_and_tools_are_radio_groups_with_names(painter) -> None:
    group = painter.frame.get_by_role("radiogroup", name="Label")
    radios = group.get_by_role("radio")
    assert [radio.text_content() for radio in radios.all()] == ["cat1", "dog's <b>2", "bird3"]
    painter.key("2")
    assert radios.nth(1).get_attribute("aria-checked") == "true"
    radios.nth(1).focus()
    painter.key("ArrowDown")
    assert radios.nth(2).get_attribute("aria-checked") == "true"
    assert painter.frame.get_by_role("radio", name="Auto-segment").count() == 0
    painter.frame.get_by_role("radio", name="Eraser").click()
    radios.nth(0).click()
    # Whoever picks a label wants to paint with it.
    assert (
        painter.frame.get_by_role("radio", name="Brush", exact=True).get_attribute("aria-checked") == "true"
    )
    for button in painter.frame.get_by_role("button").all():
        assert button.get_attribute("aria-label") or button.text_content()


def test_instructions(painter) -> None:
    assert painter.frame.get_by_text("Short.").is_visible()
    assert not painter.frame.get_by_text("All of it.").is_visible()
    painter.frame.get_by_role("button", name="View full instructions").click()
    assert painter.frame.get_by_role("dialog", name="How to paint").is_visible()
    assert painter.frame.get_by_text("All of it.").is_visible()
    painter.key("2")
    painter.key("Escape")
    assert not painter.frame.get_by_text("All of it.").is_visible()
    # Keys belong to the dialog while it is open.
    assert painter.widget.evaluate("e => e.editor.label") == 1


def test_a_form_asks_before_it_sends_an_empty_mask(painter) -> None:
    painter.page.evaluate(
        "document.addEventListener('crowd-answer', (event) => { window.answer = event.detail; })"
    )
    painter.frame.get_by_role("button", name="Submit").click()
    dialog = painter.frame.get_by_role("dialog", name="Nothing is painted")
    dialog.get_by_role("button", name="Go on painting").click()
    assert painter.page.evaluate("window.answer") is None
    painter.frame.get_by_role("button", name="Submit").click()
    dialog.get_by_role("button", name="Submit as background").click()
    painter.page.wait_for_function("window.answer")
    answer = painter.page.evaluate("window.answer")
    assert list(answer) == ["mask"]
    assert not decode(answer["mask"], LABELS).any()


def test_fingers_zoom_and_paint(browser: Any, static_server, tmp_path: Path) -> None:
    write_picture(tmp_path / "photo.png")
    (tmp_path / "index.html").write_text(template("photo.png", LABELS))
    context = browser.new_context(viewport={"width": 834, "height": 1112}, has_touch=True)
    page = context.new_page()
    page.goto(f"{static_server}/index.html")
    painter = Painter(page).wait()
    session = context.new_cdp_session(page)

    def touch(kind, *points) -> None:
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]},
        )

    scale = painter.widget.evaluate("e => e.editor.viewport.scale")
    first, second = painter.at(250, 200), painter.at(350, 200)
    touch("touchStart", first)
    touch("touchStart", first, second)
    touch("touchMove", (first[0] - 60, first[1]), (second[0] + 60, second[1]))
    touch("touchEnd")
    assert painter.widget.evaluate("e => e.editor.viewport.scale") > scale * 1.5
    assert not painter.mask().any()
    touch("touchStart", painter.at(280, 200))
    touch("touchMove", painter.at(320, 210))
    touch("touchEnd")
    assert painter.mask()[200, 281] == 1
    page.get_by_role("button", name="Instructions", exact=True).click()
    assert page.get_by_text("Short.").is_visible()
    context.close()


def test_an_adjustment_starts_from_the_prior_mask(page, static_server, tmp_path: Path) -> None:
    from PIL import Image

    write_picture(tmp_path / "photo.png", (60, 40))
    prior = np.full((40, 60, 3), 255, np.uint8)
    prior[10:20, 10:30] = (0xAB, 0xCD, 0xEF)
    Image.fromarray(prior).convert("P", palette=Image.Palette.ADAPTIVE).save(tmp_path / "prior.png")
    initial = "{ 'src': 'prior.png', 'labelMappings': { 'bird': { 'color': '#ABCDEF' }, } }"
    html = template("photo.png", LABELS, attributes=f'initial-value="{initial}"')
    (tmp_path / "index.html").write_text(html)
    page.goto(f"{static_server}/index.html")
    painter = Painter(page).wait()
    answer = painter.answer()
    assert list(answer) == [
        "inputImageProperties",
        "labelMappings",
        "labeledImage",
        "initialValueModified",
    ]
    assert answer["initialValueModified"] is False
    assert answer["labelMappings"]["bird"] == {"color": "#abcdef"}
    assert len({mapping["color"] for mapping in answer["labelMappings"].values()}) == 3
    expected = np.zeros((40, 60), np.uint8)
    expected[10:20, 10:30] = 3
    assert (decode(answer, LABELS) == expected).all()
    painter.size(5)
    painter.click((40, 30))
    assert painter.answer()["initialValueModified"] is True
    painter.key("Control+z")
    assert painter.answer()["initialValueModified"] is False


INITIAL = 'labels="[\'a\']" initial-value="{}"'
MISTAKES = {
    "labels not JSON": ('labels="cat, dog"', "JSON list of strings"),
    "no label": ('labels="[]"', "at least one string"),
    "a label twice": ("labels=\"['a', 'a']\"", "names a label twice"),
    "a label that is a number": ('labels="[1]"', "JSON list of at least one string"),
    "initial-value of another form": (INITIAL.format("{'src': 1}"), "initial-value must be"),
    "initial-value not JSON": (INITIAL.format("{'src"), "initial-value is not JSON"),
    "a prior mask of another size": (
        INITIAL.format("{'src': 'small.png', 'labelMappings': {}}"),
        "The mask in initial-value has 30 by 20",
    ),
    "a prior mask in other colours": (
        INITIAL.format("{'src': 'other.png', 'labelMappings': {}}"),
        "colour that its labelMappings lack",
    ),
    "a missing picture": ('labels="[\'a\']" src="missing.png"', "answered 404"),
    "not a picture": ('labels="[\'a\']" src="index.html"', "not a picture that a browser can show"),
    "no src": ('labels="[\'a\']" src=""', "has no src"),
}


@pytest.mark.parametrize(("attributes", "message"), MISTAKES.values(), ids=MISTAKES)
def test_what_a_template_gets_wrong_is_said_plainly(
    page, static_server, tmp_path: Path, attributes, message
) -> None:
    write_picture(tmp_path / "photo.png", (60, 40))
    write_picture(tmp_path / "small.png", (30, 20))
    write_picture(tmp_path / "other.png", (60, 40))
    source = "" if "src=" in attributes.replace("'src", "") else 'src="photo.png"'
    (tmp_path / "index.html").write_text(
        '<!doctype html><script src="/static/crowd-html-elements.js"></script><crowd-form>'
        f'<{WIDGET} name="m" {source} {attributes}></{WIDGET}></crowd-form>'
    )
    page.goto(f"{static_server}/index.html")
    Painter(page).wait("error")
    assert message in page.get_by_role("alert").text_content()


@pytest.mark.parametrize(
    ("path", "message"), [("no-cors.png", "has no CORS rule"), ("gone.png", "could not be")]
)
def test_a_picture_that_cors_hides_says_so(
    page, static_server, tmp_path: Path, path: str, message: str
) -> None:
    write_picture(tmp_path / "no-cors.png")
    foreign = static_server.replace("127.0.0.1", "localhost")
    (tmp_path / "index.html").write_text(template(f"{foreign}/no-cors/{path}", ["a"]))
    (tmp_path / "no-cors").mkdir()
    write_picture(tmp_path / "no-cors" / "no-cors.png")
    page.route("**/localhost:*/**", lambda route: route.continue_())
    page.goto(f"{static_server}/index.html")
    Painter(page).wait("error")
    assert message in page.get_by_role("alert").text_content()


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png"])
def test_the_picture_is_shown_as_it_is_stored(page, static_server, tmp_path: Path, name: str) -> None:
    """Whatever its camera noted: workers of the service see and paint the stored pixels (sms-cors-update)."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.full((40, 60, 3), 30, np.uint8)
    pixels[:20, :30] = (250, 20, 20)
    Image.fromarray(pixels).save(tmp_path / name, exif=exif)
    (tmp_path / "index.html").write_text(template(name, LABELS))
    page.goto(f"{static_server}/index.html")
    painter = Painter(page).wait()
    assert painter.answer()["inputImageProperties"] == {"height": 40, "width": 60}
    shown = page.screenshot()
    colour = np.asarray(Image.open(io.BytesIO(shown)).convert("RGB"))
    for place, red in {(5, 5): True, (25, 15): True, (45, 5): False, (5, 30): False}.items():
        x, y = (round(part) for part in painter.at(*place))
        assert (colour[y, x, 0] > 150) == red, place
