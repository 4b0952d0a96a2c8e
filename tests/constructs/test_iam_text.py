"""No name, folder or manifest of somebody else's reaches further in a policy than it says.

The verdicts are of an IAM evaluator that is neither the construct's nor the embedded AWS's; what is meant is
worked out here from the inputs alone, without a pattern.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aws_cdk import App, CfnParameter, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from cdk_ground_truth import Images, SemanticSegmentationLabelingJob, Workteam, iam_text
from cdk_ground_truth.assertions import policy_statements
from cdk_ground_truth.execution_role import Access, _statements
from cdk_ground_truth.stack_shared import StackShared
from tests.constructs.conftest import Synthesized
from tests.constructs.iam_simulator import Request, verdicts

CASES = 5_000
#: One manifest names so many; each has a line in its job's role.
BUCKETS = 40
SEED = 20_261_126
#: What IAM reads as something else than itself, beside ordinary and odd text.
PIECES = (
    *("*", "?", "$", "${", "}", "${*}", "${?}", "${$}", "${s3:prefix}", "${aws:username}", "**", "\\", '"'),
    *(
        "a",
        "photos",
        "night",
        "Ä",
        "ß",
        " ",
        "-",
        ".",
        "[",
        "]",
        "%2F",
        "x",
        "é",
        "'",
        ",",
        ":",
        "{",
        "(",
        "\t",
    ),
)
STATEMENT_KINDS = ("images", "labels", "listing")
BUCKET = "streets-photos"


def text(generator: random.Random, *, most: int = 4) -> str:
    return "".join(generator.choice(PIECES) for _ in range(generator.randint(0, most)))


def folder(generator: random.Random) -> str:
    return "".join(f"{text(generator)}/" for _ in range(generator.randint(0, 3)))


def near(generator: random.Random, prefix: str) -> Iterator[str]:
    """Keys that a prefix which isn't read letter by letter would reach, and some that it should."""
    yield prefix + text(generator)
    yield re.sub(r"[*?]", lambda _: generator.choice(("", "q", "q/q")), prefix) + "q"
    yield re.sub(r"\$\{[^}]*\}?", lambda _: generator.choice(("*", "q", "")), prefix)
    if prefix:
        index = generator.randrange(len(prefix))
        yield prefix[:index] + generator.choice("qz/") + prefix[index + 1 :]
        yield prefix[:-1]


def case(generator: random.Random) -> tuple[list[dict], list[Request], list[bool]]:
    """Statements of a random job, what is asked of them, and what is meant."""
    kind = generator.choice(STATEMENT_KINDS)
    arn = f"arn:aws:s3:::{BUCKET}"
    if kind == "labels":
        return labels_case(generator, arn)
    prefix = folder(generator) + generator.choice(("", text(generator)))
    keys = [*near(generator, prefix)]
    meant = [key.startswith(prefix) for key in keys]
    if kind == "listing":
        condition = {"StringLike": {"s3:prefix": f"{iam_text.literal(prefix)}*"}}
        statement = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn, "Condition": condition}
        return [statement], [("s3:ListBucket", arn, {"s3:prefix": key}) for key in keys], meant
    access = Access(read={iam_text.objects(arn, prefix): "because"})
    asked: list[Request] = [("s3:GetObject", f"{arn}/{key}", {}) for key in keys if key]
    asked.append(("s3:GetObject", f"{arn}-too/{prefix}x", {}))
    return (
        statements_of(access),
        asked,
        [yes for yes, key in zip(meant, keys, strict=True) if key] + [False],
    )


def chosen(
    generator: random.Random, statements: list[dict], asked: list[Request], meant: list[bool]
) -> tuple[list[dict], list[Request], list[bool]]:
    """Two of a case's questions: many cases say more than many questions of one."""
    indices = sorted(generator.sample(range(len(asked)), 2))
    return statements, [asked[index] for index in indices], [meant[index] for index in indices]


def statements_of(access: Access) -> list[dict]:
    """What a job's role has for these objects; the rest is the same for all."""
    where = SimpleNamespace(partition="aws", region="eu-west-1", account="111122223333")
    statements, _ = _statements(access, cast(StackShared, where))
    return [
        each
        for each in statements
        if each["Resource"] and each["Action"][-1] in ("s3:GetObject", "s3:PutObject")
    ]


def labels_case(generator: random.Random, arn: str) -> tuple[list[dict], list[Request], list[bool]]:
    output = "/".join(filter(None, folder(generator).split("/"))) or "labels"
    job = "-".join(generator.choice(("streets", "night", "a", "0" * 8, "b1b2b3b4")) for _ in range(2))
    access = Access(write={f"{arn}/{iam_text.outputs(output, job)}*": "because"})
    end = "-".join(f"{generator.getrandbits(32):08x}" for _ in range(2))
    others = (f"{job}-night-{end}", f"{job}-b1b2b3b4-{end}", f"{job[:-1]}-{end}", job, f"{job}-{end}0")
    keys = [f"{output}/{job}-{end}/a/0.png", *(f"{output}/{name}/a/0.png" for name in others)]
    keys.append(f"{re.sub('[*?]', 'q', output)}q/{job}-{end}/a/0.png")
    asked: list[Request] = [("s3:PutObject", f"{arn}/{key}", {}) for key in keys]
    return statements_of(access), asked, [True] + [False] * 6


