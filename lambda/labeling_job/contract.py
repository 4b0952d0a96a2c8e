"""What the construct writes into the custom resource and the handler reads back: one definition.

CloudFormation hands every scalar to a handler as a string, so `parse` types the numbers again and
refuses whatever this file doesn't list: a misspelt property must not be dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from .request_fields import REQUEST_FIELDS

RESOURCE_TYPE: Final = "Custom::SemanticSegmentationLabelingJob"

#: Attributes of the custom resource (`Ref` is the job's name).
ATTR_JOB_ARN: Final = "JobArn"
ATTR_OUTPUT_URI: Final = "OutputS3Uri"
ATTR_OUTPUT_MANIFEST_URI: Final = "OutputManifestS3Uri"

#: Tags on every job, by which a handler proves that a job is its stack's own.
TAG_STACK: Final = "cdk-ground-truth:stack-id"
TAG_LOGICAL_ID: Final = "cdk-ground-truth:logical-id"
TAG_REQUEST: Final = "cdk-ground-truth:request-id"
TAG_FINGERPRINT: Final = "cdk-ground-truth:fingerprint"
#: Never changed on a job that is there; IAM holds the handler to it.
PROOF_TAGS: Final = (TAG_STACK, TAG_LOGICAL_ID, TAG_REQUEST)
OWN_TAGS: Final = (*PROOF_TAGS, TAG_FINGERPRINT)
#: A job that an update stopped names here the job that went on from its labels.
TAG_SUCCESSOR: Final = "cdk-ground-truth:continued-by"
#: A job that had ended names likewise the one that went on from its labels.
TAG_FOLLOWER: Final = "cdk-ground-truth:followed-by"
TAG_OBJECTS: Final = "cdk-ground-truth:objects"
TAG_TASKS: Final = "cdk-ground-truth:tasks"
TAG_COST: Final = "cdk-ground-truth:cost"

#: Attribute → tag: a job's size when it was created, and its price by the prices that the user gave.
#: Kept in tags, so that a later update answers the same.
ATTR_OBJECTS: Final = "ObjectCount"
ATTR_TASKS: Final = "TaskCount"
ATTR_COST: Final = "EstimatedCost"
ESTIMATES: Final = {ATTR_OBJECTS: TAG_OBJECTS, ATTR_TASKS: TAG_TASKS, ATTR_COST: TAG_COST}
#: How many warnings preflight had, kept likewise; the attribute says also where they are told.
TAG_WARNINGS: Final = "cdk-ground-truth:warnings"
ATTR_WARNINGS: Final = "PreflightWarnings"
#: These of a job's 50 tags are the library's.
ALL_TAGS: Final = (*OWN_TAGS, TAG_SUCCESSOR, TAG_FOLLOWER, *ESTIMATES.values(), TAG_WARNINGS)

#: `<prefix>-<8 hex of stack and logical id>-<8 hex of the request>` has to fit into 63 characters.
JOB_NAME_PREFIX_MAX: Final = 63 - 2 * (1 + 8)

#: Where a job's images come from.
SOURCE_DIRECTORY: Final = "Directory"
SOURCE_BUCKET: Final = "Bucket"
SOURCE_MANIFEST: Final = "Manifest"
#: The output of an earlier labeling job, or a part of it.
SOURCE_JOB: Final = "LabelingJob"

#: What becomes of a running job that leaves the stack.
REMOVAL_STOP: Final = "Stop"
REMOVAL_RETAIN: Final = "Retain"

#: 30 minutes at most: the handler's whole time is 40, and two of its three invocations have to do.
PROBATION_SECONDS_MAX: Final = 1_800
PROBATION_SECONDS_DEFAULT: Final = 600
#: A job in progress is watched no longer than this: mistakes of the set-up show minutes after the start.
WATCH_SECONDS_MAX: Final = 300
WATCH_SECONDS_DEFAULT: Final = 180

#: How long preflight looks at images, unless it is told.
PREFLIGHT_SECONDS: Final = 240

_PROPERTIES = frozenset(
    {
        "JobNamePrefix",
        "Images",
        "Request",
        "Tags",
        "RemovalPolicy",
        "ProbationSeconds",
        "WatchSeconds",
        "Preflight",
        "Cost",
        "Identity",
        "Relabel",
    }
)
_CLOUDFORMATION = frozenset({"ServiceToken", "ServiceTimeout"})
#: What a listed bucket may have besides: suffixes to take, patterns below the prefix to leave out, and
#: size and seed of a random sample.
_LISTING_FIELDS: Final[Mapping[str, type]] = {"Suffixes": list, "Exclude": list, "Sample": int, "Seed": int}
#: Which of an earlier job's lines are meant; all that is named has to be true of a line.
_SELECTION_FIELDS: Final[Mapping[str, type]] = {
    "ConfidenceBelow": str,
    "Verdicts": list,
    "VerdictAttribute": str,
    "Classes": list,
    "Machine": str,
    "Unlabeled": str,
    "Keys": list,
}
#: Where an earlier job's labels are: by the job's name, or by its output manifest and their name there.
_EARLIER_FIELDS: Final[Mapping[str, type]] = {
    "JobName": str,
    "OutputManifestS3Uri": str,
    "LabelAttributeName": str,
}
#: Source → what it needs, and what may be there besides.
_IMAGES_FIELDS: Final[Mapping[str, tuple[tuple[str, ...], Mapping[str, type]]]] = {
    SOURCE_DIRECTORY: (("ArchiveS3Uri", "StagingS3Uri"), {}),
    SOURCE_BUCKET: (("ImagesS3Uri", "StagingS3Uri"), _LISTING_FIELDS),
    # Only where labels are kept does the handler write a manifest beside the user's own.
    SOURCE_MANIFEST: ((), {"StagingS3Uri": str}),
    SOURCE_JOB: (("StagingS3Uri",), {**_EARLIER_FIELDS, **_SELECTION_FIELDS}),
}

#: Names of checks that are off, and for how long images are looked at.
_PREFLIGHT_FIELDS: Final[Mapping[str, type]] = {"Skip": list, "Seconds": int}
#: Amounts are decimal numbers in strings; `PricePerObject` is ["0.10 up to 50000", "0.05"].
_COST_FIELDS: Final[Mapping[str, type]] = {
    "MaxObjects": int,
    "MaxTasks": int,
    "MaxAmount": str,
    "Currency": str,
    "PricePerObject": list,
    "PricePerTask": str,
    "Source": str,
    "AsOf": str,
}
#: What published files mean, so that a file of the same meaning at another place makes no other job.
_IDENTITY_FIELDS: Final[Mapping[str, type]] = {"Labels": list, "Template": str, "Manifest": str}
_STRUCTURES = frozenset(
    path.rsplit(".", depth)[0] for path in REQUEST_FIELDS for depth in range(1, path.count(".") + 1)
)


_Default = TypeVar("_Default", int, None)


class ContractError(ValueError):
    """A property that the construct of the same release would not have written."""


@dataclass(frozen=True, kw_only=True)
class Images:
    """Where the data objects come from; the URIs that a source doesn't need are empty."""

    source: str
    archive_s3_uri: str = ""
    images_s3_uri: str = ""
    staging_s3_uri: str = ""
    #: `Suffixes`, `Exclude`, `Sample` and `Seed` of a listed bucket, as far as they are given.
    listing: Mapping[str, Any] = field(default_factory=dict)
    #: An earlier job's name, or its output manifest and what its labels are called there.
    job_name: str = ""
    output_manifest_s3_uri: str = ""
    label_attribute_name: str = ""
    #: Which of an earlier job's lines are meant.
    selection: Mapping[str, Any] = field(default_factory=dict)
    #: Further images beside an earlier job's.
    more: Images | None = None


