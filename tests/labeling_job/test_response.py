from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from labeling_job import entry
from labeling_job.event import issued_at
from tests.labeling_job.fakes import STACK, parsed


class Server(HTTPServer):
    refuse = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.answers: list[tuple[str, Any]] = []
        self.sizes: list[int] = []


@pytest.fixture
def cloudformation():
    """A loopback server that refuses the first `refuse` answers and keeps the rest."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.sizes.append(len(body))
            if server.refuse:
                server.refuse -= 1
                self.send_response(503)
            else:
                server.answers.append((self.headers["Content-Type"], json.loads(body)))
                self.send_response(200)
            self.end_headers()

        def log_message(self, *args) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url(server) -> str:
    return f"http://127.0.0.1:{server.server_port}/answer"


def test_the_answer_names_the_request(cloudformation) -> None:
    body = entry.answer(parsed(), status="SUCCESS", physical_id="job", data={"JobArn": "arn"})
    entry.send(url(cloudformation), body)
    [(content_type, sent)] = cloudformation.answers
    assert content_type == ""  # a presigned URL is signed without one
    assert sent["RequestId"] == "request-1" and sent["Data"] == {"JobArn": "arn"}


def test_a_lost_answer_is_sent_again(cloudformation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    cloudformation.refuse = 3
    entry.send(url(cloudformation), {"Status": "SUCCESS"})
    assert len(cloudformation.answers) == 1


def test_it_gives_up_after_five_tries(cloudformation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    cloudformation.refuse = 5
    with pytest.raises(OSError, match="503"):
        entry.send(url(cloudformation), {"Status": "SUCCESS"})


#: They take one to four bytes in UTF-8 or an escape in JSON; the last two are half a surrogate pair and a
#: line separator.
ALPHABETS = ["a", "ü", "Ж", "路", "🚗", '"', "\\", "\n", "\x00", "\ud83d", "\u2028"]


@pytest.mark.attack("whoever writes a manifest", "the handler's answer", attempts=len(ALPHABETS))
@pytest.mark.parametrize("letter", ALPHABETS)
def test_an_answer_has_at_most_the_bytes_that_cloudformation_takes(cloudformation, letter) -> None:
    long = {"stack_id": STACK + letter * 100, "request_id": "r" * 36, "logical_id": "L" * 255}
    reason = f"Preflight: 1 error. ERROR image-exists line 1: {letter * 4_000}"
    body = entry.answer(
        replace(parsed(), **long), status="FAILED", physical_id="streets-" + "f" * 55, reason=reason
    )
    entry.send(url(cloudformation), body)
    [(_, received)] = cloudformation.answers
    assert received == body
    assert cloudformation.sizes[0] <= 4_096
    assert body["Reason"].startswith(reason[:300]) and body["Reason"].endswith("… (cut)")


@pytest.mark.parametrize("letter", ALPHABETS)
def test_a_reason_that_fits_is_whole(letter) -> None:
    reason = letter * 200
    assert entry.answer(parsed(), status="FAILED", physical_id="job", reason=reason)["Reason"] == reason


@pytest.mark.parametrize(
    ("query", "issued"),
    [
        ("?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261123T080102Z&X-Amz-Expires=7200", (8, 1, 2)),
        ("?AWSAccessKeyId=x&Expires=1795420800&Signature=y", None),
        ("", None),
    ],
)
def test_a_presigned_url_says_when_it_was_issued(query: str, issued) -> None:
    found = issued_at(f"https://bucket.s3.eu-west-1.amazonaws.com/stack{query}")
    assert (found and (found.hour, found.minute, found.second)) == issued
