"""How large the tables become: bytes a record of collections of 500, and what that makes of a million users."""

from __future__ import annotations

from bench.databases import session
from bench.plan import Engines, Scale, Steps
from bench.population import Group, populated
from bench.results import Result

RECORDS = 500
MEASURED_USERS = 1_000
# What one record may take in all tables and their indexes: a million users in 300 GB.
LIMIT_BYTES = 600
SIZES = """
select relname as name, pg_total_relation_size(oid) as bytes, pg_indexes_size(oid) as indexes, reltuples::bigint as rows
from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 2 desc
"""


async def sizes(engines: Engines, scale: Scale, steps: Steps) -> list[Result]:
    """Bytes a record, by table, of users with 500 records each."""
    group = Group("user", MEASURED_USERS, RECORDS)
    async with populated(engines.postgres, [group]) as url, session(url) as connection:
        found = [row for row in await connection.fetch(SIZES) if row["rows"] > 0]
    records = MEASURED_USERS * RECORDS
    steps.begin("sizes", len(found))
    total = sum(row["bytes"] for row in found)
    for row in found:
        each, rows = row["bytes"] / records, row["rows"] / records
        share = row["indexes"] / row["bytes"]
        steps.done(f"{row['name']}: {rows:.2f} rows and {each:,.1f} B a record, {share:.0%} of it index")
    gigabytes = total / MEASURED_USERS * 1_000_000 / 1e9
    note = f"{MEASURED_USERS:,} users with {RECORDS} records; a million of them: {gigabytes:,.0f} GB"
    return [Result("bytes a record, all tables / limit", "B", total / records, LIMIT_BYTES, "<=", 1, note)]
