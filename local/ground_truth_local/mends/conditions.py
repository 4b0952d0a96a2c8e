"""Conditions: MiniStack compares ``AWS::Region``, ``Fn::FindInMap``, ``Fn::Join``… without resolving them."""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

_MODULES = (engine, stacks, handlers, changesets, provisioners)
# These yield a value; the others (Fn::Equals, Condition…) yield a truth, which the stock code handles.
_VALUES = frozenset({"Ref", "Fn::FindInMap", "Fn::Join", "Fn::Sub", "Fn::Select", "Fn::Split", "Fn::If"})
_stock = engine._evaluate_conditions


def install() -> None:
    """Resolve the operands before the stock code compares them."""
    for module in _MODULES:
        module._evaluate_conditions = _evaluate


def _evaluate(template: dict[str, Any], params: dict[str, Any]) -> Any:
    definitions = template.get("Conditions") or {}
    mappings = template.get("Mappings") or {}

    def resolve(node: Any) -> Any:
        if isinstance(node, list):
            return [resolve(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1 and next(iter(node)) in _VALUES:
            return engine._resolve_refs(node, {}, params, {}, mappings, "", "")
        return {name: resolve(value) for name, value in node.items()}

    return _stock({**template, "Conditions": resolve(definitions)}, params)
