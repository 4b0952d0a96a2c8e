"""Drives the painting elements as a person would, with mouse and keys."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
from PIL import Image

WIDGET = "crowd-semantic-segmentation"
READ_MASK = """element => {
  const { data, width, height } = element.mask;
  let text = "";
  for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
  return { bytes: btoa(text), width, height };
}"""


def template(src, labels, *, header="Paint", extra="", attributes="") -> str:
    """Return a page with the elements, as a rendered template would be."""
    quoted = json.dumps(labels).replace('"', "&quot;")
    return f"""<!doctype html><meta charset="utf-8"><script src="/static/crowd-html-elements.js"></script>
<crowd-form><{WIDGET} name="mask" src="{src}" header="{header}" labels="{quoted}" {attributes}>
<full-instructions header="How to paint"><p>All of it.</p></full-instructions>
<short-instructions><p>Short.</p></short-instructions></{WIDGET}>{extra}</crowd-form>"""


def write_picture(path, size=(600, 400), *, mode="RGB", **options):
    """Write a picture of a gradient; return its path."""
    ramp = np.linspace(0, 255, size[0], dtype=np.uint8)[None, :].repeat(size[1], axis=0)
    Image.fromarray(np.stack([ramp, ramp[::-1], ramp // 2 + 60], axis=-1)).convert(mode).save(path, **options)
    return path


class Painter:
    """The segmentation element on a page or in a frame."""

    def __init__(self, page, frame=None) -> None:
        self.page = page
        self.frame = frame or page
        self.widget = self.frame.locator(WIDGET)
        self.surface = self.frame.locator(".surface")

    def wait(self, state="ready"):
        self.frame.locator(f'{WIDGET}[data-state="{state}"]').wait_for(timeout=15_000)
        return self

    def at(self, x, y):
        """Return the page coordinates of the middle of a pixel of the picture."""
        return self._places([(x, y)])[0]

    def _places(self, points):
        view = self.widget.evaluate(
            "e => ({ x: e.editor.viewport.x, y: e.editor.viewport.y, scale: e.editor.viewport.scale,"
            " ratio: e.editor.pixelRatio })"
        )
        box = self.surface.bounding_box()
        scale, ratio = view["scale"], view["ratio"]
        left, top = box["x"] + view["x"] / ratio, box["y"] + view["y"] / ratio
        return [(left + (x + 0.5) * scale / ratio, top + (y + 0.5) * scale / ratio) for x, y in points]

    def drag(self, *points, steps=6) -> None:
        first, *others = self._places(points)
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for place in others:
            self.page.mouse.move(*place, steps=steps)
        self.page.mouse.up()

    def click(self, *points) -> None:
        for place in self._places(points):
            self.page.mouse.click(*place)

    def key(self, *keys) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tool(self, name) -> None:
        self.frame.locator(f'[data-tool="{name}"]').first.click()

    def size(self, pixels) -> None:
        self.widget.evaluate("(e, size) => e.editor.setSize(size)", pixels)

    def mask(self):
        """Return the class ids that the element holds, straight from its buffer."""
        found = self.widget.evaluate(READ_MASK)
        data = np.frombuffer(base64.b64decode(found["bytes"]), np.uint8)
        return data.reshape(found["height"], found["width"])

    def answer(self):
        return self.widget.evaluate("e => e.getAnswer()")


def decode(answer, labels):
    """Return the class ids of an answer, read by colour with Pillow: an independent decoder."""
    image = Image.open(io.BytesIO(base64.b64decode(answer["labeledImage"]["pngImageData"])))
    assert image.format == "PNG"
    pixels = np.asarray(image.convert("RGBA")).astype(int)
    ids = np.zeros(pixels.shape[:2], np.uint8)
    known = pixels[..., 3] == 0
    for number, label in enumerate(labels, start=1):
        color = int(answer["labelMappings"][label]["color"][1:], 16)
        packed = (pixels[..., 0] << 16) + (pixels[..., 1] << 8) + pixels[..., 2]
        here = (packed == color) & (pixels[..., 3] == 255)
        ids[here] = number
        known |= here
    assert known.all()
    return ids
