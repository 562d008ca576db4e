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
LABELS, ARTISTS = 900, 800  # the pool's ids begin behind these
AS_OF = "2025-01-01"
# How large the catalogues are said to be: too small, just large enough …; the others are not known.
TOTALS: dict[tuple[str, int], tuple[int, str | None]] = {
    ("label", LABELS + 1): (4, "Small"),
    ("label", LABELS + 2): (5, "Five"),
    ("label", LABELS + 3): (9, None),
    ("label", LABELS + 4): (40, "Large"),
    ("label", 77): (5, "Not On Label (Someone)"),
    ("artist", ARTISTS + 1): (5, "Somebody"),
    ("artist", ARTISTS + 2): (11, "Somebody Else"),
    ("artist", ARTISTS + 3): (40, "Large"),
}


def described(release: int, variant: int, fields: frozenset[str]) -> dict[str, Any]:
    """What a statement says of a release: one of a few variants, as far as it names fields; null and missing vary."""
    n = release + 5 * variant
    name, descriptions = FORMATS[n % len(FORMATS)]
    carrier = {"name": name} if descriptions is None else {"name": name, "descriptions": list(descriptions)}
    labels: list[dict[str, Any]] = [{"id": LABELS + n % 9 + 1, "name": f"Label {n % 9 + 1}"}]
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
        "artists": [
            {"id": artist, "name": "Somebody"} for artist in (ARTISTS + 1 + n % 3, (None, 194, ARTISTS + 2)[n % 3])
        ],
        "labels": [] if n % 7 == 0 else labels,
        "formats": [carrier] if n % 2 else [carrier, {"name": "Vinyl", "descriptions": ["LP"]}],
        "genres": [] if n % 11 == 0 else [GENRES[n % 6], GENRES[(n * 5 + 1) % 6]],
        "styles": [STYLES[n % 12], STYLES[(n // 2) % 12], STYLES[n % 12]],
        "have": n * 37 % 300,
    }
    said = {name: value for name, value in everything.items() if name in fields}
    return {"id": release, **({"year": None} if "year" not in said and n % 2 else {}), **said}
