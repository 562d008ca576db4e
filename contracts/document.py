"""What can be said of a JSON document's bytes before a parser sees them."""

import re
from typing import Final

MAX_DEPTH: Final = 32

_NOT_STRUCTURE: Final = bytes(range(256)).translate(None, b'[]{}"')
_AS_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_escapes = re.compile(rb"\\.", re.DOTALL)
_strings = re.compile(rb'"[^"]*"')


def fault(document: bytes) -> str | None:
    """What is wrong with the document as bytes: not UTF-8, or nested beyond 32; None when neither."""
    if not document.isascii():
        try:
            document.decode()
        except UnicodeDecodeError as error:
            return f"not UTF-8 (byte {error.start})"
    # Few brackets cannot nest deeply: that settles it for a single item.
    if document.count(b"{") + document.count(b"[") > MAX_DEPTH and is_deep(document):
        return f"nesting beyond {MAX_DEPTH}"
    return None


def is_deep(document: bytes) -> bool:
    """Whether brackets outside of strings are nested beyond 32; exact for JSON, linear time for anything."""
    if b"\\" in document:
        document = _escapes.sub(b"", document)
    skeleton = document.translate(_AS_SQUARE, _NOT_STRUCTURE)
    # A closing quote next to an opening one may go with it: it joins two strings, and brackets stay inside or outside.
    skeleton = skeleton.replace(b'""', b"")
    if b'"' in skeleton:
        skeleton = _strings.sub(b"", skeleton)
    for _ in range(MAX_DEPTH):
        shallower = skeleton.replace(b"[]", b"")
        if len(shallower) == len(skeleton):
            break
        skeleton = shallower
    # What is left of few brackets that do not match is for the parser to name; many could exhaust it.
    return len(skeleton) > MAX_DEPTH or (b"[]" in skeleton)
