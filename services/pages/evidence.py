"""Why an award was earned, in the words of the visitor's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, TypeAlias

from services.pages.texts import Texts

Json: TypeAlias = Mapping[str, Any]

MOST_ARTISTS: Final = 5


def sentences(t: Texts, evidence: Json) -> list[str]:
    """The numbers and names that decided, what decided first; none where evidence does not say."""
    metric, value, target = (evidence.get(name) for name in ("metric", "value", "target"))
    if not isinstance(metric, str) or not isinstance(value, int):
        return []
    found = []
    if "percentage" in evidence:
        found.append(_share(t, evidence))
    elif metric == "hops":
        found.append(t("evidence.hops", n=value))
    elif f"proof.{metric}" in t:
        proof = t(f"proof.{metric}", n=value, decade=str(evidence.get("decade", "?")), owned="?")
        found.append(t("evidence.numbers", proof=proof, n=target))
    if evidence.get("exact") is False:
        found.append(t("evidence.at_least"))
    if oldest := evidence.get("oldest"):
        found.append(t("evidence.oldest", name=title(t, oldest), year=str(oldest["year"])))
    if first := evidence.get("first_pressing"):
        known = {"date": first.get("date") or "?", "n": first.get("versions") or 1}
        found.append(t("evidence.first_pressing", name=title(t, first), **known))
    if artists := evidence.get("artists"):
        found.append(t("evidence.best", names=", ".join(name_of(one) for one in artists[:MOST_ARTISTS])))
    if (item := evidence.get("earned_with")) and not (oldest or first):
        found.append(t("evidence.with", name=title(t, item)))
    if "as_of" in evidence:
        found.append(t("evidence.as_of", day=t.day(date.fromisoformat(evidence["as_of"]))))
    return found


def path(evidence: Json) -> list[str]:
    """The artists of a Six Degrees badge, from one end of the chain to the other."""
    return [name_of(one) for one in evidence.get("path") or ()]


def title(t: Texts, release: Json) -> str:
    """A release by its title, else by its number."""
    return release.get("title") or t("missing.untitled_release", id=str(release["release_id"]))


def name_of(artist: Json) -> str:
    """An artist by name, else by number."""
    return artist.get("name") or f"#{artist['artist_id']}"


def percent(share: float) -> float:
    """The share as it is read: 37 and not 37.0."""
    return int(share) if share == int(share) else share


def _share(t: Texts, evidence: Json) -> str:
    kind = "label" if "label_id" in evidence else "artist"
    return t(
        f"evidence.{kind}",
        owned=evidence["owned"],
        total=evidence["total"],
        name=evidence.get(kind) or t(f"context.{kind}", id=str(evidence[f"{kind}_id"])),
        percentage=percent(evidence["percentage"]),
        target=evidence["target"],
    )
