"""Pictures that somebody's reader would turn, and what headless Chromium shows of them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
PNG = b"\x89PNG"
COLORS = [(250, 20, 20), (20, 250, 20), (20, 20, 250), (250, 250, 20)]


def quarters(size):
    """A quarter of each colour, in steps of the eight pixels that a JPEG's blocks have."""
    width, height = size
    image = Image.new("RGB", size)
    for i, color in enumerate(COLORS):
        image.paste(color, (i % 2 * width // 2, i // 2 * height // 2, width, height))
    return image


def exif_note(value, order="<"):
    magic = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, value, 0)
    return magic + struct.pack(f"{order}IH", 8, 1) + entry + b"\0\0\0\0"


def jpeg_of(size, *segments):
    buffer = io.BytesIO()
    quarters(size).save(buffer, "JPEG", quality=100, subsampling=0)
    data = buffer.getvalue()
    return data[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments) + data[2:]


def png_of(size, before=(), after=()):
    buffer = io.BytesIO()
    quarters(size).save(buffer, "PNG")
    data = buffer.getvalue()
    chunks = [b"", b""]
    for i, parts in enumerate((before, after)):
        for kind, body in parts:
            chunks[i] += (
                struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            )
    return data[:33] + chunks[0] + data[33:-12] + chunks[1] + data[-12:]


def cases(size=(32, 16)):
    found = {}
    for value in range(1, 9):
        found[f"jpeg {value}"] = (jpeg_of(size, b"Exif\0\0" + exif_note(value)), value)
        found[f"jpeg big-endian {value}"] = (jpeg_of(size, b"Exif\0\0" + exif_note(value, ">")), value)
        found[f"png {value}"] = (png_of(size, [(b"eXIf", exif_note(value))]), value)
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + XMP.encode()
    text = (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP.encode())
    found["jpeg xmp alone"] = (jpeg_of(size, xmp), 1)
    found["jpeg xmp and exif"] = (jpeg_of(size, xmp, b"Exif\0\0" + exif_note(3)), 3)
    found["png xmp alone"] = (png_of(size, [text]), 1)
    found["png late exif"] = (png_of(size, after=[(b"eXIf", exif_note(6))]), 1)
    found["png late xmp"] = (png_of(size, after=[text]), 1)
    late = b"Exif\0\0" + exif_note(6)
    plain = jpeg_of(size)
    noted = b"\xff\xe1" + struct.pack(">H", len(late) + 2) + late
    found["jpeg exif after the pixels"] = (plain[:-2] + noted + plain[-2:], 1)
    found["jpeg two exifs"] = (jpeg_of(size, b"Exif\0\0" + exif_note(3), late), 3)
    for value in (0, 9):
        found[f"jpeg {value}"] = (jpeg_of(size, b"Exif\0\0" + exif_note(value)), 1)
    return found


CASES = cases()

CELL, ACROSS = 40, 12
PAINT = """
async ([urls, rule, cell, across]) => {
  document.body.replaceChildren();
  document.body.style.background = "white";
  await Promise.all(urls.map((url, i) => {
    const image = new Image();
    image.style.cssText = `position: absolute; left: ${i % across * cell}px; image-orientation: ${rule};
      top: ${Math.floor(i / across) * cell}px; image-rendering: pixelated`;
    image.src = url;
    document.body.append(image);
    return image.decode();
  }));
  return urls.map((_, i) => [document.images[i].width, document.images[i].height]);
}
"""


def paint_in_chromium(browser, files):
    """Name → what Chromium shows of a file: as it does by default, and with `image-orientation: none`."""
    names = list(files)
    pictures: dict[str, list[Any]] = {name: [] for name in names}
    here = "http://127.0.0.1:9/"

    def answer(route) -> None:
        path = route.request.url.removeprefix(here)
        if not path:
            route.fulfill(body="<body></body>", content_type="text/html")
            return
        data = files[names[int(path)]]
        route.fulfill(body=data, content_type="image/png" if data.startswith(PNG) else "image/jpeg")

    page = browser.new_page()
    # Nothing listens there: a browser honours `none` for images of the page's own origin alone.
    page.route("**/*", answer)
    page.goto(here)
    urls = [here + str(i) for i in range(len(names))]
    for rule in ("from-image", "none"):
        sizes = page.evaluate(PAINT, [urls, rule, CELL, ACROSS])
        sheet = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        for i, (name, (width, height)) in enumerate(zip(names, sizes, strict=True)):
            top, left = i // ACROSS * CELL, i % ACROSS * CELL
            pictures[name].append(sheet[top : top + height, left : left + width])
    page.close()
    return pictures


def near(a, b):
    """The same but for what two JPEG decoders round differently."""
    return a.shape == b.shape and np.abs(np.asarray(a, int) - np.asarray(b, int)).max() <= 3
