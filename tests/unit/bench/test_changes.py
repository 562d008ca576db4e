"""The floor's statements are plain ones: every column given, the key left alone."""

from bench.changes import Change, Table
from bench.floors import prepare_sql

PETS = Table("pet", ("owner", "name", "age"), ("text", "text", "integer"), (0, 1))


def test_statements_of_a_table() -> None:
    assert PETS.insert() == (
        'insert into pet ("owner", "name", "age") overriding system value '
        'select n."owner", n."name", n."age" from unnest($1::text[], $2::text[], $3::integer[]) '
        'as n ("owner", "name", "age")'
    )
    assert PETS.update() == (
        'update pet t set "age" = n."age" from unnest($1::text[], $2::text[], $3::integer[]) '
        'as n ("owner", "name", "age") where t."owner" = n."owner" and t."name" = n."name"'
    )


def test_arrays_travel_as_text() -> None:
    nests = Table("nest", ("id", "eggs"), ("bigint", "bigint[]"), (0,))
    assert nests.insert().endswith(
        'select n."id", n."eggs"::bigint[] from unnest($1::bigint[], $2::text[]) as n ("id", "eggs")'
    )
    assert 'set "eggs" = n."eggs"::bigint[] from' in nests.update()
    change = Change(nests, inserted=[(1, [7, 8]), (2, None), (3, [])])
    assert prepare_sql([change]) == [(nests.insert(), [[1, 2, 3], ["{7,8}", None, "{}"]])]


def test_a_bundle_is_at_most_one_insert_and_one_update_of_a_table() -> None:
    change = Change(PETS, inserted=[("a", "rex", 1), ("b", "tom", 2)], updated=[("c", "kit", 3)])
    assert prepare_sql([change, Change(PETS)]) == [
        (PETS.insert(), [["a", "b"], ["rex", "tom"], [1, 2]]),
        (PETS.update(), [["c"], ["kit"], [3]]),
    ]
