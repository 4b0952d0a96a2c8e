"""What of CreateLabelingJob the construct may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: CreateLabelingJob's live fields: path → kind. A test holds this against botocore's service model.
REQUEST_FIELDS: Final[Mapping[str, type]] = {
    "LabelAttributeName": str,
    "InputConfig.DataSource.S3DataSource.ManifestS3Uri": str,
    "InputConfig.DataSource.SnsDataSource.SnsTopicArn": str,
    "InputConfig.DataAttributes.ContentClassifiers": list,
    "OutputConfig.S3OutputPath": str,
    "OutputConfig.KmsKeyId": str,
    "OutputConfig.SnsTopicArn": str,
    "RoleArn": str,
    "LabelCategoryConfigS3Uri": str,
    "StoppingConditions.MaxHumanLabeledObjectCount": int,
    "StoppingConditions.MaxPercentageOfInputDatasetLabeled": int,
    "LabelingJobAlgorithmsConfig.LabelingJobAlgorithmSpecificationArn": str,
    "LabelingJobAlgorithmsConfig.InitialActiveLearningModelArn": str,
    "LabelingJobAlgorithmsConfig.LabelingJobResourceConfig.VolumeKmsKeyId": str,
    "LabelingJobAlgorithmsConfig.LabelingJobResourceConfig.VpcConfig.SecurityGroupIds": list,
    "LabelingJobAlgorithmsConfig.LabelingJobResourceConfig.VpcConfig.Subnets": list,
    "HumanTaskConfig.WorkteamArn": str,
    "HumanTaskConfig.UiConfig.UiTemplateS3Uri": str,
    "HumanTaskConfig.PreHumanTaskLambdaArn": str,
    "HumanTaskConfig.TaskKeywords": list,
    "HumanTaskConfig.TaskTitle": str,
    "HumanTaskConfig.TaskDescription": str,
    "HumanTaskConfig.NumberOfHumanWorkersPerDataObject": int,
    "HumanTaskConfig.TaskTimeLimitInSeconds": int,
    "HumanTaskConfig.TaskAvailabilityLifetimeInSeconds": int,
    "HumanTaskConfig.MaxConcurrentTaskCount": int,
    "HumanTaskConfig.AnnotationConsolidationConfig.AnnotationConsolidationLambdaArn": str,
}
