from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Never

import pytest

from labeling_job.contract import TAG_COST, TAG_OBJECTS, TAG_TASKS, Images, JobProperties
from labeling_job.errors import DeployError
from labeling_job.preflight import gate, surroundings
from labeling_job.rules.findings import CHECKS
from tests.corpus.broken import BROKEN
from tests.corpus.fake_aws import FakeAws, error
from tests.corpus.world import INPUT, OUTPUT, good_world
from tests.labeling_job.preflight.conftest import CONTEXT, properties

#: Each check has one cause here, and none hides another.
TOGETHER = [
    "an image twice",
    "GIF",
    "no CORS",
    "role may not write",
    "labels: a name twice",
    "template: unknown filter",
    "team missing",
    "functions of another Region's account",
    "too many objects",
    "images' key disabled",
]


def report(aws) -> list[dict]:
    [(place, body)] = [(place, body) for place, body in aws.written.items()]
    assert place == (OUTPUT, "labels/preflight/corpus.json")
    return json.loads(body)["findings"]


def test_all_causes_are_told_at_once(deploy: Callable[..., tuple[FakeAws, str]]) -> None:
    world = good_world()
    for name in TOGETHER:
        BROKEN[name][1](world)
    aws, message = deploy(world)
    expected = {BROKEN[name][0] for name in TOGETHER}
    assert expected == {g["check"] for g in report(aws) if g["severity"] == "error"}
    told = [line.split()[1].rstrip(":") for line in message.splitlines() if line.startswith("ERROR")]
    assert set(told) == expected
    assert told == sorted(told, key=CHECKS.index)
    assert not aws.created


@pytest.mark.parametrize("pair", list(itertools.combinations(TOGETHER, 2)), ids=" + ".join)
def test_no_cause_hides_another(deploy: Callable[..., tuple[FakeAws, str]], pair) -> None:
    world = good_world()
    for name in pair:
        BROKEN[name][1](world)
    _, message = deploy(world)
    for name in pair:
        assert f"ERROR {BROKEN[name][0]}" in message


def test_the_message_names_log_group_and_report_and_fits_a_screen(
    deploy: Callable[..., tuple[FakeAws, str]],
) -> None:
    world = good_world()
    for name in TOGETHER:
        BROKEN[name][1](world)
    _, message = deploy(world)
    assert message.endswith(
        f"In full: s3://{OUTPUT}/labels/preflight/corpus.json, log group {CONTEXT.log_group_name}."
    )
    assert len(message.encode()) <= 1_200
    assert message.count("\n") <= 20


def test_the_report_has_the_labels_in_the_apps_order(deploy: Callable[..., tuple[FakeAws, str]]) -> None:
    aws, message = deploy(good_world())
    assert message == "" and aws.created
    [body] = aws.written.values()
    assert json.loads(body)["labels"] == ["sky", "road", "car"]


def test_a_report_that_cant_be_written_is_not_named(deploy: Callable[..., tuple[FakeAws, str]]) -> None:
    world = good_world()
    BROKEN["output bucket missing"][1](world)
    _, message = deploy(world)
    assert message.endswith(f"In full: log group {CONTEXT.log_group_name}.")


