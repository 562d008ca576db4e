"""Small pools that events of the state machine are made of: few users, times and releases, so that they collide."""

from datetime import UTC, datetime
from typing import Any

USERS = ("ada", "ben", "cem")
SOURCES = ("/app", "/web")
TIMES = tuple(
    datetime(year, month, 5, 12, tzinfo=UTC)
    for year, month in ((2018, 3), (2019, 3), (2020, 2), (2022, 7), (2023, 7), (2024, 2), (2025, 11), (2026, 5))
)
DAYS = ("2015-02-28", "2016-02-29", "2018-06-01T23:30:00-05:00", "2020-01-01", "2024-02-29", "2025-06-30")
GENRES = ("Rock", "Jazz", "Electronic", "Pop", "Reggae", "Folk, World, & Country")
STYLES = ("Rock", "Dub", "House", "Bop", "Ska", "Soul", "Ambient", "Disco", "Swing", "Techno", "Punk", "Beat")
COUNTRIES = ("UK", "US", "Europe", "Germany", "Trinidad & Tobago", "UK & Europe", "USSR", "Japan", "Unknown")
FORMATS: tuple[tuple[str, tuple[str, ...] | None], ...] = (
    ("Vinyl", ("LP", "Mono")),
    ("Vinyl", ("7\"", "12\"", "Mono")),
    ("CD", ("Album",)),
    ("Vinyl", None),
    ("Cassette", ()),
    ("All Media", ("LP",)),
    ("Shellac", ("10\"", "Mono")),
)  # fmt: skip
YEARS = (1958, 1969, 1969, 1972, 1985, 1991, 2004, 2019, 2025, 0, 2999, 1859)
RELEASED = ("1965-12-00", "?", "1974", "12 Mar 1983")


def described(release: int, variant: int, fields: frozenset[str]) -> dict[str, Any]:
    """What a statement says of a release: one of a few variants, as far as it names fields; null and missing vary."""
    n = release + 5 * variant
    name, descriptions = FORMATS[n % len(FORMATS)]
    carrier = {"name": name} if descriptions is None else {"name": name, "descriptions": list(descriptions)}
    labels: list[dict[str, Any]] = [{"id": n % 9 + 1, "name": f"Label {n % 9 + 1}"}]
    if n % 3 == 0:
        labels.append({"id": None, "name": f"Label {n % 4 + 1}"})
    if n % 4 == 0:
        labels = [{"id": 77, "name": "Not On Label (Someone)"}]
    everything: dict[str, Any] = {
        "title": f"Title {n}",
        "master_id": n % 4,
        "year": YEARS[n % len(YEARS)],
        "released": RELEASED[n % len(RELEASED)],
        "country": COUNTRIES[n % len(COUNTRIES)],
        "artists": [{"id": 1 + n % 3, "name": "Somebody"}],
        "labels": [] if n % 7 == 0 else labels,
        "formats": [carrier] if n % 2 else [carrier, {"name": "Vinyl", "descriptions": ["LP"]}],
        "genres": [] if n % 11 == 0 else [GENRES[n % 6], GENRES[(n * 5 + 1) % 6]],
        "styles": [STYLES[n % 12], STYLES[(n // 2) % 12], STYLES[n % 12]],
        "have": n * 37 % 300,
    }
    said = {name: value for name, value in everything.items() if name in fields}
    return {"id": release, **({"year": None} if "year" not in said and n % 2 else {}), **said}
