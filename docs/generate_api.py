"""``python docs/generate_api.py [--check]``: writes docs/api.md from the public docstrings.

Reads the sources with griffe and imports nothing, so it takes a second.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "api.md"
PACKAGE = "cdk_ground_truth"
HEAD = """# API reference

Made from the docstrings by `make api`; a test holds it against them. All names are
imported from `cdk_ground_truth`, those of the last chapter from `cdk_ground_truth.assertions`.
"""


def main() -> int:
    """Write the reference, or tell whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    text = render()
    if not parser.parse_args().check:
        TARGET.write_text(text)
        return 0
    if TARGET.read_text() == text:
        return 0
    print("docs/api.md isn't what the docstrings say: run make api", file=sys.stderr)
    return 1


def render() -> str:
    """The whole reference."""
    package = griffe.load(PACKAGE, search_paths=[ROOT / "constructs"], allow_inspection=False)
    parts = [HEAD]
    for module in (package, package["assertions"]):
        if module is not package:
            parts.append("# Assertions\n\n" + _text(_target(module)))
        for name in sorted(module.exports or ()):
            parts += _member(_target(module[str(name)]), level=2)
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _target(item: griffe.Object | griffe.Alias) -> griffe.Object:
    return item.final_target if isinstance(item, griffe.Alias) else item


def _member(item: griffe.Object, level: int) -> Iterator[str]:
    if isinstance(item, griffe.Class):
        yield f"{'#' * level} {item.name}"
        yield _text(item)
        constructor = item.members.get("__init__")
        if isinstance(constructor, griffe.Function):
            yield _signature(item.name, constructor)
            yield _text(constructor)
        for name, member in _public(item).items():
            if isinstance(member, griffe.Function):
                yield f"{'#' * (level + 1)} {item.name}.{name}"
                yield _signature(name, member)
                yield _text(member)
            elif member.has_docstring:
                yield f"- **`{name}`**: {_text(member)}"
    elif isinstance(item, griffe.Function):
        yield f"{'#' * level} {item.name}"
        yield _signature(item.name, item)
        yield _text(item)


def _public(item: griffe.Class) -> dict[str, griffe.Object]:
    """Own and inherited members; those of the CDK's classes are the CDK's to document."""
    found: dict[str, griffe.Object] = {}
    for base in [*reversed(item.mro()), item]:
        found |= {name: _target(each) for name, each in base.members.items() if not name.startswith("_")}
    found = {name: each for name, each in found.items() if not _is_between_modules(each)}
    return dict(sorted(found.items(), key=lambda entry: (isinstance(entry[1], griffe.Function), entry[0])))


def _is_between_modules(item: griffe.Object) -> bool:
    """Whether only the library itself can call it."""
    inner = ("Checker", "ImagesBinding")
    own = ("check", "read", "bind", "function_options", "log_options", "bucket_options")
    if not isinstance(item, griffe.Function) or item.name not in own:
        return False
    return item.name.endswith("_options") or any(str(each.annotation) in inner for each in item.parameters)


def _signature(name: str, function: griffe.Function) -> str:
    words, keyword_only = [], False
    for parameter in function.parameters:
        if parameter.name in ("self", "cls"):
            continue
        kind = parameter.kind
        if kind is griffe.ParameterKind.keyword_only and not keyword_only:
            keyword_only = True
            words.append("*")
        stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}.get(
            kind, ""
        )
        keyword_only |= stars == "*"
        default = f" = {parameter.default}" if parameter.default is not None and not stars else ""
        words.append(f"{stars}{parameter.name}: {parameter.annotation}{default}")
    body = ", ".join(words)
    if len(body) > 80:
        body = "\n    " + ",\n    ".join(words) + ",\n"
    returns = f" -> {function.returns}" if function.returns and str(function.returns) != "None" else ""
    return f"```python\n{name}({body}){returns}\n```"


def _text(item: griffe.Object) -> str:
    """A docstring, its Args as a list."""
    if item.docstring is None:
        return ""
    lines: list[str] = []
    section = ""
    for line in item.docstring.value.splitlines():
        head = re.fullmatch(r"(Args|Raises):", line)
        entry = re.fullmatch(r"    (\w+): (.*)", line)
        if head:
            section = head[1]
            lines.append({"Args": "", "Raises": "Raises:"}[section] or "Arguments:")
            lines.append("")
        elif section and entry:
            lines.append(f"- `{entry[1]}`: {entry[2]}")
        elif section and line.startswith("     "):
            lines[-1] += f" {line.strip()}"
        else:
            section = section if not line.strip() else ""
            lines.append(line)
    return "\n".join(lines).replace("``", "`")


if __name__ == "__main__":
    sys.exit(main())
