"""A template for a snapshot test: without what differs from one checkout or release to the next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: These are replaced in this order: an object's name that is a hash, the end of a logical id of a version or
#: an asset, a date.
_PATTERNS = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "<hash>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<hash>"),
    (re.compile(r"\b\d{4}-\d{2}-\d{2}T[\d:.]+Z?"), "<time>"),
)
#: The CDK writes these for itself; they aren't the user's.
_OF_THE_CDK = ("CDKMetadata", "CDKMetadataAvailable", "CheckBootstrapVersion", "BootstrapVersion")


def normalized(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return the template as a plain dictionary with sorted keys, for syrupy or a file of your own.

    Hashes of assets and times are replaced, what the CDK adds for itself is left out, so that only a change
    of what is deployed changes the snapshot.

    Args:
        template: ``Template.from_stack(stack).to_json()``, or a template read from a cloud assembly.
    """
    kept = {
        section: {name: value for name, value in content.items() if name not in _OF_THE_CDK}
        if isinstance(content, Mapping)
        else content
        for section, content in template.items()
    }
    found: dict[str, Any] = _replaced({section: content for section, content in kept.items() if content})
    return found


def _replaced(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_text(key): _replaced(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [_replaced(each) for each in value]
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    for pattern, instead in _PATTERNS:
        value = pattern.sub(instead, value)
    return value
