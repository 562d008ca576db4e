"""`deploy/citus.sql` against the migrated schema: every table has one place, and could be put there."""

import re
from pathlib import Path

import asyncpg

CITUS = (Path(__file__).parents[2] / "deploy/citus.sql").read_text(encoding="utf-8")
SHARDED = re.findall(r"create_distributed_table\('(\w+)', 'user_id'", CITUS)
EVERYWHERE = re.findall(r"create_reference_table\('(\w+)'\)", CITUS)
LOCAL = re.findall(r"\w+", " ".join(re.findall(r"^--   (.*)$", CITUS, re.MULTILINE)))
TABLES = "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
# Unique indexes, and whether the user is one of their columns.
KEYS = """
select c.relname as name, bool_and(a.attnum is not null and a.attnum = any(i.indkey)) as ours
from pg_index i
join pg_class c on c.oid = i.indrelid
left join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'
where i.indisunique and c.relnamespace = 'public'::regnamespace
group by 1
"""
REFERENCES = "select conrelid::regclass::text from pg_constraint where contype = 'f'"


async def test_every_table_has_one_place(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        tables = [row["relname"] for row in await connection.fetch(TABLES)]
    finally:
        await connection.close()
    assert sorted(SHARDED + EVERYWHERE + LOCAL) == sorted(tables)


async def test_what_is_unique_in_a_sharded_table_is_unique_for_a_user(database: str) -> None:
    """Citus refuses anything else: a node sees its own users only."""
    connection = await asyncpg.connect(database)
    try:
        keys = {row["name"]: row["ours"] for row in await connection.fetch(KEYS)}
        references = await connection.fetch(REFERENCES)
    finally:
        await connection.close()
    assert {table: keys[table] for table in SHARDED} == dict.fromkeys(SHARDED, True)
    # Whatever has no user is not sharded, so this finds a table that was put into the wrong list.
    assert not any(keys.get(table) for table in EVERYWHERE + LOCAL)
    assert not references, "a foreign key would have to stay within a shard"
