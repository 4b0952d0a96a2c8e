"""The table of what is known of AWS: the embedded AWS deviates nowhere, and a real account can be asked."""

from __future__ import annotations

import builtins
import importlib
import pkgutil
from collections import Counter

import pytest

from ground_truth_local import service as ground_truth
from ground_truth_local import sources
from ground_truth_local.conformance import asking, command, rows
from ground_truth_local.conformance.expect import agrees, look
from ground_truth_local.conformance.front import Front
from ground_truth_local.conformance.stage import Stage
from ground_truth_local.service.types import Answer

ROWS = rows.load()
ACCOUNT = "111122223333"
#: What issue 11 asks the table for, and how the names of its rows begin.
KINDS = {
    "names and case": ("request-name-", "name-", "describe-other-case"),
    "attribute rules": ("attribute-", "verification-with-ref", "adjustment-without-ref"),
    "manifests with one bad line": ("manifest-",),
    "category files": ("categories-",),
    "templates": ("template-",),
    "counters": ("counters-", "status-loaded-counts-all", "chained-machine-counts"),
    "statuses in time": ("status-", "thirty-days"),
    "declines": ("decline-",),
    "expiry": ("expire",),
    "partial labels": ("stop-partial-answers", "decline-after-an-answer", "expires-after-an-answer"),
    "output layout": ("output-layout",),
    "worker responses": ("worker-", "answer-form"),
    "events": ("event-",),
    "tags": ("tag",),
    "stops": ("stop-",),
}
STOPPED_IN = {"initializing", "in-progress", "stopping", "stopped", "completed", "failed"}


@pytest.fixture(scope="module")
def stage():
    with Stage() as made:
        yield made


def test_the_embedded_aws_does_what_is_known_of_aws(stage, record_property) -> None:
    differing = [
        f"{row.name}: {found.path}: expected {found.expected!r}, got {found.got!r}"
        for row in ROWS
        for found in command.compare(row, stage.play(row))
    ]
    counts = Counter(row.kind for row in ROWS)
    told = ", ".join(f"{counts[kind]} {kind}" for kind in sources.Kind if counts[kind])
    record_property("told", f"conformance: {len(ROWS)} rows ({told}), {len(differing)} deviations")
    assert not differing
    assert len(ROWS) >= 120


def test_the_table_has_rows_of_each_kind_and_each_says_who_knows_it() -> None:
    names = [row.name for row in ROWS]
    counts = {kind: sum(name.startswith(begins) for name in names) for kind, begins in KINDS.items()}
    assert {kind: count for kind, count in counts.items() if count < 3} == {}
    assert {f"stop-{status}" for status in STOPPED_IN} <= set(names)
    refused = {row.expect["error.code"] for row in ROWS if "error.code" in row.expect}
    assert {"ValidationException", "SerializationException", "ResourceNotFound"} <= refused
    assert not [row.name for row in ROWS if not row.source.partition(": ")[2]]


def test_a_rows_source_is_of_the_rules_kind() -> None:
    """Where the table calls known what the code assumes, one of them is wrong."""
    for module in pkgutil.iter_modules(ground_truth.__path__):
        importlib.import_module(f"{ground_truth.__name__}.{module.name}")
    named = [row for row in ROWS if row.rule]
    assert not {row.rule for row in named} - set(sources.RULES)
    assumed = sources.Kind.ASSUMED
    presumptuous = [
        row.name for row in named if row.kind != assumed and sources.RULES[row.rule].source.kind == assumed
    ]
    assert not presumptuous, "the rule is assumed, the row says that it is known"


def test_a_wrong_expectation_is_found(stage) -> None:
    """The comparison can fail: each row with its first expectation changed deviates."""
    for row in (ROWS[0], next(row for row in ROWS if row.name == "output-of-one")):
        path = next(iter(row.expect))
        name = f"{row.name}-wrong"
        wrong = rows.Row(**{**vars(row), "name": name, "expect": {path: "something else"}})
        assert [found.path for found in command.compare(wrong, stage.play(wrong))] == [path]


@pytest.mark.parametrize(
    ("seen", "path", "expected", "right"),
    [
        ({"a": [1, 2]}, "a.#", 2, True),
        ({"a": [{"b": "x"}, {"b": "y"}]}, "a.b", "~^y$", True),
        ({"a": [{"b": "x"}]}, "a.-1.b", "x", True),
        ({"a": []}, "a.0.b", "absent", True),
        ({"a": {"b": 1}}, "a.keys", ["b"], True),
        ({}, "a.b", "~.", True),
        ({}, "a.b", "~x", False),
        ({"a": 1}, "a.b", "absent", True),
        ({"a": "1"}, "a", 1, False),
    ],
)
def test_paths_and_matches(seen, path, expected, right) -> None:
    assert agrees(look(seen, path), expected) is right


