"""Decoders as fast as msgspec allows, compiled from the pydantic models, which stay the single source.

Shape:   `decoder(model)` answers a cached `HotDecoder`; what it decodes has the attributes and properties of the model.
Raises:  NotJson where the bytes are no JSON document, Mismatch where they are one that the model refuses; nothing else.
         A constraint that cannot be compiled is a TypeError at compile time: none is dropped silently.

Where pydantic and this differ, on purpose, it is in how JSON is read, not in what a model means:
- a lone surrogate or a very long integer in a field nobody knows is ignored here; pydantic refuses the document;
- NaN and Infinity are no JSON here; pydantic's parser lets them pass in fields nobody knows;
- of a field given twice every occurrence must be valid here; pydantic looks at the last one only, which counts in both.
"""

import re
import types
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Union, cast, get_args, get_origin

import annotated_types as at
import msgspec
from pydantic import AfterValidator, BaseModel, WithJsonSchema
from pydantic.fields import FieldInfo

from contracts.events.fields import NO_NUL, check_no_nul
from contracts.events.ownership import Copy, OwnershipAdded
from contracts.events.release import Release

Check = Callable[[Any], Any]


class NotJson(Exception):
    """The bytes are no JSON document."""


class Mismatch(Exception):
    """The document is not what the model asks for: `path` (from the document's root) and what is wrong there."""

    def __init__(self, path: str, fault: str) -> None:
        super().__init__(f"{path}: {fault}")
        self.path = path
        self.fault = fault


_BOUNDS: dict[type, str] = {
    at.Ge: "ge",
    at.Gt: "gt",
    at.Le: "le",
    at.Lt: "lt",
    at.MinLen: "min_length",
    at.MaxLen: "max_length",
}


def _metadata(marks: tuple[Any, ...], where: str) -> tuple[dict[str, Any], list[Check]]:
    """Bounds for `msgspec.Meta`, and the check functions, among the marks of an annotation."""
    bounds: dict[str, Any] = {}
    checks: list[Check] = []
    for mark in marks:
        if isinstance(mark, FieldInfo):
            inner_bounds, inner_checks = _metadata(tuple(mark.metadata), where)
            bounds |= inner_bounds
            checks += inner_checks
        elif type(mark) in _BOUNDS:
            name = _BOUNDS[type(mark)]
            bounds[name] = getattr(mark, name)
        elif isinstance(mark, AfterValidator):
            # NUL is looked for once in the raw bytes, not in every text: see HotDecoder.
            if mark.func is not check_no_nul:
                checks.append(cast("Check", mark.func))
        elif not isinstance(mark, WithJsonSchema):
            raise TypeError(f"{where}: cannot compile {mark!r}")
    return bounds, checks


