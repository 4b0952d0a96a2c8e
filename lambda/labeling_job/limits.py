"""Ground Truth's Regions, quotas and name rules for image semantic segmentation: the one table.

The construct reads it at synth time and the handler at deploy time. Standard library only, because
the handler's package has to be self-contained.

Sources: the service model in botocore (``sagemaker/2017-07-24``) and the SageMaker Developer Guide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: Region → account that owns the Region's built-in PRE-/ACS- functions (HumanTaskConfig in botocore).
FUNCTION_ACCOUNTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ap-northeast-1": "477331159723",
        "ap-northeast-2": "845288260483",
        "ap-south-1": "565803892007",
        "ap-southeast-1": "377565633583",
        "ap-southeast-2": "454466003867",
        "ca-central-1": "918755190332",
        "eu-central-1": "203001061592",
        "eu-west-1": "568282634449",
        "eu-west-2": "487402164563",
        "us-east-1": "432418664414",
        "us-east-2": "266458841044",
        "us-west-2": "081040173940",
    }
)
REGIONS: Final = tuple(FUNCTION_ACCOUNTS)

TASK_TYPE: Final = "SemanticSegmentation"

#: Account of the automated-labeling algorithm, the same in every Region.
ALGORITHM_ACCOUNT: Final = "027400017018"
ALGORITHM: Final = "semantic-segmentation"

#: The work team of Amazon Mechanical Turk, which closed on 2026-09-30.
PUBLIC_WORKTEAM: Final = re.compile(
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:394669845002:workteam/public-crowd/.*"
)
WORKTEAM_ARN: Final = re.compile(
    r"arn:(?P<partition>aws[a-z\-]*):sagemaker:(?P<region>[a-z0-9\-]*):(?P<account>[0-9]{12})"
    r":workteam/(?P<name>.+)"
)
WORKTEAM_ARN_MAX: Final = 256

JOB_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
JOB_NAME_MAX: Final = 63
LABEL_ATTRIBUTE_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
LABEL_ATTRIBUTE_NAME_MAX: Final = 127
LABEL_ATTRIBUTE_SUFFIX: Final = "-ref"
RESERVED_ATTRIBUTE_NAMES: Final = frozenset({"source", "source-ref"})

#: Categories of `crowd-image-classifier`, the element of a verification's page (the guide's page on it).
VERDICTS_MAX: Final = 10

TASK_TITLE_MAX: Final = 128
TASK_DESCRIPTION_MAX: Final = 255
TASK_KEYWORDS_MAX: Final = 5
TASK_KEYWORD: Final = re.compile(r"[A-Za-z0-9]+( [A-Za-z0-9]+)*")
TASK_KEYWORD_MAX: Final = 30
WORKERS_PER_OBJECT: Final = (1, 9)
#: The console's.
WORKERS_DEFAULT: Final = 3
TASK_TIME_LIMIT_SECONDS: Final = (30, 28_800)
TASK_AVAILABILITY_SECONDS: Final = (60, 2_592_000)
MAX_CONCURRENT_TASKS: Final = (1, 5_000)
PERCENTAGE: Final = (1, 100)
TAGS_MAX: Final = 50
TAG_KEY_MAX: Final = 128
TAG_VALUE_MAX: Final = 256
TEMPLATE_CHARACTERS_MAX: Final = 128_000
HUMAN_LABELED_OBJECTS_MIN: Final = 1
MODEL_ARN: Final = re.compile(r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:model/.+")
MODEL_ARN_MAX: Final = 2_048
SUBNETS_MAX: Final = 16
SECURITY_GROUPS_MAX: Final = 5
CONTENT_CLASSIFIERS: Final = ("FreeOfPersonallyIdentifiableInformation", "FreeOfAdultContent")

LABEL_NAME_MAX: Final = 256
AUTOMATED_LABELING_LABELS_MAX: Final = 20
CATEGORY_DOCUMENT_VERSION: Final = "2018-11-28"

#: Objects in one semantic segmentation job; AWS does not raise this quota.
OBJECTS_MAX: Final = 20_000
MANIFEST_LINE_MAX: Final = 100_000
MANIFEST_ATTRIBUTE_MAX: Final = 20_000
AUTOMATED_LABELING_OBJECTS_MIN: Final = 1_250
AUTOMATED_LABELING_OBJECTS_ADVISED: Final = 5_000
IMAGE_BYTES_MAX: Final = 40 * 1000 * 1000
IMAGE_PIXELS_MAX: Final = 100_000_000
AUTOMATED_LABELING_PIXELS_MAX: Final = 1920 * 1080
#: A directory that is published as one zip has no more than this; the limit is ours, see docs/preflight.md.
DIRECTORY_BYTES_MAX: Final = 5_000_000_000
#: Beyond it the service wants to be asked first (HumanTaskConfig$MaxConcurrentTaskCount).
CONCURRENT_TASKS_UNASKED: Final = 1_000
#: What the task type's worker page opens in a browser.
IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png")