class Careless:
    """An account that accepts whatever is asked, and remembers what it was asked."""

    def __init__(self, answers=None):
        self.asked, self.bodies = [], []
        self.answers = answers or {}

    def handle(self, call):
        self.asked.append(call.operation)
        self.bodies.append(call.body)
        if call.operation in self.answers:
            return self.answers[call.operation]
        return Answer(body={"LabelingJobArn": "arn:aws:sagemaker:us-east-1:1:labeling-job/x"})


def ask(monkeypatch, capsys, service, *arguments, said=ACCOUNT, answering=None):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setattr(builtins, "input", answering or (lambda *_: said))
    with Front(service, account=ACCOUNT, region="us-east-1") as front:
        code = command.main(["--endpoint", front.url, *arguments])
    return code, capsys.readouterr().out


def test_an_account_that_is_the_embedded_one_differs_nowhere(stage, monkeypatch, capsys) -> None:
    code, out = ask(
        monkeypatch, capsys, stage.service, "--region", "eu-west-1",
        "--role", stage.place.role, "--workteam", stage.place.workteam,
    )  # fmt: skip
    assert code == 0, out
    assert "0 differ" in out
    assert out.count("the same") == sum(row.is_free for row in ROWS) >= 75


def test_what_an_account_does_otherwise_is_shown_and_a_job_made_by_mistake_is_stopped(
    monkeypatch, capsys
) -> None:
    service = Careless()
    code, out = ask(monkeypatch, capsys, service, "--rows", "attribute-without-ref")
    assert code == 1
    assert service.asked == ["CreateLabelingJob", "StopLabelingJob"]
    assert "account: accepted" in out and "embedded: ValidationException" in out
    assert "1 differ" in out


def test_a_job_made_by_mistake_is_stopped_by_its_own_name_or_told(monkeypatch, capsys) -> None:
    """A row may have another name than its job has; a job that goes on costs."""
    monkeypatch.setattr(command, "_STOP_AGAIN_SECONDS", 0.0)
    service = Careless()
    ask(monkeypatch, capsys, service, "--rows", "request-name-dot")
    assert (
        service.bodies[-1]
        == {"LabelingJobName": service.bodies[0]["LabelingJobName"]}
        != {"LabelingJobName": "request-name-dot"}
    )
    refused = Answer(status=400, body={"__type": "ValidationException", "message": "not now"})
    _, out = ask(
        monkeypatch, capsys, Careless({"StopLabelingJob": refused}), "--rows", "attribute-without-ref"
    )
    assert "attribute-without-ref was made and can't be stopped: ValidationException" in out


def test_nobody_who_answers_is_no_account(monkeypatch, capsys) -> None:
    service = Careless()

    def nobody(*_):
        raise EOFError

    code, _ = ask(monkeypatch, capsys, service, answering=nobody)
    assert (code, service.asked) == (2, [])


def test_nothing_is_sent_to_another_account_than_was_named(monkeypatch, capsys) -> None:
    service = Careless()
    code, out = ask(monkeypatch, capsys, service, said="999988887777")
    assert (code, service.asked) == (2, [])
    assert "Nothing was sent" in out


def test_only_reads_and_refusals_are_free() -> None:
    """A row that a real account would start working on is never sent."""
    free = [row for row in ROWS if row.is_free]
    assert {row.call for row in free} == {
        "CreateLabelingJob", "DescribeLabelingJob", "DescribeWorkteam", "ListLabelingJobs", "ListWorkteams",
        "StopLabelingJob",
    }  # fmt: skip
    for row in free:
        assert row.call.startswith(("Describe", "List")) or "error.code" in row.expect


def test_an_endpoint_elsewhere_is_no_endpoint(capsys) -> None:
    assert command.main(["--endpoint", "https://example.com"]) == 2
    assert "on this machine" in capsys.readouterr().out


def test_long_texts_are_written_short() -> None:
    assert asking.filled({"<a*3>": ["x<b*2>y", "{account}"]}, {"{account}": "1"}) == {"aaa": ["xbby", "1"]}


def test_the_command_prints_rows_and_counts(capsys) -> None:
    assert command.main(["--rows", "categories-twice"]) == 0
    out = capsys.readouterr().out
    assert "as expected categories-twice" in out and "1 rows (1 service model), 0 deviations." in out
