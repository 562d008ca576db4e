"""What is told of an award, to the byte: by whatever path, and whoever reads it again, it is the same."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from catalog.index import load_catalog
from services.stores import awards
from services.stores.awards import Message, NewAward
from services.stores.by_hand import Standing
from services.worker.messages import awarded

BADGES = load_catalog().badges
LADDER, SINGLE = BADGES["label-loyalist-gold"], BADGES["first-pressing"]
ID, BATCH = UUID(int=7), UUID(int=8)
EARNED, DONE = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
# In an order that is not the alphabet's, with text beyond ASCII.
EVIDENCE = {"value": 75.5, "metric": "label_coverage", "target": 75, "earned_with": {"title": "«x»", "release_id": 9}}
EVIDENCE_BYTES = (
    b'"evidence":{"earned_with":{"release_id":9,"title":"\xc2\xabx\xc2\xbb"},'
    b'"metric":"label_coverage","target":75,"value":75.5}'
)
ID_BYTES = b'"award_id":"00000000-0000-0000-0000-000000000007"'
BATCH_BYTES = b'"batch_id":"00000000-0000-0000-0000-000000000008"'
LADDER_BYTES = (
    b'"badge":{"category":"completionist","family":"label-loyalist","icon":"completionist-gold",'
    b'"key":"label-loyalist-gold","name":"Label Loyalist","tier":"gold","tier_index":2}'
)
SINGLE_BYTES = (
    b'"badge":{"category":"special","family":"first-pressing","icon":"special","key":"first-pressing",'
    b'"name":"First Pressing","tier":null,"tier_index":0}'
)


def earned(badge_key: str, context: str, **more: Any) -> NewAward:
    cause = {"source": "sync", "id": "e1"}
    return NewAward("ann", badge_key, context, ID, EARNED, "ownership.added", cause, BATCH, EVIDENCE, "digest", **more)


def by_hand(revision: int, evidence: dict[str, Any]) -> Standing:
    return Standing(ID, revision, EARNED, "manual", "manual", None, BATCH, evidence, sort_override=-3, hidden=True)


def told(message: Message) -> tuple[str, str, str, datetime, bytes]:
    return message.topic, message.subject, message.event_id, message.time, message.value


def test_an_award_that_was_earned() -> None:
    award = earned(LADDER.key, "label:5")
    assert told(awarded(award.name, award, LADDER, award.awarded_at, highest=True, notify=True)) == (
        "badge.awarded",
        "ann",
        f"{ID}:1",
        EARNED,
        b"{" + ID_BYTES + b',"awarded_at":"2026-01-02T03:04:05.678000Z",' + LADDER_BYTES + b"," + BATCH_BYTES + b","
        b'"caused_by":{"id":"e1","source":"sync"},"context":"label:5",' + EVIDENCE_BYTES + b","
        b'"highest_in_family":true,"notify":true,"revision":1,"source":"auto","trigger":"ownership.added",'
        b'"user_id":"ann"}',
    )


def test_an_award_of_a_campaign() -> None:
    award = earned(SINGLE.key, "", source="backfill", campaign_id="c1")
    message = awarded(award.name, award, SINGLE, award.awarded_at, highest=False, notify=False)
    assert message.value == (
        b"{" + ID_BYTES + b',"awarded_at":"2026-01-02T03:04:05.678000Z",' + SINGLE_BYTES + b"," + BATCH_BYTES + b","
        b'"campaign_id":"c1","caused_by":{"id":"e1","source":"sync"},"context":"",' + EVIDENCE_BYTES + b","
        b'"highest_in_family":false,"notify":false,"revision":1,"source":"backfill","trigger":"ownership.added",'
        b'"user_id":"ann"}'
    )


def test_an_award_by_hand() -> None:
    name = ("ann", LADDER.key, "label:5")
    award = by_hand(1, {"reason": "a gift"})
    assert told(awarded(name, award, LADDER, DONE, revision=1, highest=False, notify=True)) == (
        "badge.awarded",
        "ann",
        f"{ID}:1",
        DONE,
        b"{" + ID_BYTES + b',"awarded_at":"2026-01-02T03:04:05.678000Z",' + LADDER_BYTES + b"," + BATCH_BYTES + b","
        b'"caused_by":null,"context":"label:5","evidence":{"reason":"a gift"},"highest_in_family":false,"notify":true,'
        b'"revision":1,"source":"manual","trigger":"manual","user_id":"ann"}',
    )


def test_an_award_that_stands_again() -> None:
    message = awarded(
        ("ann", SINGLE.key, ""), by_hand(2, EVIDENCE), SINGLE, DONE, revision=2, highest=True, notify=False
    )
    assert message.event_id == f"{ID}:2"
    assert message.value == (
        b"{" + ID_BYTES + b',"awarded_at":"2026-01-02T03:04:05.678000Z",' + SINGLE_BYTES + b"," + BATCH_BYTES + b","
        b'"caused_by":null,"context":"",' + EVIDENCE_BYTES + b',"highest_in_family":true,"notify":false,'
        b'"revision":2,"source":"manual","trigger":"manual","user_id":"ann"}'
    )


def test_an_award_that_was_taken_back() -> None:
    message = awards.revoked(("ann", LADDER.key, "label:5"), ID, 2, DONE, by="op", reason="«mistake»")
    assert told(message) == (
        "badge.revoked",
        "ann",
        f"{ID}:2:revoked",
        DONE,
        b"{" + ID_BYTES + b',"badge_key":"label-loyalist-gold","by":"op","context":"label:5",'
        b'"reason":"\xc2\xabmistake\xc2\xbb","revision":2,"revoked_at":"2026-02-03T04:05:06Z","user_id":"ann"}',
    )
