"""`python docs/generate_api.py [--check]`: writes the references of the three packages from their docstrings.

Reads the sources with griffe and imports nothing, so it takes a second or two.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Reference:
    """One page: a package, and which names of which of its modules it shows."""

    target: Path
    folder: Path
    package: str
    head: str
    #: Module, its chapter's title ("" for none), and its names; none stands for all that it exports.
    chapters: tuple[tuple[str, str, tuple[str, ...]], ...]


_MADE = "Made from the docstrings by `make api`; a test holds it against them."
REFERENCES = (
    Reference(
        ROOT / "docs" / "api.md",
        ROOT / "constructs",
        "cdk_ground_truth",
        f"# API reference\n\n{_MADE} All names are\nimported from `cdk_ground_truth`, "
        "those of the last chapter from `cdk_ground_truth.assertions`.\n",
        (("", "", ()), ("assertions", "Assertions", ())),
    ),
    Reference(
        ROOT / "docs" / "api-labels.md",
        ROOT / "labels",
        "ground_truth_labels",
        f"# API reference: ground-truth-labels\n\n{_MADE} All names are\n"
        "imported from `ground_truth_labels`.\n",
        (("", "", ()),),
    ),
    Reference(
        ROOT / "docs" / "api-local.md",
        ROOT / "local",
        "ground_truth_local",
        f"# API reference: ground-truth-local\n\n{_MADE} The fixtures\n"
        "of the last chapter are there as soon as the package is installed.\n",
        (
            ("server", "`ground_truth_local.server`", ("EmbeddedAws", "EmbeddedAwsError")),
            ("cdk_cli", "`ground_truth_local.cdk_cli`", ("CdkCli",)),
            ("orders", "`ground_truth_local.orders`", ("Orders",)),
            ("pytest_plugin", "Fixtures of pytest", ()),
            ("testing", "`ground_truth_local.testing`", ()),
        ),
    ),
)


def main() -> int:
    """Write the references, or tell whether they are up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    checking = parser.parse_args().check
    old = 0
    for reference in REFERENCES:
        text = render(reference)
        if not checking:
            reference.target.write_text(text, encoding="utf-8")
        elif not reference.target.exists() or reference.target.read_text(encoding="utf-8") != text:
            print(
                f"docs/{reference.target.name} isn't what the docstrings say: run make api", file=sys.stderr
            )
            old = 1
    return old


def render(reference: Reference) -> str:
    """The whole page."""
    package = griffe.load(reference.package, search_paths=[reference.folder], allow_inspection=False)
    parts = [reference.head]
    for name, title, names in reference.chapters:
        module = package[name] if name else package
        if title:
            parts.append(f"## {title}\n\n" + _text(_target(module)))
        for each in names or sorted(_shown(module)):
            parts += _member(_target(module[str(each)]), level=3 if title else 2)
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _shown(module: griffe.Object | griffe.Alias) -> list[str]:
    """What a module exports; of one that says nothing, its own public functions."""
    if module.exports is not None:
        return [str(name) for name in module.exports]
    return [name for name, each in module.functions.items() if not name.startswith("_") and not each.is_alias]


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
        head = re.fullmatch(r"(Args|Attributes|Raises|Returns):", line)
        entry = re.fullmatch(r"    (\w+): (.*)", line)
        if head:
            section = head[1]
            lines.append({"Args": "Arguments"}.get(section, section) + ":")
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
