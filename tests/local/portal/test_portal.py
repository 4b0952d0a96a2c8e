"""The portal's rules: who may do what, what is refused, and how tasks come and go."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import pytest

from ground_truth_local.portal.frame import REAL_SCRIPT, TemplatePage, frame_response
from ground_truth_local.portal.sessions import Sessions
from ground_truth_local.service.store import Store
from tests.local.portal.workshop import MEMBERS, picture

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal")


class Client:
    """Plain HTTP with a cookie, as anything but a browser would speak."""

    def __init__(self, url) -> None:
        self.url = url
        self.cookie = ""

    def __call__(self, path, body=None, *, origin="", host="", kind="application/x-www-form-urlencoded"):
        headers = {"Cookie": self.cookie}
        if body is not None:
            headers |= {"Content-Type": kind, "Origin": origin or self.url}
        if host:
            headers["Host"] = host
        data = urlencode(body).encode() if isinstance(body, dict) and "json" not in kind else body
        if isinstance(data, dict):
            data = json.dumps(data).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        try:
            with _OPENER.open(request, timeout=10) as response:
                return response.status, response.headers, response.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read().decode("utf-8", "replace")

    def sign_in(self, workshop, name, team=""):
        page = self("/")[2]
        before = page[: page.index(f"{name}</button>")]
        worker = before.rpartition('name="worker" value="')[2].partition('"')[0]
        status, headers, _ = self("/sign-in", {"team": team or workshop.team, "worker": worker})
        assert status == 303
        self.cookie = headers["Set-Cookie"].partition(";")[0]
        return headers["Set-Cookie"]

    def task(self, arn):
        """Take a task of a job, as soon as there is one; return its path."""
        for _ in range(100):
            location = self("/work", {"job": arn})[1]["Location"]
            if location.startswith("/tasks/"):
                return location
        raise AssertionError("no task")

    def json(self, path, body):
        status, _, text = self(path, body, kind="application/json")
        return status, json.loads(text)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


@pytest.fixture
def client(workshop):
    return Client(workshop.aws.portal_url)


@pytest.fixture
def ada(workshop, client):
    client.sign_in(workshop, MEMBERS[0])
    return client


@pytest.fixture
def job(workshop):
    name = workshop.create(pictures={"a.jpg": picture(), "b.jpg": picture()})
    yield workshop.wait(name, "InProgress")["LabelingJobArn"]
    workshop.stop(name)


@pytest.fixture(scope="module")
def shelf(workshop):
    """Give a job with enough objects for many tests; each takes one."""
    name = workshop.create(pictures={f"{number}.jpg": picture() for number in range(20)})
    yield workshop.wait(name, "InProgress")["LabelingJobArn"]
    workshop.stop(name)


def test_the_session_cookie_is_bound_to_this_portal(workshop, client) -> None:
    cookie = client.sign_in(workshop, MEMBERS[0])
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    # Cookies don't tell ports apart, so the name does.
    assert cookie.startswith(f"worker-portal-{client.url.rpartition(':')[2]}=")
    assert client("/jobs")[0] == 200
    client("/sign-out", {})
    assert client("/jobs")[1]["Location"] == "/"


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/work", "/tasks/x/submit"])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_posts_of_other_pages_are_refused(ada, path: str, origin: str) -> None:
    status, _, text = ada(path, {"a": "b"}, origin=origin)
    assert status == 403
    assert "Only the portal" in text


def test_a_post_without_an_origin_is_refused(ada) -> None:
    request = urllib.request.Request(ada.url + "/sign-out", data=b"", headers={"Cookie": ada.cookie})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        _OPENER.open(request, timeout=10)
    assert ada("/jobs")[0] == 200


def test_a_name_that_somebody_bound_to_loopback_is_refused(client) -> None:
    assert client("/", host="evil.example")[0] == 403


def test_pages_tell_the_browser_to_be_strict(ada) -> None:
    _, headers, _ = ada("/jobs")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_without_a_session_there_is_only_the_sign_in_page(client) -> None:
    assert client("/jobs")[1]["Location"] == "/"
    assert client("/work", {"job": "x"})[0] == 401
    assert client("/sign-in", {"team": "x", "worker": "y"})[0] == 400


def test_a_task_is_its_workers_only(workshop, ada, job) -> None:
    path = ada.task(job)
    assert ada(path)[0] == 200
    grace = Client(ada.url)
    grace.sign_in(workshop, MEMBERS[1])
    for action in ("", "/frame"):
        assert grace(path + action)[0] == 409
    assert grace.json(f"{path}/submit", {"answer": {}})[0] == 400
    assert grace(f"{path}/return", {})[0] == 409
    # A reload goes on with the same task.
    assert ada.task(job) == path


def test_a_job_of_another_team_gives_no_tasks(workshop, client, job) -> None:
    team = workshop.aws.create_workteam("strangers", ["eve@example.com"])
    client.sign_in(workshop, "eve@example.com", team)
    assert "No open tasks" in client("/jobs")[2]
    assert client("/work", {"job": job})[0] == 404


def test_returned_tasks_come_again_and_declined_ones_do_not(ada, job) -> None:
    first = ada.task(job)
    name = "a.jpg" if "a.jpg" in ada(first)[2] else "b.jpg"
    assert ada(f"{first}/return", {})[1]["Location"] == "/jobs"
    assert "You returned the task." in ada("/jobs")[2]
    second = ada.task(job)
    assert second != first
    assert name in ada(second)[2]
    ada(f"{second}/decline", {})
    assert name not in ada(ada.task(job))[2]


ANSWERS = {
    "not JSON": (b"{", "not JSON"),
    "a list": ({"answer": []}, "must have the key"),
    "no answer": ({}, "must have the key"),
    "another element": ({"answer": {"x": {}}}, "must have the key"),
    "no properties": ({"answer": {"crowd-semantic-segmentation": {}}}, "inputImageProperties"),
    "no PNG": (
        {
            "answer": {
                "crowd-semantic-segmentation": {
                    "inputImageProperties": {"height": 80, "width": 120},
                    "labelMappings": {"cat": {"color": "#2ca02c"}},
                    "labeledImage": {"pngImageData": "AAAA"},
                }
            }
        },
        "not a readable PNG",
    ),
    "a foreign label": (
        {
            "answer": {
                "crowd-semantic-segmentation": {
                    "inputImageProperties": {"height": 80, "width": 120},
                    "labelMappings": {"cow": {"color": "#2ca02c"}},
                }
            }
        },
        "not one of the job's labels",
    ),
}


@pytest.mark.parametrize(("body", "message"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_not_one_is_refused(ada, shelf, body, message) -> None:
    path = ada.task(shelf)
    status, _, text = ada(f"{path}/submit", body, kind="application/json")
    assert status == 400
    assert message in text


def test_an_answer_is_limited_in_size(ada) -> None:
    body = b'"' + b"x" * (65 * 1024 * 1024) + b'"'
    # A connection that is closed while we still send is as good.
    with contextlib.suppress(ConnectionError, urllib.error.URLError):
        assert ada(f"/tasks/{'0' * 32}/submit", body, kind="application/json")[0] == 413


def test_auto_segment(ada, shelf) -> None:
    path = ada.task(shelf)
    points = [[60, 16], [60, 64], [24, 40], [96, 40]]
    status, found = ada.json(f"{path}/auto-segment", {"points": points})
    assert status == 200
    assert set(found) == {"left", "top", "png"}
    assert ada.json(f"{path}/auto-segment", {"points": points[:3]})[0] == 400


PRESIGNED = "http://127.0.0.1:1/b/k?X-Amz-Signature=0"
TEAM = "arn:aws:sagemaker:us-east-1:111122223333:workteam/private-crowd/a"
WIDGET = f'<crowd-semantic-segmentation name="m" src="{PRESIGNED}" labels="[]"></crowd-semantic-segmentation>'


@pytest.mark.parametrize(
    ("body", "team", "offered"),
    [
        (f"<crowd-form>{WIDGET}</crowd-form>", TEAM, True),
        (f"<crowd-form>{WIDGET}</crowd-form>", TEAM.replace("private-crowd", "vendor-crowd"), True),
        (f"<crowd-form>{WIDGET}</crowd-form>", TEAM.replace("private-crowd", "public-crowd"), False),
        (f"<crowd-form>{WIDGET.replace('X-Amz-Signature', 'x')}</crowd-form>", TEAM, False),
        (f"<crowd-form>{WIDGET.replace('name=', 'title=')}</crowd-form>", TEAM, False),
        (f"<crowd-form>{WIDGET.replace('labels=', 'title=')}</crowd-form>", TEAM, False),
        (f"<crowd-form>{WIDGET}{WIDGET}</crowd-form>", TEAM, False),
        (WIDGET, TEAM, False),
    ],
)
def test_the_conditions_of_auto_segment(body, team, offered: bool) -> None:
    page = TemplatePage(f'<script src="{REAL_SCRIPT}"></script>{body}')
    assert page.offers_auto_segment(team) is offered


def test_the_frame_of_a_task_has_no_origin_and_few_rights(ada, shelf) -> None:
    _, headers, text = ada(ada.task(shelf) + "/frame")
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "form-action 'none'" in policy
    assert f"frame-ancestors {ada.url}" in policy
    # This works offline: the script's address is ours.
    assert "assets.crowd.aws" not in text + policy
    assert f'<script src="{ada.url}/static/' in text
    assert headers["Referrer-Policy"] == "no-referrer"


def test_the_real_elements_are_left_where_asked_for() -> None:
    page = TemplatePage(f'<script src="{REAL_SCRIPT}"></script><crowd-form></crowd-form>')
    response = frame_response(page, portal="http://p", picture_origins=("http://s3",), real_elements=True)
    assert f'<script src="{REAL_SCRIPT}">' in response.body.decode()
    policy = response.headers["content-security-policy"]
    assert "https://assets.crowd.aws" in policy
    assert policy.startswith("sandbox allow-scripts")


def test_static_files_have_a_version_and_a_licence(ada) -> None:
    script = ada("/")[0] and ada("/jobs")[2].partition('href="/static/')[2].partition("/")[0]
    status, headers, text = ada(f"/static/{script}/LICENSE.txt")
    assert status == 200
    assert "Apache License" in text
    assert "immutable" in headers["Cache-Control"]
    for path in ("/static/x/LICENSE.txt", f"/static/{script}/../app.py", f"/static/{script}/none.js"):
        assert ada(path)[0] == 404


def test_the_clock_ends_a_task(person, workshop) -> None:
    name = workshop.create(TaskTimeLimitInSeconds=30)
    ada = person().start(name)
    ada.painter()
    assert ada.page.locator("#time").text_content().startswith("00:")
    assert ada.page.locator("#clock[data-low]").count() == 1
    ada.page.clock.install()
    ada.page.reload()
    ada.painter()
    ada.page.clock.run_for(31_000)
    assert ada.page.get_by_role("dialog", name="Time is over").is_visible()
    workshop.stop(name)


def test_declining_asks_first(person, workshop) -> None:
    name = workshop.create()
    ada = person().start(name)
    ada.painter()
    ada.page.get_by_role("button", name="Decline").click()
    dialog = ada.page.get_by_role("dialog", name="Decline this task?")
    dialog.get_by_role("button", name="Go on painting").click()
    ada.page.get_by_role("button", name="Decline").click()
    dialog.get_by_role("button", name="Decline").click()
    ada.page.wait_for_url("**/jobs")
    assert ada.page.get_by_text("You declined the task.").is_visible()
    # One worker was wanted and one has declined: the object expires, and with it the job is over.
    assert workshop.wait(name, "Completed")["LabelCounters"]["FailedNonRetryableError"] == 1


def test_a_refused_answer_is_said_and_can_be_sent_again(person, workshop) -> None:
    name = workshop.create()
    ada = person().start(name)
    painter = ada.painter()
    painter.drag((10, 10), (30, 30))
    ada.page.route("**/submit", lambda route: route.fulfill(status=400, json={"error": "Not <b>good</b>."}))
    ada.frame.get_by_role("button", name="Submit").click()
    ada.page.get_by_text("The answer was not taken: Not <b>good</b>.").wait_for()
    ada.page.unroute("**/submit")
    ada.submit()
    workshop.labeled(name)


def test_a_portal_on_a_tablet(person, workshop) -> None:
    name = workshop.create()
    ada = person(viewport=(834, 1112), has_touch=True).start(name)
    ada.painter()
    width = ada.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 834
    for label in ("Return", "Decline"):
        assert ada.page.get_by_role("button", name=label).is_visible()
    assert ada.frame.get_by_role("button", name="Submit").is_visible()
    workshop.stop(name)


def test_one_browser_may_hold_two_portals() -> None:
    store = Store(None)
    first, second = Sessions(1, store), Sessions(2, store)
    assert first.open(worker="w", name="n", team="t").partition("=")[0] != second.cookie
    assert first.find({second.cookie: "x"}) is None
    store.close()


@pytest.mark.attack("a web page", "a worker's session", attempts=2)
def test_signing_in_again_ends_the_older_session(workshop) -> None:
    first, second = Client(workshop.aws.portal_url), Client(workshop.aws.portal_url)
    first.sign_in(workshop, MEMBERS[0])
    assert first("/jobs")[0] == 200
    second.sign_in(workshop, MEMBERS[0])
    assert first("/jobs")[1]["Location"] == "/"
    assert first("/work", {"job": "x"})[0] == 401
    assert second("/jobs")[0] == 200


def test_a_session_outlives_the_server_and_is_no_secret_in_its_state(tmp_path: Path) -> None:
    store = Store(tmp_path)
    cookie = Sessions(1, store).open(worker="w", name="n", team="t").partition(";")[0]
    store.close()
    store = Store(tmp_path)
    name, _, token = cookie.partition("=")
    found = Sessions(1, store).find({name: token})
    assert found and found.worker == "w"
    assert not any(token.encode() in path.read_bytes() for path in tmp_path.iterdir())
    store.close()
