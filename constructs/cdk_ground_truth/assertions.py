"""For your own unit tests: finds labeling jobs in a synthesized template and reads what they will ask for.

    template = Template.from_stack(stack)
    job = labeling_job(template)
    assert job.request["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] == 5

``request`` is CreateLabelingJob in the service's own shape, with numbers as numbers and CloudFormation's
functions evaluated. What only CloudFormation can know is written as ``<LogicalId>`` or
``<LogicalId.Attribute>``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._rooms import contract
from .template_values import Evaluation, as_delivered

if TYPE_CHECKING:
    from aws_cdk.assertions import Template

__all__ = ["LabelingJobInTemplate", "evaluate", "labeling_job", "labeling_jobs", "policy_statements"]


@dataclass(frozen=True, kw_only=True)
class LabelingJobInTemplate:
    """A labeling job as the template has it."""

    #: The custom resource's.
    logical_id: str
    #: Start of its names.
    job_name_prefix: str
    #: CreateLabelingJob, except for the name; the manifest is left out where a deploy makes it.
    request: Mapping[str, Any]
    #: "Directory", "Bucket" or "Manifest".
    image_source: str
    #: The user's, without the library's own.
    tags: Mapping[str, str]
    #: What the job waits for, by logical id.
    depends_on: tuple[str, ...]


def labeling_jobs(
    template: Template | Mapping[str, Any], *, parameters: Mapping[str, str] | None = None
) -> list[LabelingJobInTemplate]:
    """All labeling jobs of a template, by logical id.

    Args:
        template: `Template.from_stack(stack)`, or the template itself.
        parameters: Values for parameters and pseudo parameters, such as ``{"AWS::Region": "eu-west-1"}``.
            Default: a parameter's own default, and us-east-1 in account 111122223333.
    """
    document = _document(template)
    return [
        _read(name, resource, evaluate(document, resource["Properties"], parameters=parameters))
        for name, resource in sorted(document.get("Resources", {}).items())
        if resource["Type"] == contract.RESOURCE_TYPE
    ]


def labeling_job(
    template: Template | Mapping[str, Any],
    job_name_prefix: str | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
) -> LabelingJobInTemplate:
    """The one labeling job of a template, or the one whose names start so.

    Raises:
        AssertionError: there is none, or more than one; the message lists those there are.
    """
    jobs = labeling_jobs(template, parameters=parameters)
    found = [job for job in jobs if job_name_prefix in (None, job.job_name_prefix)]
    if len(found) != 1:
        wanted = "one labeling job" if job_name_prefix is None else f"one job {job_name_prefix!r}"
        there = [job.job_name_prefix for job in jobs]
        raise AssertionError(f"The template must have {wanted}, got {there}")
    return found[0]


def policy_statements(
    template: Template | Mapping[str, Any],
    role: str | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """The identity-based statements of a template, evaluated; of one role by logical id, or of all."""
    document = _document(template)
    return [
        evaluate(document, statement, parameters=parameters)
        for owner, policy in _policies(document)
        if role in (None, owner)
        for statement in policy["Statement"]
    ]


def evaluate(
    template: Template | Mapping[str, Any], value: Any, *, parameters: Mapping[str, str] | None = None
) -> Any:
    """A value of the template with CloudFormation's functions evaluated, as far as synth can know."""
    return Evaluation(_document(template), parameters or {}).of(value)


def _document(template: Template | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(template, Mapping):
        return template
    document: Mapping[str, Any] = template.to_json()
    return document


def _read(name: str, resource: Mapping[str, Any], properties: Mapping[str, Any]) -> LabelingJobInTemplate:
    job = contract.parse(as_delivered(properties))
    depends_on = resource.get("DependsOn", [])
    return LabelingJobInTemplate(
        logical_id=name,
        job_name_prefix=job.job_name_prefix,
        request=job.request,
        image_source=job.images.source,
        tags=job.tags,
        depends_on=tuple([depends_on] if isinstance(depends_on, str) else depends_on),
    )


def _policies(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in document.get("Resources", {}).items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", []):
                yield name, policy["PolicyDocument"]
        elif resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for role in properties.get("Roles", []):
                owner = role.get("Ref", "") if isinstance(role, Mapping) else role
                yield owner, properties["PolicyDocument"]
