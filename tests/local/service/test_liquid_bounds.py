"""A worker template is somebody's file: no Liquid hangs the server or fills its memory."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from ground_truth_local.service.errors import JobFailure
from ground_truth_local.service.liquid_bounds import MAX_SECONDS
from ground_truth_local.service.template import MAX_TEMPLATE_BYTES, render

LONG = '{% assign x = "aaaaaaaaaa" %}{% for i in (1..16) %}{% assign x = x | append: x %}{% endfor %}'
FOR_EVER = "{{% for i in (1..90000) %}}{}{{% endfor %}}".format
BOMBS = {
    "a text doubled": '{% assign x = "a" %}{% for i in (1..90) %}{% assign x = x | append: x %}{% endfor %}',
    "a capture doubled": LONG
    + "{% for i in (1..90) %}{% capture x %}{{ x }}{{ x }}{% endcapture %}{% endfor %}",
    "a text for each letter": LONG + '{{ x | replace: "a", x | size }}',
    "a text between all letters": LONG + '{{ x | replace: "", x | size }}',
    "a thousand million elements": '{{ (1..1000000000) | join: "," | size }}',
    "a thousand million times": "{% for i in (1..1000000000) %}x{% endfor %}",
    "a thousand times three": "{% for i in (1..1000) %}" * 3 + "x" + "{% endfor %}" * 3,
    "a table of a thousand million": "{% tablerow i in (1..1000000000) %}x{% endtablerow %}",
    "a number squared": "{% assign x = 9 %}{% for i in (1..60) %}{% assign x = x | times: x %}{% endfor %}",
    "a number of many digits": "{{ " + "9" * 200_000 + " }}",
    "slow filters": LONG + FOR_EVER("{{ x | upcase | size }}"),
    "slow conditions": LONG + FOR_EVER('{% if x contains "ab" %}1{% endif %}'),
    "elements by the million": LONG + FOR_EVER('{% assign y = x | split: "" %}'),
    "blocks in blocks": "{% if true %}" * 40_000 + "{% endif %}" * 40_000,
    "parentheses": "{% if " + "(" * 50_000 + "true" + ")" * 50_000 + " %}{% endif %}",
    "brackets": "{{ a" + "[" * 50_000 + "0" + "]" * 50_000 + " }}",
    "filters in a row": '{{ "a"' + ' | append: "b"' * 50_000 + " }}",
    "conditions in a row": "{% if true" + " and true" * 90_000 + " %}{% endif %}",
    "verbatim, never closed": "{% raw %}" * 30_000,
    "many cases": "{% case 1 %}" + "{% when 2 %}a" * 60_000 + "{% endcase %}",
    "a long text in parts": '{{ "' + "a," * 500_000 + '" | split: "," | size }}',
}


@pytest.mark.attack(
    "whoever writes the worker template", "the embedded AWS's time and memory", attempts=len(BOMBS)
)
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_it_is_refused_in_time_and_memory(bomb):
    assert len(bomb) <= MAX_TEMPLATE_BYTES
    tracemalloc.start()
    started = time.thread_time()
    try:
        with pytest.raises(JobFailure, match="can't be rendered"):
            render(bomb, task_input={"labels": ["road"]}, presign=str)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Of this thread alone, so that a busy machine doesn't matter; what is compiled may go on for a while.
    assert time.thread_time() - started < 3 * MAX_SECONDS
    assert peak < 300 * 1024 * 1024


def test_what_templates_do_is_left():
    source = (
        "{% for label in task.input.labels %}<b>{{ label | upcase | append: '!' }}</b>{% endfor %}"
        "{{ task.input.labels | to_json | escape }}{{ 'a,b' | split: ',' | join: '-' | replace: '-', '+' }}"
    )
    page = render(source, task_input={"labels": ["road", "<sky>"]}, presign=str)
    assert page == "<b>ROAD!</b><b>&lt;SKY&gt;!</b>[&#34;road&#34;, &#34;\\u003csky&gt;&#34;]a+b"
