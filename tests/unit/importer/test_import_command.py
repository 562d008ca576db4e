"""`gatefold import`: exit codes, the report, dry runs; without a broker."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from contracts.envelope import Event, decode
from services.cli import servers
from services.cli.import_ import import_file
from services.kafka import MissingTopic, Outgoing, Report
from services.settings import Settings, settings

HEADER = "Catalog#,Artist,Title,Label,Format,Rating,Released,release_id,CollectionFolder,Date Added"
ROW = "SP 1,Mudhoney,Superfuzz,Sub Pop,LP,,1988,101,Uncategorized,2020-01-02 03:04:05"
AMBIGUOUS = 'V 1,A,T,"Vinyl Me, Please",LP,,1988,102,Uncategorized,2020-01-02 03:04:05'


def run(file: Path, *options: str, user: str = "ann") -> Result:
    app = typer.Typer()
    app.command()(import_file)
    return CliRunner().invoke(app, [str(file), "--user", user, *options])


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return written(tmp_path, ROW)


def written(folder: Path, *rows: str) -> Path:
    file = folder / "export.csv"
    file.write_text("\n".join([HEADER, *rows]), encoding="utf-8")
    return file


class FakePublisher:
    """Takes every message, as a broker would that never fails."""

    def __init__(self) -> None:
        self.messages: list[Outgoing] = []

    async def publish(self, messages: Sequence[Outgoing]) -> Report:
        self.messages += messages
        return Report(sent=list(range(len(messages))))


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> FakePublisher:
    fake = FakePublisher()

    @asynccontextmanager
    async def publisher(_: Settings) -> AsyncIterator[FakePublisher]:
        yield fake

    monkeypatch.setattr(servers, "publisher", publisher)
    return fake


def received(broker: FakePublisher) -> list[Event]:
    """What a worker would decode."""
    now_ms = int(time.time() * 1000)
    return [
        decode(message.topic, message.key, message.value, [(n, v or b"") for n, v in message.headers], now_ms)
        for message in broker.messages
    ]


def test_a_dry_run_sends_nothing_and_says_what_it_would(export: Path, broker: FakePublisher) -> None:
    result = run(export, "--dry-run")
    assert result.exit_code == 0
    assert "would send ownership.added" in result.stdout
    assert broker.messages == []


def test_the_report_as_json(tmp_path: Path) -> None:
    result = run(written(tmp_path, ROW, AMBIGUOUS), "--dry-run", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (report["kind"], report["rows"], report["taken"], report["published"]) == ("collection", 2, 2, 0)
    assert report["facts"]["labels"] == 1
    assert [(remark["line"], remark["field"]) for remark in report["remarks"]] == [(3, "Label")]
    assert [event["items"] for event in report["events"]] == [2, 0]


def test_what_could_not_be_mapped_is_named_by_file_and_line(tmp_path: Path) -> None:
    file = written(tmp_path, ROW, AMBIGUOUS)
    assert f"{file}:3: not mapped, Label: 'Vinyl Me, Please'" in run(file, "--dry-run").stderr


def test_a_bad_line_is_skipped_named_and_makes_exit_1(tmp_path: Path, broker: FakePublisher) -> None:
    file = written(tmp_path, ROW, ROW.replace("101", "abc"), "short,line")
    result = run(file)
    assert result.exit_code == 1
    assert f"{file}:3: bad line, release_id: release_id is 'abc'" in result.stderr
    assert f"{file}:4: bad line" in result.stderr
    added, synced = received(broker)
    assert [item.release.id for item in added.data.items] == [101]
    assert (synced.type, synced.data.items_total) == ("collection.synced", 1)


def test_options_reach_the_events(export: Path, broker: FakePublisher) -> None:
    assert run(export, "--source", "shop", "--time", "2020-02-03T04:05:06+01:00").exit_code == 0
    moment = datetime(2020, 2, 3, 3, 5, 6, tzinfo=UTC)
    assert {(event.source, event.time, event.subject) for event in received(broker)} == {("shop", moment, "ann")}


def test_a_collection_can_be_read_as_a_wantlist(export: Path, broker: FakePublisher) -> None:
    assert run(export, "--wantlist").exit_code == 0
    (wish,) = received(broker)
    assert (wish.type, list(wish.data.release_ids)) == ("wishlist.added", [101])


def test_the_time_is_now_unless_given(export: Path, broker: FakePublisher) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    assert run(export).exit_code == 0
    assert all(before <= event.time <= datetime.now(UTC) for event in received(broker))


def test_importing_again_sends_the_same_ids_and_data(export: Path, broker: FakePublisher) -> None:
    assert run(export, "--time", "2020-01-01T00:00:00Z").exit_code == 0
    assert run(export).exit_code == 0
    first, again = received(broker)[:2], received(broker)[2:]
    assert [(event.id, event.digest) for event in first] == [(event.id, event.digest) for event in again]


def test_an_event_that_kafka_refuses_is_exit_1(
    export: Path, broker: FakePublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: Sequence[Outgoing]) -> Report:
        return Report(refused=[(0, "MessageSizeTooLargeError")])

    monkeypatch.setattr(broker, "publish", refuse)
    result = run(export)
    assert result.exit_code == 1
    assert "MessageSizeTooLargeError" in result.stderr


def test_a_missing_topic_is_exit_1(export: Path, broker: FakePublisher, monkeypatch: pytest.MonkeyPatch) -> None:
    async def missing(_: Sequence[Outgoing]) -> Report:
        return Report(error=MissingTopic("ownership.added"))

    monkeypatch.setattr(broker, "publish", missing)
    result = run(export)
    assert result.exit_code == 1
    assert "gatefold topics" in result.stderr


def test_a_missing_file_or_a_wrong_header_is_wrong_usage(tmp_path: Path) -> None:
    assert run(tmp_path / "none.csv").exit_code == 2
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    result = run(tmp_path / "other.csv")
    assert result.exit_code == 2
    assert "other.csv:1: not a Discogs collection export, the header lacks: Catalog#, Artist" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--user", "a b"],
        ["--user", ""],
        ["--time", "yesterday"],
        ["--time", "2999-01-01T00:00:00Z"],
        ["--source", ""],
        ["--page", "501"],
    ],
)
def test_options_that_no_event_could_carry_are_wrong_usage(export: Path, options: list[str]) -> None:
    assert run(export, *options).exit_code == 2


def test_no_broker_is_exit_69(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEFOLD_KAFKA_URL", "kafka://127.0.0.1:9")
    settings.cache_clear()
    try:
        result = run(export)
    finally:
        settings.cache_clear()
    assert result.exit_code == 69
    assert "Kafka at 127.0.0.1:9 is unreachable" in result.stderr