@dataclass(frozen=True, kw_only=True)
class JobProperties:
    """The custom resource's properties, typed."""

    #: Every job's name starts with it.
    job_name_prefix: str
    images: Images
    #: CreateLabelingJob; the handler adds name, tags, and the manifest where it builds that.
    request: Mapping[str, Any]
    #: The user's.
    tags: Mapping[str, str]
    #: None checks nothing.
    preflight: Mapping[str, Any] | None = None
    #: Ceilings and prices; None lets the job have any size.
    cost: Mapping[str, Any] | None = None
    removal_policy: str = REMOVAL_STOP
    #: How long a deploy waits for the job to leave `Initializing`.
    probation_seconds: int = PROBATION_SECONDS_DEFAULT
    #: How long it watches a job that is in progress; None for as long as the handler's environment says.
    watch_seconds: int | None = None
    #: The names of the classes, or the verdicts; empty where an older release wrote the properties.
    labels: tuple[str, ...] = ()
    #: Whether labels that are there are bought again on purpose.
    relabel: bool = False


def parse(properties: Mapping[str, Any]) -> JobProperties:
    """Read what CloudFormation delivered.

    Raises:
        ContractError: a property is missing, unknown or of the wrong kind; the message names it.
    """
    _refuse_unknown("", set(properties) - _CLOUDFORMATION, _PROPERTIES)
    return JobProperties(
        job_name_prefix=_string("JobNamePrefix", _need("", properties, "JobNamePrefix")),
        images=_images(_need("", properties, "Images")),
        request=_structure("", _need("", properties, "Request")),
        tags=_tags(properties.get("Tags", [])),
        removal_policy=_removal_policy(properties.get("RemovalPolicy", REMOVAL_STOP)),
        probation_seconds=_seconds(
            properties, "ProbationSeconds", PROBATION_SECONDS_DEFAULT, PROBATION_SECONDS_MAX
        ),
        watch_seconds=_seconds(properties, "WatchSeconds", None, WATCH_SECONDS_MAX),
        labels=tuple(
            _options("Identity", properties.get("Identity", {}), _IDENTITY_FIELDS).get("Labels", ())
        ),
        relabel=_string("Relabel", properties.get("Relabel", "false")) == "true",
        **{
            name.lower(): _options(name, properties[name], fields)
            for name, fields in (("Preflight", _PREFLIGHT_FIELDS), ("Cost", _COST_FIELDS))
            if name in properties
        },
    )