def test_the_log_has_every_finding(
    deploy: Callable[..., tuple[FakeAws, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    world = good_world()
    world.lines(*({"source-ref": f"s3://{INPUT}/gone/{n}.jpg"} for n in range(250)))
    deploy(world)
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [item for entry in logged if entry["action"] == "PreflightFound" for item in entry["found"]]
    assert [item["line"] for item in found] == list(range(1, 251))


@pytest.mark.parametrize("check", sorted({check for check, _ in BROKEN.values()}))
def test_each_check_can_be_switched_off(deploy: Callable[..., tuple[FakeAws, str]], check) -> None:
    name = next(name for name, (of, _) in BROKEN.items() if of == check)
    world = good_world()
    BROKEN[name][1](world)
    _, message = deploy(world, skip=frozenset({check}))
    assert f" {check}" not in message


def test_every_check_is_known_to_the_corpus_or_is_a_warning(
    deploy: Callable[..., tuple[FakeAws, str]],
) -> None:
    warnings = {"image-suffix", "image-orientation", "image-sample", "quota"}
    assert {check for check, _ in BROKEN.values()} | warnings == set(CHECKS)


def test_without_preflight_and_cost_nothing_is_asked() -> None:
    aws = FakeAws(good_world())
    bare = JobProperties(job_name_prefix="x", images=Images(source="Manifest"), request={}, tags={})
    assert gate.passed(aws.world.request, bare, client=aws, context=None) == {}


def test_a_ceiling_alone_reads_the_manifest_alone() -> None:
    world = good_world()
    world.cost = {"MaxObjects": 2}
    BROKEN["GIF"][1](world)
    aws = FakeAws(world)
    only_cost = JobProperties(
        job_name_prefix="x", images=Images(source="Manifest"), request=world.request, tags={}, cost=world.cost
    )
    with pytest.raises(DeployError, match="3 objects, but at most 2 are allowed"):
        gate.passed(world.request, only_cost, client=aws, context=CONTEXT)
    assert {key for _, key, _ in aws.read} == {"in.manifest"}


PRICES = {
    "Currency": "USD",
    "PricePerObject": ["1.00 up to 2", "0.10"],
    "PricePerTask": "0.50",
    "Source": "s",
    "AsOf": "d",
}


class TestEstimate:
    def tags(self, world) -> list[str]:
        tags = gate.passed(world.request, properties(world), client=FakeAws(world), context=CONTEXT)
        return [tags[TAG_OBJECTS], tags[TAG_TASKS], tags[TAG_COST]]

    def test_counts_without_prices(self) -> None:
        assert self.tags(good_world()) == ["3", "9", "no prices given"]

    def test_with_prices(self) -> None:
        world = good_world()
        world.cost = dict(PRICES)
        assert self.tags(world) == ["3", "9", "6.60 USD"]

    def test_stopping_conditions_bound_it(self) -> None:
        world = good_world()
        world.cost = dict(PRICES)
        world.request["StoppingConditions"] = {"MaxHumanLabeledObjectCount": 2}
        assert self.tags(world) == ["2", "6", "5.00 USD"]
        world.request["StoppingConditions"] = {"MaxPercentageOfInputDatasetLabeled": 34}
        assert self.tags(world) == ["2", "6", "5.00 USD"]

    def test_the_refusal_tells_the_sum_and_where_prices_come_from(
        self, deploy: Callable[..., tuple[FakeAws, str]]
    ) -> None:
        world = good_world()
        world.cost = {**PRICES, "MaxAmount": "6.59", "Source": "offer 7", "AsOf": "2026-11-01"}
        _, message = deploy(world)
        assert "6.60 USD, but at most 6.59 USD is allowed" in message
        assert "prices of 2026-11-01, offer 7" in message


class TestTime:
    def test_images_beyond_the_bound_are_told_as_a_sample(
        self, deploy: Callable[..., tuple[FakeAws, str]]
    ) -> None:
        world = good_world()
        world.many(300)
        aws, message = deploy(world, seconds=0)
        assert message == ""
        [group] = report(aws)
        assert group["check"] == "image-sample" and group["severity"] == "warning"
        assert group["found"] == [{"got": "0 of 300 images"}]

    def test_an_invocation_that_ends_soon_is_a_bound_too(self) -> None:
        world = good_world()
        aws = FakeAws(world)
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000, log_group_name="g")
        gate.passed(world.request, properties(world), client=aws, context=context)
        assert [group["check"] for group in report(aws)] == ["image-sample"]


class TestWarnings:
    """What is told and doesn't stop a deploy."""

    @pytest.mark.parametrize(
        ("check", "change"),
        [
            ("image-orientation", lambda w: w.put("day/a.jpg", _turned())),
            ("image-suffix", lambda w: w.put("day/a.jpg", _png())),
            ("bucket-cors", lambda w: [rule.pop("ExposeHeaders") for rule in w.input.cors]),
            ("quota", lambda w: w.task.update(MaxConcurrentTaskCount=1_001)),
        ],
    )
    def test_one(self, deploy: Callable[..., tuple[FakeAws, str]], check: str, change) -> None:
        world = good_world()
        change(world)
        aws, message = deploy(world)
        assert message == "" and len(aws.created) == 1
        assert [(g["check"], g["severity"]) for g in report(aws)] == [(check, "warning")]

    def test_a_team_that_isnt_fully_listed_is_only_warned_of(
        self, deploy: Callable[..., tuple[FakeAws, str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = good_world()
        cognito = type(FakeAws(world)("cognito-idp"))
        page = {"Users": [{"Username": "ann"}], "NextToken": "more"}
        monkeypatch.setattr(cognito, "list_users_in_group", lambda self, **_: page)
        aws, message = deploy(world)
        assert message == "" and len(aws.created) == 1
        assert [(g["check"], g["severity"]) for g in report(aws)] == [("workteam-members", "warning")]

    @pytest.mark.parametrize(
        ("service", "operation", "check"),
        [
            ("s3", "get_bucket_cors", "bucket-cors"),
            ("iam", "get_role", "role-trust"),
            ("iam", "simulate_principal_policy", "role-access"),
            ("sagemaker", "describe_workteam", "workteam"),
            ("cognito-idp", "list_users_in_group", "workteam-members"),
        ],
    )
    def test_what_cant_be_asked_is_told_as_not_checked(
        self,
        deploy: Callable[..., tuple[FakeAws, str]],
        monkeypatch: pytest.MonkeyPatch,
        service: str,
        operation: str,
        check: str,
    ) -> None:
        def denied(self, **_) -> Never:
            raise error(operation, "AccessDenied")

        world = good_world()
        monkeypatch.setattr(type(FakeAws(world)(service)), operation, denied)
        aws, message = deploy(world)
        assert message == ""
        assert {(g["check"], g["severity"]) for g in report(aws)} == {(check, "warning")}
        assert all("not checked" in g["rule"] for g in report(aws))


def _turned() -> bytes:
    from tests.corpus import pictures

    return pictures.jpeg(orientation=3)


def _png() -> bytes:
    from tests.corpus import pictures

    return pictures.png()


class TestBounds:
    """What the handler decides bounds its work, whatever a manifest names."""

    def test_of_many_buckets_the_first_are_looked_at_and_the_rest_is_counted(
        self, deploy: Callable[..., tuple[FakeAws, str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = good_world()
        world.lines(*({"source-ref": f"s3://corpus-{n:05}/a.jpg"} for n in range(2_000)))
        calls, real = list[Any](), FakeAws.__call__
        monkeypatch.setattr(FakeAws, "__call__", lambda self, name: Counted(real(self, name), calls))
        aws, message = deploy(world)
        assert f"ERROR bucket-exists ({surroundings.BUCKETS_MAX} times)" in message
        [rest] = [g for g in report(aws) if (g["check"], g["severity"]) == ("bucket-exists", "warning")]
        assert rest["found"] == [{"got": "1,900 of 2,000 buckets"}]
        assert "not looked at, nor their images" in rest["rule"]
        assert len(calls) < 10 * surroundings.BUCKETS_MAX


class Counted:
    """A client that counts what it is asked."""

    def __init__(self, client, calls) -> None:
        self._client, self._calls = client, calls

    def __getattr__(self, name):
        self._calls.append(name)
        return getattr(self._client, name)