def _compile(annotation: Any, where: str, instead: Mapping[Any, Any]) -> tuple[Any, list[Check]]:
    """The msgspec type of an annotation, and the checks that its value has to pass.

    `instead`: types that stand for models.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, checks = _compile(arguments[0], where, instead)
        bounds, more = _metadata(arguments[1:], where)
        return (Annotated[inner, msgspec.Meta(**bounds)] if bounds else inner), checks + more
    if origin is Union or origin is types.UnionType:
        compiled = [_compile(argument, where, instead) for argument in arguments]
        checks = [check for _, some in compiled for check in some]
        if checks and [argument for argument in arguments if argument is not type(None)][1:]:
            raise TypeError(f"{where}: a check inside a union of several types")
        return Union[tuple(kind for kind, _ in compiled)], checks  # noqa: UP007 - built at run time
    if origin is list:
        inner, checks = _compile(arguments[0], where, instead)
        if checks:
            raise TypeError(f"{where}: a check inside a list")
        return list.__class_getitem__(inner), []
    if origin is Literal or origin is dict:
        return annotation, []
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return instead.get(annotation) or struct(annotation), []
    if annotation in (int, float, str, bool, type(None), Any):
        return annotation, []
    raise TypeError(f"{where}: cannot compile {annotation!r}")


def _post_init(checks: list[tuple[str, Check]]) -> Callable[[Any], None]:
    def __post_init__(self: Any) -> None:  # noqa: N807 - msgspec calls it by this name
        for name, check in checks:
            value = getattr(self, name)
            if value is None:
                continue
            try:
                check(value)
            except ValueError as fault:
                raise ValueError(f"`.{name}` {fault}") from None

    return __post_init__


@cache
def struct(model: type[BaseModel]) -> type[msgspec.Struct]:
    """The msgspec type that accepts what the model accepts."""
    return _define(model, {})


def _define(model: type[BaseModel], instead: Mapping[Any, Any], *, frozen: bool = True) -> type[msgspec.Struct]:
    fields: list[Any] = []
    checks: list[tuple[str, Check]] = []
    for name, field in model.model_fields.items():
        where = f"{model.__name__}.{name}"
        annotation = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        kind, found = _compile(annotation, where, instead)
        fields.append((name, kind) if field.is_required() else (name, kind, field.default))
        checks += [(name, check) for check in found]
    namespace: dict[str, Any] = {
        name: member for base in reversed(model.__mro__) if issubclass(base, BaseModel) and base is not BaseModel
        for name, member in vars(base).items() if isinstance(member, property)
    }  # fmt: skip
    if checks:
        namespace["__post_init__"] = _post_init(checks)
    # gc=False: what comes out of JSON cannot hold a cycle, so the collector need not look at it.
    return msgspec.defstruct(
        model.__name__, fields, namespace=namespace, frozen=frozen, kw_only=True, gc=False, module=__name__,
        omit_defaults=True,  # of what we publish
        forbid_unknown_fields=model.model_config.get("extra") == "forbid",
    )  # fmt: skip


def texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text inside a decoded value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from texts(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for position, element in enumerate(value):
            yield from texts(element, f"{path}[{position}]")
    elif isinstance(value, dict):
        for name, element in value.items():
            yield from texts(name, f"{path}.{name}")
            yield from texts(element, f"{path}.{name}")


_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.DOTALL
)
# Whole numbers and whole strings, each read once: linear however long they are.
_NUMBERS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[0-9][0-9.eE+-]*+', re.DOTALL)
_syntax = msgspec.json.Decoder(msgspec.Raw)
_LONGEST_PATH = 200
_LONGEST_NAME = 60
_BYTE = re.compile(r"\(byte ([0-9]+)\)")
_PLACE = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)


def _without_lone_surrogates(document: bytes) -> bytes:
    """The document with an escaped NUL for each lone surrogate: known text refuses it, unknown fields do not care."""
    return _ESCAPES.sub(
        lambda found: rb"\u0000" if found[0][:2] == rb"\u" and len(found[0]) == 6 else found[0], document
    )


def _with_short_integers(document: bytes) -> bytes:
    """The document with at most 40 digits to an integer: out of range just as well, but not for the parser."""
    return _NUMBERS.sub(lambda found: found[0][:40] if found[0].isdigit() else found[0], document)


def not_json(document: bytes, error: Exception) -> NotJson:
    """What to say of a document that is none."""
    text = str(error).removeprefix("JSON is malformed: ")
    if isinstance(error, UnicodeDecodeError):
        return NotJson("not UTF-8")
    if isinstance(error, RecursionError):
        return NotJson("nesting beyond 32")
    if text == "Input data was truncated":
        return NotJson("not JSON: ends too early")
    if place := _BYTE.search(text):
        rest = document[int(place[1]) :]
        for word in (b"NaN", b"Infinity"):
            if rest.startswith(word):
                return NotJson(f"not JSON: {word.decode()} ({place[0][1:-1]})")
    return NotJson(f"not JSON: {text}")


def mismatch(error: msgspec.ValidationError, root: str) -> Mismatch:
    """What msgspec says, as path and fault."""
    found = _PLACE.fullmatch(str(error))
    assert found is not None
    fault, path = found[1], root + (found[2] or "")
    if missing := re.fullmatch("Object missing required field `(.*)`", fault, re.DOTALL):
        return Mismatch(f"{path}.{missing[1]}", "missing")
    if unknown := re.fullmatch("Object contains unknown field `(.*)`", fault, re.DOTALL):
        return Mismatch(path, f"unknown field {unknown[1][:_LONGEST_NAME]!a}")
    if fault.startswith("Invalid enum value"):
        return Mismatch(path, "not one of the values allowed here")
    if checked := re.fullmatch(r"`(\.\w+)` (.*)", fault, re.DOTALL):
        return Mismatch(path + checked[1], checked[2])
    return Mismatch(path, (fault[:1].lower() + fault[1:]).replace("`", ""))


class HotDecoder:
    """Decodes documents of one type; `root` begins the path of a fault, `refuse_nul` says whether to look for NUL."""

    surrogate_escapes: ClassVar[tuple[bytes, ...]] = (rb"\ud", rb"\uD")

    def __init__(self, kind: Any, root: str, *, refuse_nul: bool = True) -> None:
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder(kind).decode
        self._root = root
        self._refuse_nul = refuse_nul

    def decode(self, document: bytes) -> Any:
        """The document as a struct.

        Raises:  NotJson, Mismatch.
        """
        try:
            value = self._decode(document)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            value, document = self._second_look(document, error)
        # The search for a single byte is ten times faster, and mostly enough.
        if self._refuse_nul and b"\\" in document and rb"\u0000" in document:
            for path, text in texts(value, self._root):
                if "\x00" in text:
                    raise Mismatch(path.replace("\x00", "?")[:_LONGEST_PATH], NO_NUL)
        return value

    def _second_look(self, document: bytes, error: Exception) -> tuple[Any, bytes]:
        """Decodes what msgspec refuses although the contract accepts it, or says precisely what is wrong."""
        mended = document
        if any(escape in document for escape in self.surrogate_escapes):
            mended = _without_lone_surrogates(mended)
        try:
            _syntax.decode(mended)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            raise not_json(mended, fault) from None
        if "out of range" in str(error):
            mended = _with_short_integers(mended)
        if mended is not document:
            try:
                return self._decode(mended), mended
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as again:
                error = again
        if isinstance(error, msgspec.ValidationError):
            raise mismatch(error, self._root) from None
        raise not_json(mended, error) from None


class ItemsDecoder(HotDecoder):
    """Decodes `items` whose `release` comes again and again: equal bytes of it give the same object.

    Anything unusual (a fault, an escaped NUL) goes the long way, which accepts and says the same.
    """

    most = 20_000

    def __init__(self, model: type[BaseModel], item: type[BaseModel], release: type[BaseModel], root: str) -> None:
        super().__init__(struct(model), root)
        open_item = _define(item, {release: msgspec.Raw}, frozen=False)
        self._outline: Callable[[bytes], Any] = msgspec.json.Decoder(_define(model, {item: open_item})).decode
        self._release: Callable[[bytes], Any] = msgspec.json.Decoder(struct(release)).decode
        self._known: dict[bytes, Any] = {}

    def decode(self, document: bytes) -> Any:
        """The document as a struct.

        Raises:  NotJson, Mismatch.
        """
        if b"\\" in document and rb"\u0000" in document:
            return super().decode(document)
        try:
            value = self._outline(document)
            for item in value.items:
                raw = bytes(item.release)
                known = self._known.get(raw)
                if known is None:
                    if len(self._known) >= self.most:
                        self._known.clear()
                    known = self._known[raw] = self._release(raw)
                item.release = known
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return super().decode(document)
        return value


@cache
def decoder(model: type[BaseModel]) -> HotDecoder:
    """The decoder for the data of a model, compiled once."""
    if model is OwnershipAdded:
        return ItemsDecoder(OwnershipAdded, Copy, Release, "data")
    return HotDecoder(struct(model), "data")
