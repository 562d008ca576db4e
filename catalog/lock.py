"""The lock: one line `key digest` per badge, so that no rule changes without a line that says so.

The digest covers the rule (criterion, triggers, context kind) and nothing else: words, icons and scores may change
freely.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib import resources

from catalog.definition import BadgeDefinition

LOCK_FILE = "catalog.lock"
RENEW = "gatefold catalog lint --write-lock"


def digest(badge: BadgeDefinition) -> str:
    """What identifies the badge's rule: 16 hexadecimal digits."""
    rule = {
        "criterion": badge.criterion.model_dump(mode="json"),
        "triggers": sorted(badge.triggers),
        "context_kind": badge.context_kind,
    }
    text = json.dumps(rule, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def render(badges: Iterable[BadgeDefinition]) -> str:
    """The lock's text for these badges, sorted by key."""
    return "".join(f"{badge.key} {digest(badge)}\n" for badge in sorted(badges, key=lambda badge: badge.key))


def parse(text: str) -> dict[str, str]:
    """Key to digest, of a lock's text.

    Raises: ValueError naming the line that is not `key digest`.
    """
    locked: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key, _, value = line.partition(" ")
        if not key or not value or key in locked:
            raise ValueError(f"{LOCK_FILE}, line {number}: expected one `key digest` per badge, got {line!r}")
        locked[key] = value
    return locked


def read_lock() -> dict[str, str]:
    """The committed lock; empty where there is none yet.

    Raises: ValueError where the file is not a lock.
    """
    file = resources.files("catalog").joinpath(LOCK_FILE)
    return parse(file.read_text(encoding="utf-8")) if file.is_file() else {}


def lock_faults(badges: Iterable[BadgeDefinition], locked: Mapping[str, str]) -> list[str]:
    """Where the badges differ from the lock, each fault with its remedy."""
    present = {badge.key: digest(badge) for badge in badges}
    found = removed(present, locked)
    for key in sorted(present):
        if key not in locked:
            found.append(f"{key}: not in {LOCK_FILE} yet; add it with `{RENEW}`")
        elif locked[key] != present[key]:
            found.append(f"{key}: its rule differs from {LOCK_FILE}; if that is meant, say so with `{RENEW}`")
    return found


def removed(keys: Iterable[str], locked: Mapping[str, str]) -> list[str]:
    """Faults for badges that the lock has and the catalog lost: awards of them exist, so they are retired instead."""
    return [
        f"{key}: in {LOCK_FILE}, but not in the catalog; retire a badge, never delete it"
        for key in sorted(set(locked) - set(keys))
    ]
