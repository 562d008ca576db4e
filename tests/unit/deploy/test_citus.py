"""Past one PostgreSQL: which tables are sharded, and that statements on them say whose rows they mean."""

import re
from pathlib import Path

import pytest

from services.stores.queries import statements

ROOT = Path(__file__).parents[3]
CITUS = (ROOT / "deploy/citus.sql").read_text(encoding="utf-8")
SUBJECTS = sorted(path.stem for path in (ROOT / "services/stores/sql").glob("*.sql"))
SHARDED = re.findall(r"create_distributed_table\('(\w+)', 'user_id'", CITUS)
EVERYWHERE = re.findall(r"create_reference_table\('(\w+)'\)", CITUS)
LOCAL = re.findall(r"\w+", CITUS.rpartition("--   ")[2])
# They ask all nodes, and are not asked for every event.
OF_ALL_USERS = {
    ("awards", "ids"): "the demo's summary",
    ("collectors", "count"): "`gatefold recount`, for its progress bar",
    ("facts", "prune"): "a deletion and `release.described`: facts that nobody counts any more",
}


def tables() -> list[str]:
    """Every table that the migrations create."""
    migrations = sorted((ROOT / "services/stores/migrations").glob("*.sql"))
    found = [re.findall(r"^create table (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE) for path in migrations]
    return [name for names in found for name in names] + ["migration"]


def test_every_table_has_one_place() -> None:
    placed = SHARDED + EVERYWHERE + LOCAL
    assert sorted(placed) == sorted(tables())


@pytest.mark.parametrize("subject", SUBJECTS)
def test_statements_on_sharded_tables_name_their_users(subject: str) -> None:
    for name, sql in statements(subject).items():
        touched = set(re.findall(r"\b(?:from|join|into|update)\s+(\w+)", sql)) & set(SHARDED)
        if touched and (subject, name) not in OF_ALL_USERS:
            assert "user_id" in sql, f"{subject}.{name} touches {touched}"


def test_the_exceptions_exist() -> None:
    assert all(name in statements(subject) for subject, name in OF_ALL_USERS)


def test_keys_of_sharded_tables_begin_with_the_user() -> None:
    schema = (ROOT / "services/stores/migrations/0001_state_and_awards.sql").read_text(encoding="utf-8")
    for table in SHARDED:
        (body,) = re.findall(rf"^create table {table} \((.*?)^\)", schema, re.MULTILINE | re.DOTALL)
        assert re.search(r"primary key \(user_id\b|user_id\s+text collate \"C\" primary key", body), table
        assert not re.search(rf"create unique index \w+ on {table} ", schema)
