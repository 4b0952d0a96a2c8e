"""Values of a synthesized template with CloudFormation's functions evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_PSEUDO: Final[Mapping[str, str]] = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": "<AWS::StackId>",
    "AWS::StackName": "<AWS::StackName>",
    "AWS::URLSuffix": "amazonaws.com",
}


def as_delivered(value: Any) -> Any:
    """CloudFormation hands every scalar to a custom resource as a string."""
    if isinstance(value, Mapping):
        return {name: as_delivered(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_delivered(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


class Evaluation:
    """Evaluates CloudFormation's functions in a template, as far as is known.

    What isn't known is named, in angle brackets: `<Bucket.Arn>`.

    Args:
        document: The template.
        known: Values of parameters, `Ref`s and attributes (`Bucket.Arn`), by name. Default values of
            parameters and some of the pseudo parameters are known without.
    """

    def __init__(self, document: Mapping[str, Any], known: Mapping[str, str]) -> None:
        self._mappings = document.get("Mappings", {})
        defaults = {
            name: str(parameter["Default"])
            for name, parameter in document.get("Parameters", {}).items()
            if "Default" in parameter
        }
        self._known: dict[str, str] = {**_PSEUDO, **defaults, **known}

    def of(self, value: Any) -> Any:
        """The value with all functions in it evaluated."""
        if isinstance(value, list):
            return [self.of(each) for each in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function in _FUNCTIONS:
                return _FUNCTIONS[function](self, argument)
        return {name: self.of(each) for name, each in value.items()}

    def _ref(self, name: str) -> str:
        return self._known.get(name, f"<{name}>")

    def _get_att(self, path: Any) -> str:
        return self._ref(path if isinstance(path, str) else ".".join(map(str, self.of(path))))

    def _join(self, argument: Any) -> str:
        separator, items = argument
        return str(separator).join(map(str, self.of(items)))

    def _sub(self, argument: Any) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})
        values = self.of(own)
        return re.sub(
            r"\$\{([^!}]+)\}", lambda match: str(values.get(match[1], self._ref(match[1]))), str(text)
        )

    def _find_in_map(self, argument: Any) -> Any:
        name, first, second = self.of(argument)[:3]
        return self.of(self._mappings[name][first][second])

    def _select(self, argument: Any) -> Any:
        index, items = self.of(argument)
        # A part of what only CloudFormation knows, as of an asset's parameter, is as unknown as the whole.
        return items[int(index)] if int(index) < len(items) else "".join(map(str, items))

    def _split(self, argument: Any) -> Any:
        separator, text = self.of(argument)
        return str(text).split(separator)

    def _import_value(self, argument: Any) -> str:
        return f"<{self.of(argument)}>"


_FUNCTIONS: Final = {
    "Ref": Evaluation._ref,
    "Fn::GetAtt": Evaluation._get_att,
    "Fn::Join": Evaluation._join,
    "Fn::Sub": Evaluation._sub,
    "Fn::FindInMap": Evaluation._find_in_map,
    "Fn::Select": Evaluation._select,
    "Fn::Split": Evaluation._split,
    "Fn::ImportValue": Evaluation._import_value,
}
