"""The CreateLabelingJob request that a job's settings make, in the service's own shape and words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ._rooms import limits
from .regions import ServiceArns
from .settings import JobSettings
from .validation import Checker

# These are the console's defaults.
_TIME_LIMIT_SECONDS: Final = 3_600


def create_labeling_job(
    check: Checker,
    settings: JobSettings,
    arns: ServiceArns,
    *,
    data_source: Mapping[str, Any],
    output_uri: str,
    categories_uri: str,
    template_uri: str,
) -> dict[str, Any]:
    """The request without the role; the handler adds name and tags, and the manifest where it builds one."""
    key, topic = settings.encryption_key, settings.output_topic
    classifiers = list(settings.content_classifiers or ())
    attributes = {"ContentClassifiers": classifiers} if classifiers else None
    source = dict(data_source) or None
    return _present(
        {
            "LabelAttributeName": settings.label_attribute_name,
            "InputConfig": _present({"DataSource": source, "DataAttributes": attributes}) or None,
            "OutputConfig": _present(
                {
                    "S3OutputPath": output_uri,
                    "KmsKeyId": key.key_arn if key is not None else None,
                    "SnsTopicArn": topic.topic_arn if topic is not None else None,
                }
            ),
            "RoleArn": "",
            "LabelCategoryConfigS3Uri": categories_uri,
            "StoppingConditions": _stopping_conditions(settings),
            "LabelingJobAlgorithmsConfig": _algorithms(settings, arns),
            "HumanTaskConfig": _human_task(check, settings, arns, template_uri),
        }
    )


def _human_task(
    check: Checker, settings: JobSettings, arns: ServiceArns, template_uri: str
) -> dict[str, Any]:
    time_limit = check.seconds("task_time_limit", settings.task_time_limit, *limits.TASK_TIME_LIMIT_SECONDS)
    availability = check.seconds(
        "task_availability_lifetime", settings.task_availability_lifetime, *limits.TASK_AVAILABILITY_SECONDS
    )
    keywords = settings.task_keywords
    task_type = settings.task_type
    consolidation = {
        "AnnotationConsolidationLambdaArn": arns.annotation_consolidation_lambda_arn(task_type.name)
    }
    return _present(
        {
            "WorkteamArn": settings.workteam.workteam_arn,
            "UiConfig": {"UiTemplateS3Uri": template_uri},
            "PreHumanTaskLambdaArn": arns.pre_human_task_lambda_arn(task_type.name),
            "TaskKeywords": list(keywords) if keywords is not None else None,
            "TaskTitle": settings.task_title or task_type.title,
            "TaskDescription": settings.task_description or task_type.description,
            "NumberOfHumanWorkersPerDataObject": settings.number_of_human_workers_per_data_object
            or limits.WORKERS_DEFAULT,
            "TaskTimeLimitInSeconds": time_limit or _TIME_LIMIT_SECONDS,
            "TaskAvailabilityLifetimeInSeconds": availability,
            "MaxConcurrentTaskCount": settings.max_concurrent_task_count,
            "AnnotationConsolidationConfig": consolidation,
        }
    )


def _algorithms(settings: JobSettings, arns: ServiceArns) -> dict[str, Any] | None:
    automated = settings.automated_labeling
    if automated is None:
        return None
    vpc = None
    if automated.subnets:
        vpc = {
            "SecurityGroupIds": [group.security_group_id for group in automated.security_groups],
            "Subnets": [subnet.subnet_id for subnet in automated.subnets],
        }
    key = automated.volume_encryption_key
    resources = _present({"VolumeKmsKeyId": key.key_arn if key is not None else None, "VpcConfig": vpc})
    return _present(
        {
            "LabelingJobAlgorithmSpecificationArn": arns.algorithm_specification_arn,
            "InitialActiveLearningModelArn": automated.initial_model_arn,
            "LabelingJobResourceConfig": resources or None,
        }
    )


def _stopping_conditions(settings: JobSettings) -> dict[str, Any] | None:
    conditions = settings.stopping_conditions
    if conditions is None:
        return None
    return _present(
        {
            "MaxHumanLabeledObjectCount": conditions.max_human_labeled_object_count,
            "MaxPercentageOfInputDatasetLabeled": conditions.max_percentage_of_input_dataset_labeled,
        }
    )


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
