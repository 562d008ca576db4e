"""The role of each process: every table has decided rights, and what is not granted is refused."""

import asyncio
import re
import secrets
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.stack.stack import Stack
from services.stores.migrate import migrate, migrations
from tests.integration.commands import gatefold

# Words for rights: a column in brackets where not the whole table is meant.
READ, WRITE = {"SELECT"}, {"SELECT", "INSERT", "UPDATE", "DELETE"}
WORKER, RELAY, API = "gatefold_worker", "gatefold_relay", "gatefold_api"
SCHEDULER, GRAPH, ADMIN, NOTIFIER = "gatefold_scheduler", "gatefold_graph", "gatefold_admin", "gatefold_notifier"
LETTERS = ("topic", "partition", "offset", "key", "stage", "reason", "seen_at", "redriven_at")
BY_HAND = (
    *("revision", "source", "trigger", "caused_by", "batch_id"),
    *("sort_override", "hidden", "revoked_at", "campaign_id"),
)
OF_AWARDS = {
    *(f"SELECT ({name})" for name in ("user_id", "badge_key", "context", "award_id", "revision", "source")),
    *("SELECT (campaign_id)", "SELECT (revoked_at)", "UPDATE (revoked_at)"),
}
# By table; a table that is not here has no rights for anybody, which the first test finds out.
RIGHTS = {
    "activity": {WORKER: WRITE, API: READ},
    "alarm": {API: READ, SCHEDULER: WRITE},
    "artist": {WORKER: READ, API: READ, GRAPH: READ},
    "audit_log": {ADMIN: {"SELECT", "INSERT"}},
    "badge_holders": {RELAY: WRITE, API: READ, SCHEDULER: {"SELECT", "INSERT", "UPDATE"}},
    "badge_holders_history": {API: READ, SCHEDULER: WRITE},
    "badge_ranking": {SCHEDULER: {"SELECT", "INSERT", "UPDATE"}},
    "award": {
        WORKER: {"SELECT", "INSERT", "DELETE"},
        RELAY: OF_AWARDS | {"SELECT (shadow)"},
        API: READ,
        GRAPH: {"SELECT", "INSERT"},
        ADMIN: {"SELECT", "INSERT", *(f"UPDATE ({name})" for name in (*BY_HAND, "shadow", "notify", "given_no"))},
    },
    "award_log": {API: READ, ADMIN: {"SELECT", "INSERT"}},
    "brake": {WORKER: {"SELECT", "INSERT"}},
    "campaign": {
        WORKER: {"SELECT", "UPDATE (scope_value)"},
        RELAY: {"SELECT", "UPDATE (state)", "UPDATE (finished_at)"},
        API: READ,
        SCHEDULER: {f"SELECT ({name})" for name in ("badge_keys", "started_at", "finished_at", "rollback_at")},
        ADMIN: {"SELECT", "INSERT", "UPDATE"},
    },
    "campaign_cursor": {RELAY: {"SELECT", "UPDATE"}, API: READ, ADMIN: {"SELECT", "INSERT"}},
    "campaign_progress": {WORKER: {"SELECT", "INSERT", "UPDATE"}, RELAY: READ, API: READ, ADMIN: READ},
    "catalogue_load": {},
    "catalogue_total": {WORKER: READ, API: READ},
    "collector": {
        WORKER: WRITE,
        RELAY: {"SELECT (user_id)"},
        API: READ,
        SCHEDULER: {"SELECT (user_id)", "SELECT (joined_on)", "SELECT (seen_on)"},
        GRAPH: {"SELECT", "UPDATE (age_seen)"},
        ADMIN: {"SELECT (user_id)", "SELECT (erased_at)", "UPDATE (age_seen)"},
    },
    "collector_graph": {WORKER: {"SELECT", "DELETE"}, API: READ, GRAPH: {"SELECT", "INSERT", "UPDATE"}},
    "cron_run": {API: READ, SCHEDULER: {"SELECT", "INSERT", "UPDATE"}},
    "dead_letter": {
        WORKER: {"SELECT", "INSERT", "DELETE"},
        SCHEDULER: {"SELECT (seen_at)", "SELECT (redriven_at)", "DELETE"},
        API: {f"SELECT ({name})" for name in LETTERS},
    },
    "drift": {WORKER: {"INSERT"}, SCHEDULER: {"SELECT", "DELETE"}},
    "erased": {WORKER: {"SELECT", "INSERT", "UPDATE"}},
    "evaluation_cost": {WORKER: {"SELECT", "INSERT", "UPDATE"}, SCHEDULER: {"SELECT", "DELETE"}},
    "event_history": {SCHEDULER: WRITE},
    "facet_count": {WORKER: WRITE, RELAY: READ, API: READ},
    "facet_value": {WORKER: {"SELECT", "INSERT"}, API: READ},
    "facts": {WORKER: {"SELECT", "INSERT", "DELETE"}, RELAY: READ, API: READ, GRAPH: READ},
    "graph_due": {WORKER: WRITE, API: READ, GRAPH: {"SELECT", "UPDATE", "DELETE"}},
    "inbox": {WORKER: {"SELECT", "INSERT"}, SCHEDULER: {"SELECT", "DELETE"}},
    "label": {WORKER: READ, API: READ},
    "load_file": {},
    "load_release": {RELAY: {"SELECT", "DELETE"}},
    "load_total": {RELAY: {"SELECT", "DELETE"}},
    "load_touched": {},
    "master": {WORKER: {"SELECT", "UPDATE (earliest)", "UPDATE (dated)"}, API: READ},
    "migration": {WORKER: READ, RELAY: READ, SCHEDULER: READ, GRAPH: READ, NOTIFIER: READ},
    "news": {WORKER: {"SELECT", "INSERT"}, RELAY: {"SELECT", "UPDATE", "DELETE"}, API: READ},
    "notice": {WORKER: {"SELECT (user_id)", "SELECT (notice_id)", "DELETE"}, NOTIFIER: WRITE},
    "notice_award": {WORKER: {"SELECT (user_id)", "SELECT (notice_id)", "DELETE"}, NOTIFIER: WRITE},
    "offset_hole": {WORKER: {"SELECT", "INSERT", "UPDATE"}},
    "offset_ledger": {
        WORKER: {"SELECT", "INSERT", "UPDATE"},
        API: READ,
        GRAPH: READ,
        SCHEDULER: {"SELECT (topic)", "SELECT (processed)"},
    },
    "outbox": {
        WORKER: {"SELECT", "INSERT", "DELETE"},
        RELAY: {"SELECT", "INSERT", "DELETE", "UPDATE (failed_at)", "UPDATE (error)"},
        API: {"SELECT (id)", "SELECT (created_at)", "SELECT (failed_at)"},
        SCHEDULER: {"SELECT (failed_at)", "INSERT"},
        GRAPH: {"INSERT"},
        ADMIN: {"INSERT"},
    },
    "owned": {WORKER: WRITE, API: READ},
    "owned_release": {WORKER: WRITE, RELAY: READ, API: READ, GRAPH: READ},
    "release": {WORKER: {"SELECT", "INSERT", "UPDATE"}, RELAY: READ, API: READ, GRAPH: READ},
    "release_artist": {API: READ},
    "release_label": {API: READ},
    "staged_artist": {},
    "staged_label": {},
    "staged_master": {},
    "staged_release": {},
    "share": {WORKER: {"SELECT", "DELETE"}, API: WRITE, ADMIN: WRITE},
    "user_badges": {
        WORKER: {"SELECT", "INSERT", "DELETE"},
        RELAY: OF_AWARDS,
        API: {"SELECT", "UPDATE (pinned_at)"},
        SCHEDULER: {
            *(f"SELECT ({name})" for name in ("user_id", "badge_key", "context", "awarded_at", "revoked_at", "source")),
            *("SELECT (rank)", "UPDATE (rank)"),
        },
        GRAPH: {"SELECT", "INSERT"},
        ADMIN: {"SELECT", "INSERT", "UPDATE (pinned_at)", *(f"UPDATE ({name})" for name in BY_HAND)},
        NOTIFIER: {f"SELECT ({name})" for name in ("user_id", "award_id", "revision", "revoked_at")},
    },
}
TABLES = "select table_name from information_schema.tables where table_schema = 'public'"  # views, too
GRANTS = """
with whole as (
    select table_name, grantee, privilege_type from information_schema.role_table_grants
    where table_schema = 'public' and grantee like 'gatefold\\_%'
)
select * from whole
union all
select table_name, grantee, privilege_type || ' (' || column_name || ')' from information_schema.role_column_grants
where table_schema = 'public' and grantee like 'gatefold\\_%'
  and (table_name, grantee, privilege_type) not in (select * from whole)
"""


