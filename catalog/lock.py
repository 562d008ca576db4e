"""The lock: one line `key digest` per badge, so that no rule changes without a line that says so.

The digest covers the rule (criterion, triggers, context kind) and nothing else: words, icons and scores may change
freely. Behind it stands `shadow` for as long as the badge is one: out of the shadow it is the same badge.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib import resources

from catalog.definition import BadgeDefinition

LOCK_FILE = "catalog.lock"
SHADOW = " shadow"
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


def entry(badge: BadgeDefinition) -> str:
    """What the lock says of the badge behind its key."""
    return digest(badge) + SHADOW * badge.shadow


def render(badges: Iterable[BadgeDefinition]) -> str:
    """The lock's text for these badges, sorted by key."""
    return "".join(f"{badge.key} {entry(badge)}\n" for badge in sorted(badges, key=lambda badge: badge.key))


def parse(text: str) -> dict[str, str]:
    """Key to entry, of a lock's text.

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
    present = {badge.key: badge for badge in badges}
    found = irrevocable(present.values(), locked)
    for key, badge in sorted(present.items()):
        if key not in locked:
            found.append(f"{key}: not in {LOCK_FILE} yet; add it with `{RENEW}`")
        elif locked[key].removesuffix(SHADOW) != digest(badge):
            found.append(f"{key}: its rule differs from {LOCK_FILE}; if that is meant, say so with `{RENEW}`")
        elif locked[key] != entry(badge) and not badge.shadow:
            found.append(
                f"{key}: it is to leave the shadow; if that is meant, say so with `{RENEW}`,"
                f" deploy it and run `gatefold catalog promote {key}`"
            )
    return found


def irrevocable(badges: Iterable[BadgeDefinition], locked: Mapping[str, str]) -> list[str]:
    """Faults that no new lock mends: badges that the catalog lost, or that vanish into the shadow; awards exist."""
    present = {badge.key: badge for badge in badges}
    lost = [
        f"{key}: in {LOCK_FILE}, but not in the catalog; retire a badge, never delete it"
        for key in sorted(set(locked) - set(present))
    ]
    return lost + [
        f"{key}: in {LOCK_FILE} without the shadow; a badge that was shown is retired"
        for key, badge in sorted(present.items())
        if badge.shadow and not locked.get(key, SHADOW).endswith(SHADOW)
    ]
