"""A worker template is somebody's file: whatever it has, time and memory are bounded, and it says why."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest

from ground_truth_local.service import template
from ground_truth_local.service.errors import JobFailure

_GROW = '{%% assign a = "%s" %%}{%% for i in (1..60) %%}{%% assign a = a | %s %%}{%% endfor %%}{{ a | size }}'
_LIST = '{% assign l = "a,b" | split: "," %}{% for i in (1..40) %}{% assign l = l | concat: l %}{% endfor %}'
HOSTILE = {
    "many outputs": "{{ a }}" * 200_000,
    "many tags": "{% assign x = 1 %}" * 50_000,
    "a chain of filters": "{{ a" + " | upcase" * 100_000 + " }}",
    "parentheses around a name": "{% if " + "(" * 50_000 + "a" + ")" * 50_000 + "%}{% endif %}",
    "tags that don't end": "{{" * 500_000,
    "blanks": ("{{-" + " " * 4_900 + "-}}") * 100,
    "lines": ("{% liquid " + "\n" * 4_900 + "%}") * 100,
    "a path": "{{ a" + ".b" * 300_000 + " }}",
    "brackets around names": "{{ a" + "[b" * 2_400 + "]" * 2_400 + " }}",
    "raw without an end": "{% raw %}" * 9_000,
    "doc without an end": "{% doc %}" * 9_000,
    "comments without an end": "{% comment %}" * 9_000,
    "blocks in blocks": "{% if a %}" * 9_900,
    "a number": "{{ " + "9" * 4_900 + " }}",
    "append": _GROW % ("xx", "append: a"),
    "prepend": _GROW % ("xx", "prepend: a"),
    "replace": _GROW % ("x", "replace: 'x', 'xxxxxxxxxxxxxxxxxxxx'"),
    "replace by itself": _GROW % ("xx", "replace: 'x', a"),
    "replace nothing": _GROW % ("xx", "replace: '', a"),
    "times": _GROW % ("99", "times: a"),
    "plus": _GROW % ("1e999999", "plus: 1 | floor"),
    "capture": "{% for i in (1..60) %}{% capture a %}{{ a }}{{ a }}x{% endcapture %}{% endfor %}",
    "join": _LIST + "{{ l | join: 'x' | size }}",
    "a range": "{{ (1..9999999999) | join: '' | size }}",
    "a range in reverse": "{% assign r = (1..99999999) %}{{ r | reverse | size }}",
    "a long loop": "{% for i in (1..9999999999) %}{% endfor %}",
    "loops": "{% for i in (1..100000) %}{% if 1 == 2 %}{% endif %}{% endfor %}" * 400,
    "a loop's body": "{% for i in (1..100000) %}" + "{% if 1 == 2 %}{% endif %}" * 3_000 + "{% endfor %}",
    "a table": "{% tablerow i in (1..100000) %}" + "{% if 1 %}{% endif %}" * 3_000 + "{% endtablerow %}",
    "much output": "{% for i in (1..100000) %}" + "x" * 5_000 + "{% endfor %}",
    "uniq": "{% assign l = '" + "1,2,3," * 300 + "' | split: ',' %}"
    "{% for i in (1..99999) %}{% assign m = l | uniq %}{% endfor %}",
    "a date's width": "{% assign w = '%2000000000d' %}{{ 'now' | date: w }}",
    "a date far away": "{{ 1 | times: 999999999999999999999 | date: '%Y' }}{{ 'now' | date: 'x%-0999Y' }}",
    "an include": "{% include '/etc/passwd' %}",
    "a render": "{% render '../../etc/passwd' %}",
}  # fmt: skip
LONG = '{% assign x = "aaaaaaaaaa" %}{% for i in (1..16) %}{% assign x = x | append: x %}{% endfor %}'
FOR_EVER = "{{% for i in (1..90000) %}}{}{{% endfor %}}".format
HOSTILE |= {
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
#: Each of them at most, in seconds of the processor; in the service it is more.
SECONDS = 0.3
MEMORY = 1 << 30

_CHILD = """
import json, sys
from ground_truth_local.service import liquid_bounds, template
from ground_truth_local.service.errors import JobFailure

liquid_bounds.SECONDS = float(sys.argv[1])
told = {}
for name, source in json.load(sys.stdin).items():
    try:
        told[name] = len(template.render(source, task_input={}, presign=str))
    except JobFailure as error:
        told[name] = str(error)
print(json.dumps(told))
"""


def _bounds() -> None:
    seconds = 15 + round(2 * SECONDS * len(HOSTILE))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


@pytest.mark.attack(
    "whoever writes the worker template", "the embedded AWS's time and memory", attempts=len(HOSTILE)
)
def test_a_template_never_hangs_or_fills_the_server() -> None:
    command = [sys.executable, "-c", _CHILD, str(SECONDS)]
    done = subprocess.run(
        command, input=json.dumps(HOSTILE), capture_output=True, text=True, preexec_fn=_bounds, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.keys() == HOSTILE.keys()
    for name, answer in told.items():
        assert isinstance(answer, str), f"{name} was rendered, with {answer:,} characters"
        assert answer.startswith("ClientError: The worker task template can't be rendered: "), name
        assert len(answer) < 1_000, name


HARMLESS = {
    "a picture in the page": "x{" * 4_000_000,
    "raw": "{% raw %}" + "{{ " * 20_000 + "{% endraw %}",
    "a label's row": "{% for label in task.input.labels %}<b>{{ label | escape }}</b>{% endfor %}",
    "JSON": "{{ task.input.labels | to_json | escape }}",
}


@pytest.mark.parametrize("source", HARMLESS.values(), ids=HARMLESS)
def test_what_templates_have_is_within_the_bounds(source) -> None:
    labels = [f"label {number}" for number in range(250)]
    assert template.render(source, task_input={"labels": labels}, presign=str)


def test_a_bound_is_told_with_its_line() -> None:
    with pytest.raises(JobFailure, match="the tag in line 3 doesn't end within 5,000 characters"):
        template.render("a\n{{ b }}\n{{ " + "c" * 6_000, task_input={}, presign=str)


def test_what_templates_do_is_left() -> None:
    source = (
        "{% for label in task.input.labels %}<b>{{ label | upcase | append: '!' }}</b>{% endfor %}"
        "{{ task.input.labels | to_json | escape }}{{ 'a,b' | split: ',' | join: '-' | replace: '-', '+' }}"
    )
    page = template.render(source, task_input={"labels": ["road", "<sky>"]}, presign=str)
    assert page == "<b>ROAD!</b><b>&lt;SKY&gt;!</b>[&#34;road&#34;, &#34;\\u003csky&gt;&#34;]a+b"
