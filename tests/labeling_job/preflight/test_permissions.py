"""Where the role's own policies don't allow, the policy of the bucket or key decides."""

from __future__ import annotations

from typing import Never

import pytest

from labeling_job.preflight.access import Reader
from labeling_job.preflight.inspection import Inspection
from labeling_job.preflight.permissions import RolePermissions
from labeling_job.preflight.plan import plan_of
from labeling_job.rules.findings import Findings
from labeling_job.rules.places import Place
from tests.corpus.fake_aws import FakeAws, error
from tests.corpus.world import INPUT, REGION, Key, drop, good_world


def inspected(world, aws=None) -> Inspection:
    aws = aws or FakeAws(world)
    reader = Reader(aws("s3"), sleep=lambda _: None, clock=lambda: 0.0, settle=0.0)
    reader.keys = {f"arn:aws:kms:{REGION}:{world.account}:key/{name}": {INPUT} for name in world.keys}
    plan = plan_of(world.request, region=REGION)
    return Inspection(plan=plan, findings=Findings(), reader=reader, client=aws, job_name="corpus")


def outcome(world, aws=None, image_buckets=(INPUT,)) -> dict[str, str]:
    inspection = inspected(world, aws)
    role = RolePermissions(inspection)
    role.check_trust()
    role.check_buckets([(1, Place(INPUT, "day/a.jpg"))], [INPUT])
    role.check_keys(image_buckets)
    return {group.check: group.severity for group in inspection.findings.groups()}


def allow(principal: object) -> dict:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*"}
    return {"Statement": statement}


def test_a_role_with_all_that_it_needs() -> None:
    assert outcome(good_world()) == {}


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": ["ROLE", "arn:aws:iam::1:root"]}])
def test_a_bucket_policy_may_allow_what_the_roles_own_dont(principal) -> None:
    world = good_world()
    drop(world, "s3:GetObject")
    if isinstance(principal, dict):
        principal = {
            "AWS": [world.role_arn if each == "ROLE" else each for each in principal["AWS"]]
            if isinstance(principal["AWS"], list)
            else principal["AWS"]
        }
    for bucket in world.buckets.values():
        bucket.policy = allow(principal)
    assert outcome(world) == {"role-access": "warning"}


@pytest.mark.parametrize(
    "policy", [None, allow({"AWS": "arn:aws:iam::111122223333:role/another"}), allow({"Service": "x"}), {}]
)
def test_a_bucket_policy_that_doesnt_name_the_role_doesnt_help(policy) -> None:
    world = good_world()
    drop(world, "s3:GetObject")
    world.input.policy = policy
    assert outcome(world) == {"role-access": "error"}


def test_an_explicit_denial_is_final() -> None:
    world = good_world()
    world.input.policy = allow("*")
    world.statements.append({"Effect": "Deny", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::*"]})
    assert outcome(world) == {"role-access": "error"}


def test_what_depends_on_unknown_context_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    world = good_world()
    aws = FakeAws(world)

    def simulate(*, ResourceArns, **_):
        return {
            "EvaluationResults": [
                {
                    "EvalResourceName": arn,
                    "EvalDecision": "implicitDeny",
                    "MissingContextValues": ["aws:SourceVpce"],
                }
                for arn in ResourceArns
            ]
        }

    monkeypatch.setattr(aws("iam"), "simulate_principal_policy", simulate)
    assert outcome(world, aws) == {"role-access": "warning"}


def test_a_simulation_that_answers_one_resource_at_a_time_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = good_world()
    drop(world, "s3:GetObject")
    aws, asked = FakeAws(world), []
    real = aws("iam").simulate_principal_policy

    def simulate(*, ResourceArns, **request):
        asked.append(ResourceArns[0])
        return real(ResourceArns=ResourceArns[:1], **request)

    monkeypatch.setattr(aws("iam"), "simulate_principal_policy", simulate)
    assert outcome(world, aws) == {"role-access": "error"}
    assert f"arn:aws:s3:::{INPUT}/day/a.jpg" in asked


def test_a_simulation_that_answers_nothing_ends() -> None:
    world = good_world()
    aws = FakeAws(world)
    aws("iam").simulate_principal_policy = lambda **_: {"EvaluationResults": []}
    assert outcome(world, aws) == {}


class TestKeys:
    def test_one_that_the_role_may_use(self) -> None:
        world = good_world()
        world.keys["photos"] = Key()
        assert outcome(world) == {}

    def test_one_of_aws_own_is_open_to_all_who_may_use_s3(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = good_world()
        world.keys["photos"] = Key(granted=False)
        aws = FakeAws(world)
        monkeypatch.setattr(aws("kms"), "describe_key", lambda KeyId: {"KeyMetadata": {"KeyManager": "AWS"}})
        assert outcome(world, aws) == {}

    def test_one_that_cant_be_described(self, monkeypatch: pytest.MonkeyPatch) -> None:
        world = good_world()
        world.keys["photos"] = Key()
        aws = FakeAws(world)

        def denied(KeyId) -> Never:
            raise error("DescribeKey", "AccessDeniedException")

        monkeypatch.setattr(aws("kms"), "describe_key", denied)
        assert outcome(world, aws) == {"kms-key": "warning"}
        # The bucket of the CDK's assets has a key of its own; what the deploy publishes is no news to it.
        assert outcome(world, aws, image_buckets=["corpus-photos"]) == {}

    def test_the_output_key_has_to_encrypt(self) -> None:
        world = good_world()
        world.keys["labels"] = Key(granted=False)
        world.request["OutputConfig"]["KmsKeyId"] = f"arn:aws:kms:{REGION}:{world.account}:key/labels"
        inspection = inspected(world)
        RolePermissions(inspection).check_keys([])
        told = [group.rule for group in inspection.findings.groups()]
        assert ["kms:GenerateDataKey" in rule for rule in told] == [True, False]


def test_directories_are_sampled() -> None:
    world = good_world()
    aws, asked = FakeAws(world), []
    real = aws("iam").simulate_principal_policy

    def simulate(*, ActionNames, ResourceArns, **request):
        asked.extend(ResourceArns)
        return real(ActionNames=ActionNames, ResourceArns=ResourceArns, **request)

    aws("iam").simulate_principal_policy = simulate
    images = [(n, Place(INPUT, f"{n % 500}/{n}.jpg")) for n in range(20_000)]
    RolePermissions(inspected(world, aws)).check_buckets(images, [INPUT])
    assert 15 <= sum("jpg" in arn for arn in asked) <= 20