@pytest.mark.attack("who writes a manifest", "what a role may read", attempts=CASES)
def test_what_is_allowed_is_what_was_meant(record_property) -> None:
    generator = random.Random(SEED)
    cases = [chosen(generator, *case(generator)) for _ in range(CASES)]
    answers = verdicts((statements, asked) for statements, asked, _ in cases)
    count = wrong = 0
    examples = []
    for (statements, asked, meant), got in zip(cases, answers, strict=True):
        count += len(asked)
        if got != meant:
            wrong += 1
            examples.append((statements[0], list(zip(asked, meant, got, strict=True))))
    record_property(
        "told", f"IAM text: {CASES:,} random inputs, {count:,} requests, {wrong} of another verdict"
    )
    assert not wrong, json.dumps(examples[:2], indent=1)
    assert {True, False} == {yes for _, _, meant in cases for yes in meant}


def own_wildcards(pattern: str) -> str:
    """What is left of IAM's special characters when the escaped ones are gone."""
    return "".join(re.findall(r"[*?]|\$\{?", re.sub(r"\$\{[*?$]\}", "", pattern)))


def test_no_wildcard_of_the_users_is_left_unescaped() -> None:
    generator = random.Random(SEED)
    for _ in range(CASES):
        prefix = text(generator, most=9)
        assert own_wildcards(iam_text.literal(prefix)) == ""
        assert own_wildcards(iam_text.objects("arn:aws:s3:::b", prefix)) == "*"
        assert own_wildcards(iam_text.outputs(prefix, "job")) == "?" * 16


def test_what_a_policy_can_not_hold() -> None:
    # botocore's model of IAM allows [\u0009\u000A\u000D\u0020-\u00FF]+ alone.
    assert iam_text.literal("улица/ÿ/照片/😀") == "?????/ÿ/??/*"


class PublicInputs:
    """A stack to which random inputs are given, through what apps call; what is refused is counted apart."""

    def __init__(self, folder: Path, generator: random.Random, add_job: Callable[..., Any]) -> None:
        self.folder, self.generator, self.add_job = folder, generator, add_job
        self.stack = Stack(App(outdir=str(folder / "out")), "Test")
        self.bucket = s3.Bucket.from_bucket_name(self.stack, "Given", "given")
        self.reader = iam.Role(self.stack, "Reader", assumed_by=iam.AccountRootPrincipal())
        self.given = self.refused = 0

    def keys(self, name: str) -> None:
        """A manifest whose every bucket has its images in a folder of its own."""
        uris = [f"s3://b-{n}/{folder(self.generator).lstrip('/')}" for n in range(BUCKETS)]
        file = self.folder / f"{name}.manifest"
        file.write_text(
            "".join(json.dumps({"source-ref": f"{uri}{n}.jpg"}) + "\n" for uri in uris for n in "ab")
        )
        self.add_job(self.stack, name, images=Images.from_manifest_file(file))
        self.given += BUCKETS

    def prefix(self, name: str) -> None:
        prefix = re.sub(r"[*?]", "", folder(self.generator)).lstrip("/") or "${s3:prefix}"
        job = self.add_job(self.stack, name, images=Images.from_bucket(self.bucket, prefix=prefix))
        job.grant_write_images(self.reader)
        self.given += 1

    def name(self, name: str) -> None:
        """An imported job under a folder and a name; few names are one."""
        try:
            SemanticSegmentationLabelingJob.from_labeling_job_attributes(
                self.stack,
                name,
                labeling_job_arn="arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/"
                + (text(self.generator, most=2) or "streets"),
                output_bucket=self.bucket,
                output_prefix=folder(self.generator),
            ).grant_read_labels(self.reader)
        except ValueError:
            self.refused += 1
        self.given += 1

    def wildcards(self) -> set[str]:
        """What is left of IAM's special characters in all resources and conditions of the template."""
        seen = set()
        for statement in policy_statements(Template.from_stack(self.stack)):
            blocks = statement.get("Condition", {}).values()
            values = [statement["Resource"], *(each for block in blocks for each in block.values())]
            texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
            seen |= {own_wildcards(each) for each in texts if isinstance(each, str)}
        return seen


