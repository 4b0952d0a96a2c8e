"""A small S3 of many keys and one image, on a loopback port in a process of its own.

Listings are made beforehand, so that what is measured is the client: ours, or the one it is compared with.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import escape

from .side_by_side import ROOT

BUCKET = "photos"
#: Keys of the bucket's whole range are `<folder>/<number>.jpg`.
FOLDERS = 20
_PAGE = 1_000


def keys(count: int) -> list[str]:
    """As a camera's folders hold them, in S3's order."""
    per_folder = count // FOLDERS
    return [f"2026-{folder:02}/IMG {n:06}.jpg" for folder in range(FOLDERS) for n in range(per_folder)]


@contextmanager
def serving(count: int, archive: Path | None = None) -> Iterator[str]:
    """Serve that many keys, and an archive for any key that ends in .zip; the endpoint's URL."""
    command = [sys.executable, "-m", "benchmarks.s3_stub", str(count), *([str(archive)] if archive else [])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class _Keys:
    def __init__(self, count: int) -> None:
        self._all = keys(count)
        self._below: dict[str, list[str]] = {}
        self._pages: dict[tuple[str, str, str], bytes] = {}

    def page(self, prefix: str, delimiter: str, token: str) -> bytes:
        key = (prefix, delimiter, token)
        if key not in self._pages:
            self._pages[key] = self._made(*key)
        return self._pages[key]

    def _made(self, prefix: str, delimiter: str, token: str) -> bytes:
        if prefix not in self._below:
            self._below[prefix] = [key for key in self._all if key.startswith(prefix)]
        found = self._below[prefix]
        if delimiter:
            folders = sorted({key[: key.index("/", len(prefix)) + 1] for key in found})
            return _xml(
                "".join(f"<CommonPrefixes><Prefix>{_text(f)}</Prefix></CommonPrefixes>" for f in folders), ""
            )
        start = int(token or 0)
        listed, end = found[start : start + _PAGE], start + _PAGE
        body = "".join(
            f"<Contents><Key>{_text(key)}</Key><LastModified>2026-11-23T08:00:00.000Z</LastModified>"
            f'<ETag>"0123456789abcdef0123456789abcdef"</ETag><Size>2000000</Size>'
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key in listed
        )
        return _xml(body, str(end) if end < len(found) else "")


def _xml(body: str, token: str) -> bytes:
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    truncated = str(bool(token)).lower()
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>'
        f"<EncodingType>url</EncodingType><IsTruncated>{truncated}</IsTruncated>{more}{body}</ListBucketResult>"
    ).encode()


def _text(key: str) -> str:
    return escape(quote(key, safe="/"))


def _serve(count: int, image: bytes, archive: str) -> None:
    listing = _Keys(count)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            if "list-type" in query:
                get = {
                    name: query.get(name, [""])[0] for name in ("prefix", "delimiter", "continuation-token")
                }
                return self._answer(200, listing.page(*get.values()))
            if path.endswith(".manifest"):
                return self._answer(200, manifest)
            size = self._size()
            span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            first, last = (int(span[1]), min(int(span[2]), size - 1)) if span else (0, size - 1)
            return self._answer(206, self._piece(first, last), f"bytes {first}-{last}/{size}")

        def _size(self) -> int:
            return os.path.getsize(archive) if urlsplit(self.path).path.endswith(".zip") else len(image)

        def _piece(self, first: int, last: int) -> bytes:
            if not urlsplit(self.path).path.endswith(".zip"):
                return image[first : last + 1]
            with open(archive, "rb") as file:
                file.seek(first)
                return file.read(last + 1 - first)

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(self._size()))
            self.end_headers()

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(200, b"")

        def _answer(self, status: int, body: bytes, span: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amz-bucket-region", "eu-west-1")
            if span:
                self.send_header("Content-Range", span)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    manifest = "".join(f'{{"source-ref": "s3://{BUCKET}/{key}"}}\n' for key in keys(count)).encode()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    from tests.corpus import pictures

    # A camera's file: 30 KB of EXIF with a preview before the size, 2 MB in all.
    photo = pictures.with_segments(b"Exif\0\0" + b"\0" * 30_000, marker=0xE1)
    _serve(int(sys.argv[1]), photo + b"\0" * (2_000_000 - len(photo)), *(sys.argv[2:] or [""]))
