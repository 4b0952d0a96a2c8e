"""Nothing that a job, a file name or an answer holds becomes script in the portal, nor where text belongs.

A payload that runs calls ``pwned()``, which every frame of the browser has; a control shows that it is seen.
"""

from __future__ import annotations

import pytest

from tests.local.portal.workshop import SEED, picture

# One worker of pytest-xdist, so that one embedded AWS does for all.
pytestmark = pytest.mark.xdist_group("portal")

PAYLOADS = [
    "<script>pwned()</script>",
    "</script><script>pwned()</script>",
    "<img src=x onerror=pwned()>",
    "\"><svg onload=pwned()>",
    "' onmouseover='pwned()' autofocus onfocus='pwned()' x='",
    "javascript:pwned()",
    "</title><script>pwned()</script>",
    "<iframe srcdoc='<script>parent.pwned()</script>'></iframe>",
    "{{ '<script>pwned()</script>' }}{% raw %}{{ x }}{% endraw %}",
    "${pwned()}`+pwned()+`",
    "&lt;script&gt;pwned()&lt;/script&gt;",
    "\\u003cscript\\u003epwned()\\u003c/script\\u003e",
    "<b>bold</b>",
]  # fmt: skip
IN_A_SCRIPT = SEED + "<script>window.labels = {{ task.input.labels | to_json | skip_autoescape }};</script>"


@pytest.fixture
def watched(person):
    """Give a function that signs somebody in whose browser notes each call of ``pwned``."""
    calls = []

    def sign_in():
        one = person()
        one.context.expose_binding("pwned", lambda source, *_: calls.append(source["frame"].url))
        return one, calls

    return sign_in


def test_the_control_is_seen(watched, workshop) -> None:
    name = workshop.create(SEED + "<script>pwned()</script>")
    ada, calls = watched()
    ada.start(name).painter()
    ada.page.evaluate("pwned()")
    # In the template's own frame, and in the portal.
    assert len(calls) == 2
    workshop.stop(name)


@pytest.mark.attack("whoever writes labels and instructions", "a worker's browser", attempts=len(PAYLOADS))
def test_labels_titles_and_descriptions_are_text(watched, workshop) -> None:
    name = workshop.create(
        IN_A_SCRIPT,
        labels=PAYLOADS,
        TaskTitle="<img src=x onerror=pwned()></title><script>pwned()</script>",
        TaskDescription="\"'><svg onload=pwned()>{{ 7 | plus: 7 }}",
    )
    ada, calls = watched()
    ada.start("<img src=x onerror=pwned()></title><script>pwned()</script>")
    painter = ada.painter()
    shown = ada.frame.get_by_role("radiogroup", name="Label").locator(".name").all_text_contents()
    assert shown == PAYLOADS
    assert painter.frame.locator("body").evaluate("() => window.labels") == PAYLOADS
    for number in range(1, len(PAYLOADS) + 1):
        painter.widget.evaluate("(e, id) => e.editor.setLabel(id)", number)
        painter.drag((5 + 8 * number, 10), (5 + 8 * number, 70))
    ada.page.wait_for_timeout(300)
    ada.submit()
    ada.page.wait_for_timeout(300)
    lines = workshop.labeled(name)
    classes = lines[0][f"{name}-ref-metadata"]["internal-color-map"].values()
    assert [entry["class-name"] for entry in classes][1:] == PAYLOADS
    assert calls == []


@pytest.mark.attack("whoever writes a manifest", "a worker's browser", attempts=len(PAYLOADS))
def test_file_names_are_text(watched, workshop) -> None:
    names = [
        "<img src=x onerror=pwned()>.jpg",
        '"><svg onload=pwned()>.jpg',
        "{{ 7 }}'--><script>pwned()</script>.jpg",
    ]
    job = workshop.create(
        SEED + "<p id='name'>{{ task.input.taskObject }}</p>", pictures={one: picture() for one in names}
    )
    ada, calls = watched()
    ada.start(job)
    for one in names:
        painter = ada.painter()
        assert one.rpartition("/")[2] in ada.page.locator(".task-title").text_content()
        assert ada.frame.locator("#name").text_content() == f"s3://pictures/{job}/{one}"
        painter.drag((10, 10), (40, 40))
        ada.submit()
    ada.page.wait_for_timeout(300)
    assert len(workshop.labeled(job)) == 3
    assert calls == []


@pytest.mark.attack("a worker", "the portal", attempts=len(PAYLOADS))
def test_answers_are_text_where_they_are_refused(watched, workshop) -> None:
    name = workshop.create()
    ada, calls = watched()
    ada.start(name).painter()
    for payload in PAYLOADS:
        ada.frame.locator("body").evaluate(
            """(_, label) => parent.postMessage({ crowd: "submit", id: 0, content: { answer: {
              "crowd-semantic-segmentation": { inputImageProperties: { height: 80, width: 120 },
                labelMappings: { [label]: { color: label } } } } } }, "*")""",
            payload,
        )
        ada.page.locator("#banner", has_text="not one of the job's labels").wait_for()
        ada.page.evaluate("document.getElementById('banner').textContent = ''")
    ada.page.wait_for_timeout(300)
    assert calls == []
    workshop.stop(name)


ESCAPES = {
    "the portal's document": "parent.document.title",
    "its cookies": "document.cookie",
    "its storage": "parent.localStorage.length",
    "its address": "top.location.href = 'about:blank'",
    "its pages": "(await fetch(script.origin + '/jobs', {credentials: 'include'})).text()",
    "posts to it": "(await fetch(script.origin + '/sign-out', {method: 'POST', body: 'x'})).text()",
    "other servers": "(await fetch('http://127.0.0.1:9/')).text()",
    "a window": "open('about:blank').document.title",
}


@pytest.mark.attack("whoever writes labels and instructions", "the portal")
def test_a_templates_script_stays_in_its_frame(watched, workshop) -> None:
    name = workshop.create(SEED)
    ada, _ = watched()
    ada.start(name).painter()
    body = ada.frame.locator("body")
    assert body.evaluate("() => self.origin") == "null"
    for what, code in ESCAPES.items():
        result = body.evaluate(
            f"""async () => {{
              const script = new URL(document.querySelector("script").src);
              try {{ return String({code}); }} catch (error) {{ return "refused " + error.name; }}
            }}"""
        )
        assert result.startswith("refused"), what
    # Nor does a form of the template leave the frame.
    body.evaluate(
        """(body) => {
          const form = Object.assign(document.createElement("form"), { method: "post", target: "_top" });
          form.action = new URL(document.querySelector("script").src).origin + "/sign-out";
          body.append(form);
          form.submit();
        }"""
    )
    ada.page.wait_for_timeout(300)
    assert "/tasks/" in ada.page.url
    ada.page.goto(f"{ada.url}/jobs")
    assert ada.page.get_by_text("Sign out").is_visible()
    workshop.stop(name)


# Again and again: the page around may not listen yet when it is tried first.
LOADS = '<script>setInterval(() => { fetch("http://127.0.0.1:9/x").catch(() => {}); }, 500)</script>'


@pytest.mark.attack("whoever writes labels and instructions", "a worker's browser")
def test_what_a_template_may_not_load_is_said(watched, workshop) -> None:
    name = workshop.create(SEED + LOADS)
    ada, _ = watched()
    try:
        ada.start(name).painter()
        ada.page.get_by_text("The template loads http://127.0.0.1:9/x").wait_for()
    finally:
        # Others would find its task.
        workshop.stop(name)