def test_no_input_of_the_public_api_widens_a_policy(tmp_path: Path, add_job, record_property) -> None:
    generator = random.Random(SEED)
    given = refused = 0
    while given < CASES:
        inputs = PublicInputs(tmp_path, generator, add_job)
        for number in range(8):
            inputs.keys(f"Keys{number}")
            inputs.prefix(f"Prefix{number}")
            for again in range(4):
                inputs.name(f"Name{number}-{again}")
        # The last is of the role that reads imports, and of those that write a job's labels.
        assert inputs.wildcards() == {"", "*", "?" * 16 + "*"}
        given, refused = given + inputs.given, refused + inputs.refused
    assert refused < given / 10
    record_property(
        "told", f"Public API: {given:,} keys, prefixes and names, {refused:,} refused, 0 wildcards"
    )


def test_a_prefix_that_only_cloudformation_knows_is_escaped_there(
    tmp_path: Path, add_job: Callable[..., SemanticSegmentationLabelingJob]
) -> None:
    stack = Stack(App(outdir=str(tmp_path / "out")), "Test")
    prefix = CfnParameter(stack, "Prefix").value_as_string
    bucket = s3.Bucket.from_bucket_name(stack, "Given", "given")
    add_job(stack, images=Images.from_bucket(bucket, prefix=prefix))
    token = stack.resolve(iam_text.literal(prefix))
    assert evaluated(token, "a*b?c${s3:prefix}") == "a${*}b${?}c${$}{s3:prefix}"
    assert json.dumps(token)[1:-1] in json.dumps(Template.from_stack(stack).to_json())


def evaluated(node, parameter):
    """CloudFormation's Select, Join and Split; anything else is the parameter."""
    if isinstance(node, str):
        return node
    ((name, body),) = node.items()
    if name == "Ref":
        return parameter
    if name == "Fn::Select":
        return evaluated(body[1][int(body[0])], parameter)
    if name == "Fn::Split":
        return evaluated(body[1], parameter).split(body[0])
    assert name == "Fn::Join"
    parts = body[1] if isinstance(body[1], list) else evaluated(body[1], parameter)
    return body[0].join(evaluated(each, parameter) for each in parts)


KEYS = {
    "a pattern": lambda stack: kms.Key.from_key_arn(stack, "K", "arn:aws:kms:eu-west-1:111122223333:key/*"),
    "an alias": lambda stack: kms.Alias.from_alias_name(stack, "K", "alias/labels"),
}


@pytest.mark.attack("who names a resource", "another resource", attempts=9)
@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("role", "arn:aws:iam::111122223333:role/*", "'role' must name one resource, without '\\*'"),
        ("output_topic", "arn:aws:sns:eu-west-1:111122223333:*", "'output_topic' must name one resource"),
        ("encryption_key", "a pattern", "'encryption_key' must name one resource"),
        (
            "encryption_key",
            "an alias",
            "'encryption_key' must be a key that permissions can name.*from_lookup",
        ),
        ("output_bucket", "arn:aws:s3:::*", "'bucket' must name one resource, without '\\*'"),
        (
            "workteam",
            "arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/*",
            "'workteam_arn' must",
        ),
        (
            "job",
            "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/*",
            "must be the ARN of a labeling job",
        ),
        ("job", "arn:aws:sagemaker:*:111122223333:labeling-job/streets", "must be the ARN of a labeling job"),
        ("manifest", "s3://*/a.jpg", "Test/Job: '.*"),
    ],
)
def test_what_names_one_resource_is_no_pattern(
    tmp_path: Path,
    add_job: Callable[..., SemanticSegmentationLabelingJob],
    argument: str,
    value: str,
    message: str,
) -> None:
    stack = Stack(App(outdir=str(tmp_path / "out")), "Test")

    def build():
        if argument == "job":
            return SemanticSegmentationLabelingJob.from_labeling_job_arn(stack, "Old", value)
        if argument == "manifest":
            (tmp_path / "a.manifest").write_text(json.dumps({"source-ref": value}) + "\n")
            return add_job(stack, images=Images.from_manifest_file(tmp_path / "a.manifest"))
        made = {
            "role": lambda: iam.Role.from_role_arn(stack, "Given", value),
            "output_topic": lambda: sns.Topic.from_topic_arn(stack, "Given", value),
            "encryption_key": lambda: KEYS[value](stack),
            "output_bucket": lambda: s3.Bucket.from_bucket_attributes(
                stack, "Given", bucket_arn=value, bucket_name="given"
            ),
            "workteam": lambda: Workteam.from_workteam_arn(stack, "Given", value),
        }[argument]()
        return add_job(stack, **{argument: made})

    with pytest.raises((ValueError, RuntimeError), match=message):
        build()


def test_a_known_alias_of_the_app_is_as_good_as_its_key(
    stack: Stack, add_job: Callable[..., SemanticSegmentationLabelingJob], synth: Callable[..., Synthesized]
) -> None:
    alias = kms.Alias(stack, "Alias", alias_name="alias/labels", target_key=kms.Key(stack, "Key"))
    add_job(stack, encryption_key=alias)
    key = "arn:aws:kms:eu-west-1:444455556666:key/Key961B73FD"
    assert synth(stack).allowed("JobExecutionRole", "kms:Encrypt") == {key}
