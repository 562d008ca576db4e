"""Every topic once: its model, key, direction, retention, size. The event dictionary is generated from here."""

from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel

from contracts.events.badge import BadgeAwarded, BadgeRevoked
from contracts.events.collection import CollectionSynced
from contracts.events.compare import CompareUsed
from contracts.events.cron import CronAnniversary, CronSweep
from contracts.events.edit import EditApproved
from contracts.events.ownership import OwnershipAdded, OwnershipRemoved
from contracts.events.rejection import EventRejected
from contracts.events.release import ReleaseDescribed
from contracts.events.review import ReviewApproved
from contracts.events.user import UserDeleted, UserJoined
from contracts.events.wishlist import WishlistAdded, WishlistRemoved

USER_KEY: Final = "user id"
RELEASE_KEY: Final = "release id"
RECORD_KEY: Final = "position of the rejected record"

# Above the contract's 1,000,000 bytes, so that an oversize record arrives and becomes a dead letter.
_IN_BYTES: Final = 4 * 1024 * 1024
_OUT_BYTES: Final = 1024 * 1024
_IN_DAYS: Final = 14
_OUT_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; its name is also the type of its events.

    Units:   retention in days, sizes in bytes.
    """

    name: str
    model: type[BaseModel]
    direction: Literal["in", "out"]
    key: str
    retention_days: int
    description: str
    max_message_bytes: int


def _in(name: str, model: type[BaseModel], description: str, key: str = USER_KEY) -> Topic:
    return Topic(name, model, "in", key, _IN_DAYS, description, _IN_BYTES)


def _out(name: str, model: type[BaseModel], description: str, key: str = USER_KEY) -> Topic:
    return Topic(name, model, "out", key, _OUT_DAYS, description, _OUT_BYTES)


_DECLARED: Final = (
    _in("user.joined", UserJoined, "sets the join date; the earliest wins"),
    _in("user.deleted", UserDeleted, "erases all of the user that is not newer than its time, dead letters included"),
    _in("ownership.added", OwnershipAdded, "puts copies into the collection, by instance_id"),
    _in("ownership.removed", OwnershipRemoved, "takes copies out of the collection"),
    _in("collection.synced", CollectionSynced, "ends a sync: graph badges become due, the digest is cut"),
    _in("wishlist.added", WishlistAdded, "puts releases onto the wishlist, a set"),
    _in("wishlist.removed", WishlistRemoved, "takes releases off the wishlist"),
    _in("review.approved", ReviewApproved, "adds to the set of approved reviews"),
    _in("edit.approved", EditApproved, "adds to the set of approved edits"),
    _in("compare.used", CompareUsed, "adds to the set of comparisons"),
    _in("cron.anniversary", CronAnniversary, "changes nothing; evaluates tenure at a date"),
    _in("cron.sweep", CronSweep, "recounts the counters from the stored sets and evaluates every badge"),
    _in(
        "release.described",
        ReleaseDescribed,
        "facts of the catalogue; owners whose facts changed get a cron.sweep",
        RELEASE_KEY,
    ),
    _out("badge.awarded", BadgeAwarded, "a user was given a badge"),
    _out("badge.revoked", BadgeRevoked, "a badge was taken from a user"),
    _out("event.rejected", EventRejected, "a record could not be accepted and is stored as a dead letter", RECORD_KEY),
)

TOPICS: Final[dict[str, Topic]] = {topic.name: topic for topic in _DECLARED}
INPUT_TOPICS: Final = tuple(topic.name for topic in _DECLARED if topic.direction == "in")
OUTPUT_TOPICS: Final = tuple(topic.name for topic in _DECLARED if topic.direction == "out")