def parsed_or_none(properties: Mapping[str, Any]) -> JobProperties | None:
    """What an earlier deploy wrote; None where a release wrote it whose words are not known any more."""
    try:
        return parse(properties)
    except ContractError:
        return None


def split_s3_uri(uri: str) -> tuple[str, str]:
    """``s3://bucket/some/key`` → ``("bucket", "some/key")``."""
    match = re.fullmatch(r"s3://([^/]+)/?(.*)", uri, re.DOTALL)
    if match is None:
        raise ContractError(f"not an S3 URI: {uri!r}")
    return match[1], match[2]


def _images(value: object) -> Images:
    images = dict(_mapping("Images", value))
    source = _string("Images.Source", _need("Images.", images, "Source"))
    if source not in _IMAGES_FIELDS:
        raise ContractError(f"Images.Source must be one of {sorted(_IMAGES_FIELDS)}, got {source!r}")
    del images["Source"]
    more = images.pop("More", None) if source == SOURCE_JOB else None
    needed, besides = _IMAGES_FIELDS[source]
    given = _options("Images", images, {**dict.fromkeys(needed, str), **besides})
    for key in needed:
        _need("Images.", given, key)
    if source == SOURCE_JOB and ("JobName" in given) == ("OutputManifestS3Uri" in given):
        raise ContractError("Images must have either 'JobName' or 'OutputManifestS3Uri'")
    return Images(
        source=source,
        archive_s3_uri=given.get("ArchiveS3Uri", ""),
        images_s3_uri=given.get("ImagesS3Uri", ""),
        staging_s3_uri=given.get("StagingS3Uri", ""),
        listing={key: given[key] for key in _LISTING_FIELDS if key in given},
        job_name=given.get("JobName", ""),
        output_manifest_s3_uri=given.get("OutputManifestS3Uri", ""),
        label_attribute_name=given.get("LabelAttributeName", ""),
        selection={key: given[key] for key in _SELECTION_FIELDS if key in given},
        more=_images(more) if more is not None else None,
    )


def _options(where: str, value: object, fields: Mapping[str, type]) -> Mapping[str, Any]:
    given = _mapping(where, value)
    _refuse_unknown(f"{where}.", set(given), set(fields))
    return {key: _field(f"{where}.{key}", fields[key], member) for key, member in given.items()}


def _structure(path: str, value: object) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, member in _mapping(f"Request.{path}".rstrip("."), value).items():
        where = f"{path}{key}"
        if where in _STRUCTURES:
            result[key] = _structure(f"{where}.", member)
        elif where in REQUEST_FIELDS:
            result[key] = _field(f"Request.{where}", REQUEST_FIELDS[where], member)
        else:
            raise ContractError(f"unknown property 'Request.{where}'")
    return result


def _field(where: str, kind: type, value: object) -> object:
    if kind is int:
        text = str(value)
        if not re.fullmatch(r"[0-9]+", text):
            raise ContractError(f"'{where}' must be a whole number, got {value!r}")
        return int(text)
    if kind is list:
        if not isinstance(value, list):
            raise ContractError(f"'{where}' must be a list, got {value!r}")
        return [_string(where, item) for item in value]
    return _string(where, value)


def _removal_policy(value: object) -> str:
    if value not in (REMOVAL_STOP, REMOVAL_RETAIN):
        raise ContractError(f"'RemovalPolicy' must be {REMOVAL_STOP!r} or {REMOVAL_RETAIN!r}, got {value!r}")
    return str(value)


def _seconds(properties: Mapping[str, Any], name: str, default: _Default, most: int) -> int | _Default:
    if name not in properties:
        return default
    seconds = int(str(_field(name, int, properties[name])))
    if seconds > most:
        raise ContractError(f"'{name}' must be at most {most}, got {seconds}")
    return seconds


def _tags(value: object) -> dict[str, str]:
    if not isinstance(value, list):
        raise ContractError(f"'Tags' must be a list, got {value!r}")
    tags = {}
    for item in value:
        tag = _options("Tags", item, {"Key": str, "Value": str})
        tags[str(_need("Tags.", tag, "Key"))] = str(_need("Tags.", tag, "Value"))
    return tags


def _need(path: str, properties: Mapping[str, Any], key: str) -> object:
    if key not in properties:
        raise ContractError(f"missing property '{path}{key}'")
    return properties[key]


def _mapping(where: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ContractError(f"'{where}' must be a map, got {value!r}")
    return value


def _string(where: str, value: object) -> str:
    if not isinstance(value, str):
        raise ContractError(f"'{where}' must be a string, got {value!r}")
    return value


def _refuse_unknown(path: str, keys: set[str], known: frozenset[str] | set[str]) -> None:
    unknown = sorted(keys - known)
    if unknown:
        raise ContractError(f"unknown property '{path}{unknown[0]}'; known: {sorted(known)}")
