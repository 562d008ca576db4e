"""What settings take, and that they never repeat a password, whatever is wrong with it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from services.cli.servers import without_password
from services.settings import Settings


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:sekret@h:5432/db", "postgresql://u:***@h:5432/db"),
        ("postgresql://u:sekret%23x@h/db?sslmode=require", "postgresql://u:***@h/db"),
        ("postgresql://u:a@sekret@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u:a:sekret@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u@h/db?password=sekret", "postgresql://u@h/db"),
        ("postgres://u:sekret@[::1]:5432/db", "postgres://u:***@[::1]:5432/db"),
        ("postgresql://u:sekret@h1:1,h2:2/db", "postgresql://u:***@h1:1,h2:2/db"),
        ("postgresql:///db?host=/run/postgresql", "postgresql:///db"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert without_password(Settings(postgres_url=url).postgres_url) == shown


@pytest.mark.parametrize("cut", ["sekret#x", "1#sekret", "sekret/x", "1/sekret", "sekret?x", "1?s=sekret", "[sekret"])
def test_a_password_that_cuts_the_url_is_refused_without_a_word_of_it(cut: str) -> None:
    """Drivers read such a URL as another server's and say so, password and all."""
    with pytest.raises(ValidationError) as caught:
        Settings(postgres_url=f"postgresql://u:{cut}@h:5432/db")
    assert "sekret" not in str(caught.value)
    assert "%23" in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("postgres_url", "mysql://h/db"),
        ("kafka_url", "kafka://user:sekret@h:9092"),
        ("neo4j_url", "http://h:7474"),
        ("neo4j_url", "bolt://u:sekret#x@h:7687"),
        ("neo4j_url", "bolt://u:sekret/x@h:7687"),
        ("neo4j_url", "bolt://u:x@sekret@h"),
        ("neo4j_url", "bolt://h:7687/?password=sekret"),
        ("topic_prefix", "a b"),
        ("topic_prefix", "x" * 65),
        ("embed_origins", "https://app.example/path"),
        ("embed_origins", "*"),
        ("embed_origins", "https://a.example, 'none'; script-src *"),
        ("api_public_url", "https://user@badges.example"),
        ("api_public_url", "badges.example"),
        ("api_rate_user", "often"),
        ("api_rate_user", "0/minute"),
        ("api_rate_address", "10/minute; 99/hour"),
    ],
)
def test_what_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(**{name: value})
    assert "sekret" not in str(caught.value)


def test_what_is_set_is_not_shown_where_something_else_is_wrong() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(postgres_url="postgresql://u:sekret@h/db", jwt_secret="sekret", api_port="sekret")  # type: ignore[arg-type]
    assert "sekret" not in str(caught.value)
