"""Every SQL statement is understood by a migrated database."""

import pytest

from services.stores import queries
from services.stores.postgres import Connection

STATEMENTS = [(subject, name) for subject in queries.subjects() for name in queries.statements(subject)]


def test_there_are_statements() -> None:
    assert len(queries.subjects()) >= 10
    assert all(queries.statements(subject) for subject in queries.subjects())


@pytest.mark.parametrize(("subject", "name"), STATEMENTS)
async def test_it_can_be_prepared(connection: Connection, subject: str, name: str) -> None:
    text = queries.statements(subject)[name]
    prepared = await connection.prepare(text)
    numbers = range(1, len(prepared.get_parameters()) + 1)
    assert all(f"${number}" in text for number in numbers), "parameters are numbered without a gap"
    assert text.startswith("-- "), "the first line says what the statement is for"
