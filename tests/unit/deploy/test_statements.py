"""Statements on tables that Citus would shard say whose rows they mean, but for a few that are meant for all."""

import re

import pytest

from services.stores.queries import statements, subjects
from tests.unit.deploy.names import DEPLOY

SHOWN = "user_badges"  # a view: what is shown of `award`, wherever that lies
SHARDED = {SHOWN} | set(
    re.findall(r"create_distributed_table\('(\w+)', 'user_id'", (DEPLOY / "citus.sql").read_text("utf-8"))
)
SCALING = (DEPLOY.parent / "docs/scaling.md").read_text(encoding="utf-8")
# They ask all nodes. None of them is asked for every event or by a reader.
OF_ALL_USERS = {
    "awards.ids": "the demo's summary",
    "campaigns.show": "a campaign: how many awards are its own",
    "campaigns.standing": "a rollback: the next of a campaign's awards",
    "campaigns.to_take_back": "a rollback: how many awards it would take back",
    "campaigns.users": "a campaign: the next users, whoever they are",
    "collectors.count": "`gatefold recount`, for its progress bar",
    "collectors.page": "`gatefold recount`, user after user",
    "collectors.sample": "dry runs and `catalog diff`: some users, whoever they are",
    "cron.count_joined": "an anniversary's progress bar",
    "cron.count_slice": "a sweep's progress bar",
    "cron.joined": "a day's anniversaries, a page at a time",
    "cron.slice": "a night's sweep, a page at a time",
    "exports.export_awards": "everybody's, or one user's",
    "exports.export_state": "everybody's, or one user's",
    "facts.prune": "a deletion and `release.described`: facts that nobody counts any more",
    "graph.claim": "the lane: whoever is due",
    "graph.gauges": "the lane: how many are due",
    "graph.unbounded": "the lane: who is due and was not looked at",
    "graph.wake": "after the first rebuild of the graph",
    "holders.held": "the daily count of holders, a page of users at a time",
    "holders.nominate": "the daily count of holders: who may be among the first",
    "holders.rank": "the daily count of holders: who was among the first",
    "holders.users": "the daily count of holders, a page of users at a time",
    "looking.awards": "an export of awards, a page at a time",
    "looking.feed": "the newest awards, whoever they are of",
    "looking.feed_counts": "how many awards were given of late",
    "news.add": "`release.described`: whether anybody owns it",
    "news.collectors": "a load of the catalogue: the next users, whoever they are",
    "news.owners": "`release.described`: the next of those who own it",
    "outbox.count_holders": "rarity, now and then",
    "shares.find": "whose a link is: nobody says who asks, an index on each node says whose",
    "shadows.count": "`gatefold catalog promote`: how many awards",
    "shadows.holders": "how many hold each badge in the shadow",
    "shadows.users": "`gatefold catalog promote`: the next users, whoever they are",
    "positions.positions": "`gatefold status` and `wait`: how many are due",
}
ALL = {f"{subject}.{name}": sql for subject in subjects() for name, sql in statements(subject).items()}
USE = re.compile(r"\b(?:from|join|into|update|using)\s+(\w+)")
# Parameters, and a join with the users of a bundle or of a table that has them. `… or user_id = $1` is none.
MEANS = re.compile(
    r"(?<![\w.])(?<!or )(?:\w+\.)?user_id = (?:\$1\b|any\(\$1::text(?:::text)?\[\]\)|\w+\.user_id)|into \w+ \(user_id,"
)


def uses(sql: str) -> list[str]:
    """The sharded tables of a statement, each as often as it is named; a CTE may have the name of one."""
    code = re.sub(r"--.*", "", sql)
    return [name for name in USE.findall(code) if name in SHARDED - set(re.findall(r"(\w+) as (?:\w+ )?\(", code))]


def names_its_users(sql: str) -> bool:
    """Whether there is a predicate for each use of a sharded table."""
    return len(MEANS.findall(re.sub(r"--.*", "", sql))) >= len(uses(sql))


@pytest.mark.parametrize("name", [name for name, sql in ALL.items() if uses(sql)])
def test_statements_on_sharded_tables_name_their_users(name: str) -> None:
    assert names_its_users(ALL[name]) is (name not in OF_ALL_USERS)


def test_most_statements_were_looked_at() -> None:
    found = [table for sql in ALL.values() for table in uses(sql)]
    assert set(found) == SHARDED
    assert len(found) > 40
    assert OF_ALL_USERS.keys() <= ALL.keys()


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("select 1 from owned where user_id = $1", True),
        ("select user_id from owned where release_id = $1", False),
        ("select 1 from owned where $1::text is null or user_id = $1", False),
        ("select 1 from owned o where $1::text is null or o.user_id = $1", False),
        ("select 1 from owned o where o.user_id = $1 and exists (select from activity)", False),
        ("insert into owned (release_id, user_id) select 1", False),
    ],
)
def test_what_counts_as_naming(sql: str, named: bool) -> None:
    assert names_its_users(sql) is named


def test_the_statements_that_the_document_tells_of_exist() -> None:
    told = {name for name in re.findall(r"`(\w+\.\w+)`", SCALING) if name.partition(".")[0] in subjects()}
    assert told == {"collectors.lock", "erasure.messages", "facts.prune"}
    assert told <= ALL.keys()
    of = re.search(r"of\s+(\d+) statements (\d+) are planned", SCALING)
    assert of is not None
    assert int(of[1]) - int(of[2]) == len(told)