async def test_every_table_has_decided_rights(database: str) -> None:
    connection = await asyncpg.connect(database)
    tables = {row[0] for row in await connection.fetch(TABLES)}
    granted: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for table, role, right in await connection.fetch(GRANTS):
        granted[table][role].add(right)
    await connection.close()
    assert tables == set(RIGHTS)
    assert {table: dict(granted[table]) for table in RIGHTS} == RIGHTS


@pytest.mark.parametrize("role", [WORKER, RELAY, API, SCHEDULER, GRAPH, ADMIN, NOTIFIER])
async def test_what_is_not_granted_is_refused(database: str, role: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(f"set role {role}")
    for statement in ("create table mine (x int)", "drop table inbox", "alter table inbox add x int", "truncate inbox"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    for table, roles in RIGHTS.items():
        tries = {"SELECT": f"select * from {table}", "DELETE": f"delete from {table} where false"}  # noqa: S608
        for right, statement in tries.items():
            if right in roles.get(role, set()):
                await connection.execute(statement)
            else:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
    await connection.close()


@contextmanager
def empty_server() -> Iterator[str]:
    """A PostgreSQL of its own: roles belong to a whole server."""
    with Stack.temporary(("postgres",)) as engines:
        yield engines.endpoints().postgres_url


async def test_who_may_not_create_roles_goes_without_and_is_told() -> None:
    with empty_server() as server:
        owner = await asyncpg.connect(server)
        name, password = f"plain_{secrets.token_hex(4)}", secrets.token_hex(8)
        await owner.execute(f"create role {name} login password '{password}'")
        for database in ("first", "second"):
            await owner.execute(f"create database {database} owner {name}")
        address = urlsplit(server)
        netloc = f"{name}:{password}@{address.hostname}:{address.port}"
        first, second = (address._replace(netloc=netloc, path=f"/{one}").geturl() for one in ("first", "second"))
        done = await asyncio.to_thread(gatefold, {"GATEFOLD_POSTGRES_URL": first}, "migrate")
        assert (done.code, done.out.count("ran ")) == (0, len(migrations()))
        assert done.err == f"no role {WORKER}: {name} may not create roles; see Roles in docs/operations.md\n"
        plain = await asyncpg.connect(first)
        assert await plain.fetch(GRANTS) == []
        await plain.close()

        # Once somebody who may has created them, the owner of the tables can grant.
        for role in (WORKER, RELAY, API, SCHEDULER, GRAPH, ADMIN, NOTIFIER):
            await owner.execute(f"create role {role} nologin")
        await migrate(second, warn=pytest.fail)
        plain = await asyncpg.connect(second)
        granted = {tuple(row) for row in await plain.fetch(GRANTS)}
        assert len(granted) == sum(len(rights) for roles in RIGHTS.values() for rights in roles.values())
        await plain.close()
        # Where the database was there before the roles: as docs/operations.md says.
        late = await asyncpg.connect(first)
        for step in migrations():
            for block in re.findall(r"^do \$\$.*?^end \$\$;", step.sql, re.MULTILINE | re.DOTALL):
                await late.execute(block)
        assert {tuple(row) for row in await late.fetch(GRANTS)} == granted
        await late.close()
        await owner.close()


async def test_databases_migrated_at_the_same_time_share_the_roles() -> None:
    with empty_server() as server:
        owner = await asyncpg.connect(server)
        urls = []
        for at in range(4):
            await owner.execute(f"create database d{at}")
            urls.append(urlsplit(server)._replace(path=f"/d{at}").geturl())
        await owner.close()
        taken = await asyncio.gather(*(migrate(url) for url in urls))
        assert [len(steps) for steps in taken] == [len(migrations())] * 4
        for url in urls:
            connection = await asyncpg.connect(url)
            assert await connection.fetch(GRANTS)
            await connection.close()
