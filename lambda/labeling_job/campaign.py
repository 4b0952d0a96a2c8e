"""What a campaign's custom resource says: the job that each of its jobs is like, and how images become jobs.

`Job` is a single job's contract over all images; `Campaign` is what a campaign has besides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .contract import ContractError, JobProperties, parse, split_s3_uri

RESOURCE_TYPE: Final = "Custom::SemanticSegmentationLabelingCampaign"

#: Below a campaign's folder of the output bucket.
DATASET: Final = "dataset.manifest"
UNLABELED: Final = "unlabeled.jsonl"
#: Attributes of the custom resource.
ATTR_DATASET_URI: Final = "DatasetManifestS3Uri"
ATTR_UNLABELED_URI: Final = "UnlabeledS3Uri"

#: The function's environment names the campaign's folder by this.
FOLDER: Final = "CDK_GROUND_TRUTH_CAMPAIGN"

ORDER_LISTED: Final = "Listed"
ORDER_SHUFFLED: Final = "Shuffled"

#: An inline Map runs 40 iterations at once (Step Functions Developer Guide, "Map state").
JOBS_AT_ONCE_MAX: Final = 40
#: So that a run's history of 25,000 events ("Step Functions service quotas") has room for 25 of each job: a
#: job takes 14 and a full account four more each time that it is asked again.
JOBS_PER_RUN: Final = 1_000
#: A labeling job lives for 30 days (the Developer Guide's "Use stopping conditions"); then nobody tells.
JOB_DAYS_MAX: Final = 31

#: The campaign's own events.
EVENT_SOURCE: Final = "cdk-ground-truth"
EVENT_RUN: Final = "Labeling Campaign Run Completed"
EVENT_JOB: Final = "Labeling Campaign Job Failed"

#: The campaign's metrics.
NAMESPACE: Final = "CdkGroundTruth"
DIMENSION: Final = "Campaign"
METRIC_LABELED: Final = "ImagesLabeled"
METRIC_RUNNING: Final = "JobsRunning"
METRIC_COST: Final = "CostSoFar"

_FIELDS: Final = frozenset(
    {
        "ImagesPerJob",
        "Order",
        "Seed",
        "FolderS3Uri",
        "StateMachineArn",
        "Cost",
        "StopAtCeiling",
        "RunAtDeploy",
    }
)


@dataclass(frozen=True, kw_only=True)
class CampaignProperties:
    """The custom resource's properties, typed."""

    #: The contract of a single job over all images, as it came and as it was read.
    raw_job: Mapping[str, Any]
    job: JobProperties
    folder_s3_uri: str
    images_per_job: int
    state_machine_arn: str
    shuffled: bool = False
    seed: int = 0
    #: Ceilings and prices over all of the campaign, as the job's contract has them.
    cost: Mapping[str, Any] | None = None
    stop_at_ceiling: bool = False
    run_at_deploy: bool = False

    @property
    def source_manifest(self) -> str:
        """The URI of the manifest that lists the images; empty where a bucket is listed."""
        sources = self.job.request.get("InputConfig", {}).get("DataSource", {})
        return str(sources.get("S3DataSource", {}).get("ManifestS3Uri", ""))

    @property
    def attribute(self) -> str:
        """What the labels are called."""
        return str(self.job.request["LabelAttributeName"])

    @property
    def meaning(self) -> str:
        """Hash of what a label says: labels of another meaning are none."""
        text = json.dumps([sorted(self.job.labels), self.attribute])
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def parse_campaign(properties: Mapping[str, Any]) -> CampaignProperties:
    """Read what CloudFormation delivered.

    Raises:
        ContractError: a property is missing, unknown or of the wrong kind; the message names it.
    """
    given = {key: value for key, value in properties.items() if key not in ("ServiceToken", "ServiceTimeout")}
    job, campaign = given.pop("Job", None), given.pop("Campaign", None)
    if given or not isinstance(job, Mapping) or not isinstance(campaign, Mapping):
        raise ContractError(f"a campaign has 'Job' and 'Campaign' alone, got {sorted(properties)}")
    unknown = sorted(set(campaign) - _FIELDS)
    if unknown:
        raise ContractError(f"unknown property 'Campaign.{unknown[0]}'; known: {sorted(_FIELDS)}")
    try:
        folder = str(campaign["FolderS3Uri"])
        split_s3_uri(folder)
        # A job's contract checks the names and kinds of ceilings and prices.
        costs = {"Cost": campaign["Cost"]} if "Cost" in campaign else {}
        return CampaignProperties(
            raw_job=job,
            job=parse(job),
            folder_s3_uri=folder,
            images_per_job=int(campaign["ImagesPerJob"]),
            state_machine_arn=str(campaign["StateMachineArn"]),
            shuffled=campaign.get("Order", ORDER_LISTED) == ORDER_SHUFFLED,
            seed=int(campaign.get("Seed", 0)),
            cost=parse({**job, **costs}).cost if costs else None,
            stop_at_ceiling=campaign.get("StopAtCeiling", "false") == "true",
            run_at_deploy=campaign.get("RunAtDeploy", "false") == "true",
        )
    except KeyError as error:
        raise ContractError(f"missing property 'Campaign.{error.args[0]}'") from error
