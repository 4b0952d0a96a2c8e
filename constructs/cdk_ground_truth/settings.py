"""A job's arguments as given, and the checks of those that are plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from ._rooms import contract, findings, limits, task
from .category_file import check_labels
from .cost import CostCeiling
from .images import Images
from .instructions import Instructions
from .preflight import Preflight
from .task import AutomatedLabeling, StoppingConditions
from .task_types import SEGMENTATION, VERIFICATION, TaskType
from .validation import TAG_ALPHABET, Checker, is_token, tag_character
from .worker_template import WorkerTemplate
from .workteam import Workteam

# A folder has nothing that would widen an IAM resource.
_FOLDER: Final = re.compile(r"[^/*?$\s]+")
_RESERVED_TAGS: Final = tuple(sorted({key.partition(":")[0] + ":" for key in contract.ALL_TAGS} | {"aws:"}))


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """The arguments of `SemanticSegmentationLabelingJob`, which documents them."""

    images: Images
    labels: Sequence[str]
    workteam: Workteam
    instructions: Instructions | None
    worker_template: WorkerTemplate | None
    task_title: str | None
    task_description: str | None
    task_keywords: Sequence[str] | None
    number_of_human_workers_per_data_object: int | None
    task_time_limit: Duration | None
    task_availability_lifetime: Duration | None
    max_concurrent_task_count: int | None
    stopping_conditions: StoppingConditions | None
    label_attribute_name: str
    job_name_prefix: str
    tags: Mapping[str, str]
    input_bucket: s3.IBucket | None
    output_bucket: s3.IBucket | None
    output_prefix: str
    encryption_key: kms.IKey | None
    role: iam.IRole | None
    preflight: Preflight
    cost_ceiling: CostCeiling | None
    relabel: bool
    content_classifiers: Sequence[str] | None = None
    automated_labeling: AutomatedLabeling | None = None
    output_topic: sns.ITopic | None = None
    #: A campaign's state machine goes with its stack: a job that went on alone would be gathered by nobody.
    removal_policy: RemovalPolicy = RemovalPolicy.DESTROY
    probation: Duration | None = None
    watch: Duration | None = None
    task_type: TaskType = SEGMENTATION
    #: What the labels to adjust or to verify are called, and what these are about.
    prior_attribute: str = ""
    prior_labels: tuple[str, ...] | None = None

    @property
    def task(self) -> task.LabelingTask:
        """By what the job's input is judged, as far as it is known."""
        name = self.label_attribute_name
        return task.LabelingTask(
            attribute="" if is_token(name) else name,
            task_type=self.task_type.name,
            automated=self.automated_labeling is not None,
        )

    def lifecycle_properties(self) -> dict[str, Any]:
        """What the handler does differently from its defaults."""
        properties: dict[str, Any] = {}
        if self.removal_policy is RemovalPolicy.RETAIN:
            properties["RemovalPolicy"] = contract.REMOVAL_RETAIN
        if self.probation is not None:
            properties["ProbationSeconds"] = int(self.probation.to_seconds())
        if self.watch is not None:
            properties["WatchSeconds"] = int(self.watch.to_seconds())
        properties |= self.preflight.properties()
        if self.relabel:
            properties["Relabel"] = "true"
        if self.cost_ceiling is not None:
            properties["Cost"] = self.cost_ceiling.properties()
        return properties

    def check(self, check: Checker) -> None:
        """Hold all plain values against the service's limits.

        Raises:
            ValueError: names the argument, the rule, the value and the fix.
        """
        self._check_kinds(check)
        found = findings.Findings(self.preflight.skip)
        check_labels(check, self.labels, found, automated=self.automated_labeling is not None)
        self._check_names(check)
        self._check_texts(check)
        self._check_lists(check)
        workers = self.number_of_human_workers_per_data_object
        check.integer("number_of_human_workers_per_data_object", workers, *limits.WORKERS_PER_OBJECT)
        check.integer(
            "max_concurrent_task_count", self.max_concurrent_task_count, *limits.MAX_CONCURRENT_TASKS
        )
        if self.removal_policy not in (RemovalPolicy.DESTROY, RemovalPolicy.RETAIN):
            must = "be RemovalPolicy.DESTROY or RemovalPolicy.RETAIN"
            check.fail("removal_policy", must, self.removal_policy)
        probation = check.seconds("probation", self.probation, 0, contract.PROBATION_SECONDS_MAX)
        check.known("probation", probation)
        check.known("watch", check.seconds("watch", self.watch, 0, contract.WATCH_SECONDS_MAX))
        for part in (self.stopping_conditions, self.automated_labeling, self.preflight):
            if part is not None:
                part.check(check)
        for message in tag_errors(self.tags):
            raise ValueError(f"{check.where}: {message}")

    def _check_kinds(self, check: Checker) -> None:
        if not isinstance(self.images, Images):
            check.fail("images", "be made with an Images.from_… method", self.images)
        if not isinstance(self.workteam, Workteam):
            check.fail("workteam", "be made with a Workteam.from_… method", self.workteam)
        if self.instructions is not None and self.worker_template is not None:
            check.fail("instructions", "not be given together with worker_template", self.instructions)

    def _check_names(self, check: Checker) -> None:
        check.known("job_name_prefix", self.job_name_prefix)
        check.text(
            "job_name_prefix",
            self.job_name_prefix,
            longest=contract.JOB_NAME_PREFIX_MAX,
            pattern=r"[a-z0-9](-*[a-z0-9])*",
            rule="be of lower-case letters and digits with '-' between",
        )
        if not is_token(self.label_attribute_name):
            _check_label_attribute(check, self.label_attribute_name, self.task_type)
            if self.label_attribute_name == self.prior_attribute:
                must = "differ from that of the labels that it is about"
                check.fail("label_attribute_name", must, self.label_attribute_name)
        folders = self.output_prefix.split("/") if isinstance(self.output_prefix, str) else [""]
        if is_token(self.output_prefix) or not all(map(_FOLDER.fullmatch, folders)):
            must = "be like 'labels' or 'team/labels', without slash at its ends"
            check.fail("output_prefix", must, self.output_prefix)

    def _check_texts(self, check: Checker) -> None:
        if self.task_title is not None:
            check.text("task_title", self.task_title, longest=limits.TASK_TITLE_MAX)
        if self.task_description is not None:
            check.text(
                "task_description",
                self.task_description,
                longest=limits.TASK_DESCRIPTION_MAX,
                pattern=r".+",
                rule="be one line",
            )

    def _check_lists(self, check: Checker) -> None:
        if self.task_keywords is not None:
            check.items("task_keywords", self.task_keywords)
            if not 1 <= len(self.task_keywords) <= limits.TASK_KEYWORDS_MAX:
                count = f"{len(self.task_keywords)} keywords"
                check.fail("task_keywords", f"be 1 to {limits.TASK_KEYWORDS_MAX} keywords", count)
            for keyword in self.task_keywords:
                check.text(
                    "task_keywords",
                    keyword,
                    longest=limits.TASK_KEYWORD_MAX,
                    pattern=limits.TASK_KEYWORD,
                    rule="be of letters and digits with single spaces between",
                )
        if self.content_classifiers is not None:
            check.items("content_classifiers", self.content_classifiers)
            for classifier in self.content_classifiers:
                if not is_token(classifier) and classifier not in limits.CONTENT_CLASSIFIERS:
                    known = " or ".join(limits.CONTENT_CLASSIFIERS)
                    check.fail("content_classifiers", f"be {known}", classifier)


