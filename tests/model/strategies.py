"""What producers say, drawn from small pools: every event the state machine appends.

Shape:   an event without its number: `prefix` becomes the beginning of its id, so that ties are decided by ids too.
"""

from typing import Any

from hypothesis import strategies as st

from tests.model import pools
from tests.model.measures import FIELDS
from tests.model.oracle import SETS

Said = dict[str, Any]
USERS = pools.USERS[:2]

users = st.sampled_from(USERS)
masks = st.one_of(st.just(frozenset(FIELDS)), st.frozensets(st.sampled_from(FIELDS)))
statements = st.builds(pools.described, st.integers(1, 12), st.integers(0, 3), masks)


def said(kind: str, data: st.SearchStrategy[Said], subject: st.SearchStrategy[str] = users) -> st.SearchStrategy[Said]:
    """An event of one type."""
    return st.fixed_dictionaries(
        {
            "type": st.just(kind),
            "subject": subject,
            "source": st.sampled_from(pools.SOURCES),
            "time": st.sampled_from(pools.TIMES),
            "prefix": st.sampled_from("abZ"),
            "data": data,
        }
    )


def page(first: int, count: int, variant: int, fields: frozenset[str]) -> Said:
    """A page of a sync: as many releases as copies."""
    numbers = range(first, first + count)
    return {"items": [{"instance_id": at, "release": pools.described(at, variant, fields)} for at in numbers]}


items = st.fixed_dictionaries({"instance_id": st.integers(1, 14), "release": statements})
gone = st.fixed_dictionaries({"instance_id": st.integers(1, 20)})
wished = st.fixed_dictionaries({"release_ids": st.lists(st.integers(1, 13), min_size=1, max_size=12)})

collected = st.one_of(
    said("ownership.added", st.fixed_dictionaries({"items": st.lists(items, min_size=1, max_size=6)})),
    said("ownership.added", st.builds(page, st.integers(1, 9), st.integers(6, 26), st.integers(0, 3), masks)),
    said("ownership.removed", st.fixed_dictionaries({"items": st.lists(gone, min_size=1, max_size=6)})),
)
wishes = st.one_of(said("wishlist.added", wished), said("wishlist.removed", wished))
news = statements.flatmap(lambda release: said("release.described", st.just(release), st.just(str(release["id"]))))
acts = st.one_of(
    *(said(kind, st.fixed_dictionaries({name: st.sampled_from("pqrstu")})) for kind, name in SETS.items()),
    said("user.joined", st.fixed_dictionaries({"joined_at": st.sampled_from(pools.DAYS)})),
)
calendar = st.one_of(
    said(
        "cron.anniversary", st.fixed_dictionaries({"on": st.sampled_from(("2017-02-28", "2021-06-01", "2026-05-01"))})
    ),
    said("cron.sweep", st.just({})),
    said("collection.synced", st.just({"sync_id": "s", "items_total": 3})),
)
deletions = said("user.deleted", st.just({}))
poisons = st.sampled_from((None, b"", b"{", b"[1]", b'{"items": NaN}', b"\xff\xfe", b'{"items": []}', b"[" * 40))


def some(what: st.SearchStrategy[Said], most: int = 4) -> st.SearchStrategy[list[Said]]:
    """One or a few of them."""
    return st.lists(what, min_size=1, max_size=most)
