"""Whether a schema only grew: what other systems rely on is never taken away.

Shape:   `breaks(before, after, direction)` lists every break as "path: what", empty when there is none.
         What we take ("in") may ask for no more than before; what we publish ("out") may promise no less.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

Schema = Mapping[str, Any]
Direction = Literal["in", "out"]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_EXACT = ("pattern", "format")


def breaks(before: Schema, after: Schema, direction: Direction) -> list[str]:
    """Every way in which `after` breaks who relies on `before`."""
    return list(_Comparison(before, after, direction).compare(before, after, "data"))


class _Comparison:
    def __init__(self, before: Schema, after: Schema, direction: Direction) -> None:
        self._before_root = before
        self._after_root = after
        self._direction = direction

    def compare(self, before: Schema, after: Schema, path: str) -> Iterator[str]:
        """Breaks at the path and below it."""
        old, new = _alternatives(before, self._before_root), _alternatives(after, self._after_root)
        for kind in old:
            if self._direction == "in" and not _takes(new, kind):
                yield f"{path}: no longer takes {kind}"
        for kind in new:
            if self._direction == "out" and not _takes(old, kind):
                yield f"{path}: may now be {kind}"
        for kind in old.keys() & new.keys():
            yield from self._compare_alternative(old[kind], new[kind], path)

    def _compare_alternative(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        if self._direction == "in":
            yield from _narrowed(old, new, path)
        if "items" in old and "items" in new:
            yield from self.compare(old["items"], new["items"], f"{path}[]")
        yield from self._compare_properties(old, new, path)

    def _compare_properties(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        old_properties, new_properties = old.get("properties", {}), new.get("properties", {})
        old_required, new_required = set(old.get("required", ())), set(new.get("required", ()))
        for name in old_properties:
            if name not in new_properties:
                yield f"{path}.{name}: removed"
            else:
                yield from self.compare(old_properties[name], new_properties[name], f"{path}.{name}")
        if self._direction == "in":
            for name in sorted(new_required - old_required):
                yield f"{path}.{name}: newly required"
        else:
            for name in sorted((old_required - new_required) & new_properties.keys()):
                yield f"{path}.{name}: no longer always there"


def _alternatives(schema: Schema, root: Schema) -> dict[str, Schema]:
    """The schema by JSON type, references followed; "anything" where it names no type."""
    if "$ref" in schema:
        return _alternatives(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        found: dict[str, Schema] = {}
        for alternative in schema["anyOf"]:
            found |= _alternatives(alternative, root)
        return found
    return {schema.get("type", "anything"): schema}


def _takes(alternatives: Mapping[str, Schema], kind: str) -> bool:
    return kind in alternatives or "anything" in alternatives or (kind == "integer" and "number" in alternatives)


def _narrowed(old: Schema, new: Schema, path: str) -> Iterator[str]:
    """Bounds of one type that let less through than before."""
    for bound in _LOWER:
        if bound in new and (bound not in old or new[bound] > old[bound]):
            yield f"{path}: {bound} raised to {new[bound]}"
    for bound in _UPPER:
        if bound in new and (bound not in old or new[bound] < old[bound]):
            yield f"{path}: {bound} lowered to {new[bound]}"
    for rule in _EXACT:
        if rule in new and new[rule] != old.get(rule):
            yield f"{path}: {rule} is now {new[rule]}"
    if (allowed := _allowed(new)) is not None:
        before = _allowed(old)
        if before is None:
            yield f"{path}: now one of {sorted(map(repr, allowed))}"
        else:
            for value in before:
                if value not in allowed:
                    yield f"{path}: no longer takes {value!r}"
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        yield f"{path}: now forbids unknown fields"


def _allowed(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")
