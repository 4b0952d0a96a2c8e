"""``python docs/generate_twin.py [--check]``: writes docs/twin.md from the rules of the embedded AWS."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections import Counter
from pathlib import Path

from ground_truth_local import mend_sources, reality, service, sources
from ground_truth_local.conformance.rows import load

TARGET = Path(__file__).parent / "twin.md"
HEAD = """# Where the embedded AWS has its rules from

Made by `make api` from the rules beside the code; a test holds it against them. Each rule is listed by the
kind of its source. What is *assumed* may be wrong: with `python -m ground_truth_local.conformance --endpoint
aws` whoever has an account turns an assumption into a fact.
"""
NOTES = {
    sources.Kind.MODEL: "Botocore's SageMaker service model, 2017-07-24.",
    sources.Kind.REFERENCE: "The SageMaker Developer Guide and other AWS documentation.",
    sources.Kind.OBSERVED: "Seen of the real service by somebody who published it: evidence, not proof.",
    sources.Kind.ASSUMED: "Nobody says so; the reason why it was taken.",
    sources.Kind.TWIN: "No rule of AWS: what the embedded AWS can't do, and says.",
}


def rules() -> list[sources.Rule]:
    """Import all modules that hold rules and return the rules, sorted by name."""
    for module in pkgutil.iter_modules(service.__path__):
        importlib.import_module(f"{service.__name__}.{module.name}")
    assert mend_sources.MENDS
    assert reality.OPTIONS
    return sorted(sources.RULES.values(), key=lambda rule: rule.name)


def render() -> str:
    """Return the page."""
    found = rules()
    counts = Counter(rule.source.kind for rule in found)
    parts = [HEAD, "| source | rules |\n|---|---|"]
    parts += [f"| {kind} | {counts[kind]} |" for kind in sources.Kind]
    parts.append(f"| *all* | {len(found)} |")
    for kind in sources.Kind:
        parts.append(f"\n## {kind[0].upper()}{kind[1:]}\n\n{NOTES[kind]}\n")
        parts.append("| rule | what it says | source |\n|---|---|---|")
        parts += [
            f"| `{rule.name}` | {_cell(rule.says)} | {_cell(rule.source.where)} |"
            for rule in found
            if rule.source.kind == kind
        ]
        if kind == sources.Kind.ASSUMED:
            parts.append(_settled(found))
    return "\n".join(parts) + "\n"


def _settled(found: list[sources.Rule]) -> str:
    """Tell which assumptions a real account would settle for nothing: those that a free row tries."""
    free = {row.rule for row in load() if row.is_free}
    names = [rule.name for rule in found if rule.source.kind == sources.Kind.ASSUMED and rule.name in free]
    listed = ", ".join(f"`{name}`" for name in names)
    return f"\n`--endpoint aws` asks an account about {len(names)} of them, for nothing: {listed}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the page, or tell whether it is up to date; print how much is assumed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    text = render()
    count = sum(rule.source.kind == sources.Kind.ASSUMED for rule in sources.RULES.values())
    print(f"{len(sources.RULES)} rules, {count} of them assumed")
    if not parser.parse_args().check:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.read_text(encoding="utf-8") == text:
        return 0
    print("docs/twin.md isn't what the rules say: run python docs/generate_twin.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
