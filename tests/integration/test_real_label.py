"""A real label, nearly complete: the R & S Records piece of a dump, loaded and bought release by release."""

from datetime import date

import pytest

from services.demo import catalogue
from services.stores.postgres import Connection
from tests.integration.dumps import empty, load_now
from tests.model import lab
from tests.model.events import added, minutes
from tests.model.lab import Log

TIERS = (("bronze", 25), ("silver", 50), ("gold", 75), ("platinum", 90))
CONTEXT = f"label:{catalogue.LABEL}"


@pytest.fixture
async def loaded(connection: Connection) -> Connection:
    """The catalogue of the demo, and nothing else."""
    await empty(connection)
    summary = await load_now(connection, catalogue.files(), date(2015, 1, 1))
    assert summary.finished
    assert summary.flawless
    return connection


async def test_each_tier_comes_with_the_release_that_reaches_it(loaded: Connection) -> None:
    releases = [one.release_id for one in catalogue.of_the_label()]
    total = len(releases)
    assert (
        await loaded.fetchval("select total from catalogue_total where kind = 'label' and id = $1", 245) == total == 885
    )
    known, log, owned = lab.knowledge(), Log(), 0
    for tier, percent in TIERS:
        enough = -(-total * percent // 100)
        # One release less is 24.97 %, 49.94 %, 74.91 %, 89.94 %.
        for upto in (enough - 1, enough):
            page = [(id_, {"id": id_}) for id_ in releases[owned:upto]]
            for start in range(0, len(page), 500):
                log.append(added(f"{tier}-{upto}-{start}", *page[start : start + 500], time=minutes(upto)))
            await lab.drain(loaded, known, log)
            owned = upto
            held = await lab.awards_of(loaded)
            assert (("ada", f"label-loyalist-{tier}", CONTEXT) in held) is (upto == enough), (tier, upto)
        evidence = held["ada", f"label-loyalist-{tier}", CONTEXT]["evidence"]
        assert (evidence["owned"], evidence["total"], evidence["label"]) == (enough, total, "R & S Records")
        assert evidence["earned_with"]["release_id"] == releases[enough - 1]
        assert evidence["percentage"] == enough * 1000 // total / 10
        assert evidence["as_of"] == "2015-01-01"
    assert await lab.drift_of(loaded, ["ada"]) == {}


async def test_first_pressings_of_the_label_are_those_of_a_plain_reading(loaded: Connection) -> None:
    """Every version of every master in the piece, compared in Python."""
    rows = await loaded.fetch("select release_id, master_id, issued, reissue, first_pressing from release")
    versions: dict[int, list[str]] = {}
    for row in rows:
        if row["master_id"] and row["issued"]:
            versions.setdefault(row["master_id"], []).append(row["issued"])

    def earlier(one: str, other: str) -> bool:
        """Whether it is known to be: compared as far as both are known."""
        length = min(len(one), len(other))
        return one[:length] < other[:length]

    marked = {row["release_id"] for row in rows if row["first_pressing"]}
    first = {
        row["release_id"]
        for row in rows
        if row["issued"] and not row["reissue"] and row["master_id"]
        and not any(earlier(other, row["issued"]) for other in versions[row["master_id"]])
    }  # fmt: skip
    assert marked == first
    assert len(marked) > 200
