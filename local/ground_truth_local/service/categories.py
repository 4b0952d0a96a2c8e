"""The label category configuration file, by ``CreateLabelingJobRequest$LabelCategoryConfigS3Uri``."""

from __future__ import annotations

import json

from ..sources import Rule, assumed, guide, model, twin
from .errors import JobFailure, shown
from .rules import MAX_AUTOMATED_LABELS, S3Location

_MEMBER = model("CreateLabelingJobRequest$LabelCategoryConfigS3Uri")
FORM = Rule("categories-json", "The label category file is a JSON object.", _MEMBER)
VERSION = Rule(
    "categories-version",
    "`document-version`, where the file has one, is `2018-11-28`; a file without one is taken.",
    assumed(
        "the model prints it in the format, but files without it stand in AWS's own notebooks "
        "(amazon-sagemaker-examples, from_unlabeled_data_to_deployed…), and other dates in those of video "
        "frames and point clouds; what another date does to a job of images nobody tells"
    ),
)
LABELS = Rule("categories-labels", 'Labels are a list of `{"label": "name"}`.', _MEMBER)
AT_LEAST_ONE = Rule("categories-at-least-one", "There is at least one label.", _MEMBER)
UNIQUE = Rule("categories-unique", "Label names are unique.", _MEMBER)
LENGTH = Rule(
    "categories-length",
    "A label name has at most 256 characters.",
    guide("input-data-limits, Label Category Quotas"),
)
MOST = Rule(
    "categories-most",
    "Here a job has at most 65,534 labels, which a 16-bit class id leaves.",
    twin("the guide (input-data-limits) has no limit for requests, and ten labels in the console"),
)
MOST_AUTOMATED = Rule(
    "categories-most-automated",
    "Automated labeling takes at most 20 labels.",
    guide("input-data-limits, Label Category Quotas"),
)

MAX_FILE_BYTES = 10 * 1024 * 1024
_VERSION = "2018-11-28"
_MAX_LABEL_CHARACTERS = 256
_MAX_LABELS = 65_534


def parse_categories(data: bytes, location: S3Location, *, automated: bool) -> list[str]:
    """Return the label names of a category file, in its order.

    Raises:
        JobFailure: the file breaks a documented rule.
    """
    what = f"ClientError: The label category file {location}"
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise JobFailure(FORM, f"{what} is not valid JSON.") from error
    if not isinstance(content, dict):
        raise JobFailure(FORM, f"{what} is not a JSON object.")
    if content.get("document-version", _VERSION) != _VERSION:
        got = shown(content["document-version"])
        raise JobFailure(VERSION, f'{what} must have "document-version": "{_VERSION}", it has {got}.')
    labels = content.get("labels")
    if not isinstance(labels, list) or not labels:
        raise JobFailure(AT_LEAST_ONE, f'{what} must list at least one label category in "labels".')
    names = [_name(entry, what) for entry in labels]
    if len(set(names)) < len(names):
        twice = min(name for name in names if names.count(name) > 1)
        raise JobFailure(UNIQUE, f"{what} has the label {shown(twice)} more than once.")
    maximum, rule = (MAX_AUTOMATED_LABELS, MOST_AUTOMATED) if automated else (_MAX_LABELS, MOST)
    if len(names) > maximum:
        raise JobFailure(rule, f"{what} has {len(names)} labels, at most {maximum} are allowed.")
    return names


def _name(entry: object, what: str) -> str:
    name = entry.get("label") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        raise JobFailure(
            LABELS, f'{what} must have labels of the form {{"label": "name"}}, got {shown(entry)}.'
        )
    if len(name) > _MAX_LABEL_CHARACTERS:
        raise JobFailure(
            LENGTH,
            f"{what} has a label of more than {_MAX_LABEL_CHARACTERS} characters: {shown(name[:40])}….",
        )
    return name
