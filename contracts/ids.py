"""Names of the things events speak of, and the rules that make an id valid.

Units:   numeric ids are Discogs' own, 1 ... 2^63-1; 0 is never an id (a master_id of 0 says "none").
"""

import re
from typing import Final, NewType

UserId = NewType("UserId", str)
BadgeKey = NewType("BadgeKey", str)
Context = NewType("Context", str)
"""'' or what a badge was earned for: ``label:<id>``, ``artist:<id>``, ``master:<id>``."""
ReleaseId = NewType("ReleaseId", int)
MasterId = NewType("MasterId", int)
InstanceId = NewType("InstanceId", int)

MAX_ID: Final = 2**63 - 1
MAX_TEXT: Final = 4_000
MAX_ITEMS: Final = 500
MAX_OBJECT_ID: Final = 128
USER_ID_PATTERN: Final = "[A-Za-z0-9_.:@-]{1,64}"

# fullmatch, not `$`: `$` would let a newline through at the end.
_is_user_id = re.compile(USER_ID_PATTERN).fullmatch


def is_user_id(text: str) -> bool:
    """Whether the text is a user id: 1 to 64 of ASCII letters, digits and ``_ . : @ -``."""
    return _is_user_id(text) is not None