def path_below(scope: Construct, construct_id: str) -> str:
    """The path that a construct will have, so that its arguments can be refused before it is in the tree."""
    return "/".join(filter(None, (scope.node.path, construct_id.replace("/", "--"))))


def default_job_name_prefix(path: str) -> str:
    """A legal start of a job's name from a construct's path; the end of a long path tells more."""
    slug = re.sub(r"[^a-z0-9]+", "-", path.lower())[-contract.JOB_NAME_PREFIX_MAX :].strip("-")
    return slug or "labeling-job"


def tag_errors(tags: Mapping[str, str]) -> list[str]:
    """What the service would refuse in a job's tags, or what is the library's own."""
    most = limits.TAGS_MAX - len(contract.ALL_TAGS)
    errors = []
    if len(tags) > most:
        errors.append(
            f"'tags' must be at most {most} ({limits.TAGS_MAX} less the library's own), got {len(tags)}"
        )
    for key, value in tags.items():
        if not isinstance(key, str) or not isinstance(value, str):
            errors.append(f"'tags' must be strings, got {key!r}: {value!r}")
            continue
        errors += _tag_key_errors(key)
        if not is_token(value) and len(value) > limits.TAG_VALUE_MAX:
            errors.append(f"'tags.{key}' must have at most {limits.TAG_VALUE_MAX} characters, got {value!r}")
        if not is_token(value) and (wrong := tag_character(value)):
            errors.append(f"'tags.{key}' must {TAG_ALPHABET}, got {wrong!r} in {value!r}")
    return errors


def _tag_key_errors(key: str) -> list[str]:
    if is_token(key):
        # Known only at deploy, it might be the key that says whose the job is.
        return [f"'tags' must have keys that are known at synth time, got {key!r}"]
    errors = []
    # IAM takes keys for the same that differ by case alone.
    if key.lower().startswith(_RESERVED_TAGS):
        reserved = " or ".join(map(repr, _RESERVED_TAGS))
        errors.append(f"'tags' must have no key that starts with {reserved} in any case, got {key!r}")
    if not 1 <= len(key) <= limits.TAG_KEY_MAX:
        errors.append(f"'tags' must have keys of 1 to {limits.TAG_KEY_MAX} characters, got {key!r}")
    if wrong := tag_character(key):
        errors.append(f"'tags' must {TAG_ALPHABET}, got {wrong!r} in the key {key!r}")
    return errors


def _check_label_attribute(check: Checker, name: str, task_type: TaskType) -> None:
    if name in limits.RESERVED_ATTRIBUTE_NAMES:
        check.fail("label_attribute_name", "not be the name of the input's own attribute", name)
    if task_type is VERIFICATION:
        for suffix in (limits.LABEL_ATTRIBUTE_SUFFIX, "-metadata"):
            if name.endswith(suffix):
                check.fail("label_attribute_name", f"not end in {suffix!r} for a verification", name)
    elif not name.endswith(limits.LABEL_ATTRIBUTE_SUFFIX):
        check.fail(
            "label_attribute_name",
            f"end in {limits.LABEL_ATTRIBUTE_SUFFIX!r} for semantic segmentation",
            name,
            f"for example {name.removesuffix('-metadata') + limits.LABEL_ATTRIBUTE_SUFFIX!r}",
        )
    check.text(
        "label_attribute_name",
        name,
        longest=limits.LABEL_ATTRIBUTE_NAME_MAX,
        pattern=limits.LABEL_ATTRIBUTE_NAME,
        rule="be of letters and digits with '-' between",
    )
