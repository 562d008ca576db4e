"""The local stack with its real engines: they answer, they die in every way, and they come back."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.stack import ports, unprivileged
from services.stack.errors import StackError
from services.stack.processes import ProcessId, all_with, start_time
from services.stack.stack import ENGINES, Stack
from services.stack.state import State


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack of the test's own, in a directory that only its owner may enter."""
    for engine in ENGINES.values():
        monkeypatch.delenv(engine.setting, raising=False)
    tmp_path.chmod(0o700)
    stack = Stack(tmp_path / "state")
    yield stack
    if (stack.directory / "state.json").exists():
        stack.down(wipe=True)


async def write_once(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept (n int)")
    await connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    await connection.close()


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def processes_of(stack: Stack, engine: str = "postgres") -> list[int]:
    return all_with(State(stack.directory / "state.json").marker(engine))


def recorded(stack: Stack, engine: str = "postgres") -> ProcessId:
    process = State(stack.directory / "state.json").engine(engine).process
    assert process is not None
    return process


async def test_postgresql_is_durable_and_sorts_by_code_point(own: Stack) -> None:
    url = (await asyncio.to_thread(own.up, ("postgres",))).postgres_url
    settings = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "listen_addresses": "127.0.0.1",
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "max_connections": "200",
        "TimeZone": "UTC",
    }
    assert {name: await ask(url, f"SELECT current_setting('{name}')") for name in settings} == settings
    assert await ask(url, "SELECT array_agg(x ORDER BY x) FROM unnest(array['b', 'ä', 'B', 'z', 'a']) x") == [
        "B",
        "a",
        "b",
        "z",
        "ä",
    ]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.replace(url.split(":")[2].split("@")[0], "guess"))


async def test_up_twice_is_the_same_stack_and_down_leaves_no_process(own: Stack) -> None:
    first = await asyncio.to_thread(own.up, ("postgres",))
    await write_once(first.postgres_url)
    process, environment = recorded(own), own.environment()
    assert await asyncio.to_thread(own.up, ("postgres",)) == first
    assert recorded(own) == process
    assert environment["GATEFOLD_POSTGRES_URL"] == first.postgres_url
    shell = subprocess.run(
        ["bash", "-c", f". '{own.env_file}' && env"], capture_output=True, text=True, check=True, env={}
    )
    assert environment.items() <= dict(line.split("=", 1) for line in shell.stdout.splitlines()).items()
    assert len(processes_of(own)) > 1
    assert await asyncio.to_thread(own.down) == ["postgres"]
    assert processes_of(own) == []
    assert await asyncio.to_thread(own.down) == []
    assert await asyncio.to_thread(own.up, ("postgres",)) == first
    assert await ask(first.postgres_url, "SELECT count(*) FROM kept") == 1000
    marker = State(own.directory / "state.json").marker("postgres")
    place = unprivileged.data_home(own.directory / "postgres", marker, unprivileged.server_owner())
    assert place.exists()
    await asyncio.to_thread(own.down, wipe=True)
    assert not own.directory.exists()
    assert not place.exists()


@pytest.mark.parametrize("whole_family", [True, False])
async def test_committed_rows_outlive_sigkill(own: Stack, whole_family: bool) -> None:
    url = (await asyncio.to_thread(own.up, ("postgres",))).postgres_url
    await write_once(url)
    if whole_family:
        await asyncio.to_thread(own.kill, "postgres")
        assert processes_of(own) == []
    else:
        os.kill(recorded(own).pid, signal.SIGKILL)
    assert (await asyncio.to_thread(own.up, ("postgres",))).postgres_url == url
    assert await ask(url, "SELECT count(*) FROM kept") == 1000


async def test_a_number_that_went_to_another_process_is_no_obstacle_and_no_victim(own: Stack) -> None:
    url = (await asyncio.to_thread(own.up, ("postgres",))).postgres_url
    await asyncio.to_thread(own.kill, "postgres")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as innocent:
        state = State(own.directory / "state.json")
        started = start_time(innocent.pid)
        assert started is not None
        state.engine("postgres").process = ProcessId(innocent.pid, started)
        state.save()
        for pid_file in own.directory.parent.rglob("postmaster.pid"):
            pid_file.write_text(pid_file.read_text().replace(pid_file.read_text().split()[0], str(innocent.pid), 1))
        assert (await asyncio.to_thread(own.up, ("postgres",))).postgres_url == url
        await asyncio.to_thread(own.down)
        assert start_time(innocent.pid) == started
        innocent.kill()


async def test_a_port_that_was_taken_meanwhile_is_replaced(own: Stack) -> None:
    first = (await asyncio.to_thread(own.up, ("postgres",))).postgres_url
    await write_once(first)
    await asyncio.to_thread(own.down)
    server = await asyncio.start_server(lambda _r, writer: writer.close(), "127.0.0.1", int(first.split(":")[3][:5]))
    async with server:
        second = (await asyncio.to_thread(own.up, ("postgres",))).postgres_url
        assert second != first
        assert await ask(second, "SELECT count(*) FROM kept") == 1000
        assert own.environment()["GATEFOLD_POSTGRES_URL"] == second


async def test_an_interrupted_initdb_is_done_again(own: Stack) -> None:
    await asyncio.to_thread(own.up, ())
    (own.directory / "postgres" / "data").mkdir(parents=True)
    (own.directory / "postgres" / "data" / "PG_VERSION").write_text("18\n")
    url = (await asyncio.to_thread(own.up, ("postgres",))).postgres_url
    assert await ask(url, "SELECT 1") == 1


async def test_a_broken_engine_shows_its_log_and_leaves_nothing_behind(
    own: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.stack import postgres

    monkeypatch.setitem(postgres.SETTINGS, "max_connections", "many")
    with pytest.raises(StackError, match=r"(?s)postgres ended during its boot.*max_connections.*many"):
        await asyncio.to_thread(own.up, ("postgres",))
    assert processes_of(own) == []
    monkeypatch.undo()
    await asyncio.to_thread(own.up, ("postgres",))


async def test_a_relative_and_very_long_state_directory(own: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than the path of a socket may be, and with characters that shells and settings trip over."""
    monkeypatch.chdir(own.directory.parent)
    stack = Stack(Path('it\'s a, "long" name') / ("x" * 120) / "state")
    try:
        url = (await asyncio.to_thread(stack.up, ("postgres",))).postgres_url
        assert await ask(url, "SELECT 1") == 1
        monkeypatch.chdir("/")
        assert await asyncio.to_thread(stack.restart, "postgres") == url
        assert stack.environment()["GATEFOLD_POSTGRES_URL"] == url
    finally:
        await asyncio.to_thread(stack.down, wipe=True)


async def test_a_server_named_by_the_environment_is_used_instead(
    own: Stack, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = stack.endpoints().postgres_url
    monkeypatch.setenv("GATEFOLD_POSTGRES_URL", url)
    endpoints = await asyncio.to_thread(own.up, ("postgres",))
    assert endpoints.postgres_url == own.environment()["GATEFOLD_POSTGRES_URL"] == url
    assert processes_of(own) == []
    assert {each.state for each in await asyncio.to_thread(own.status) if each.engine == "postgres"} == {"external"}
    await asyncio.to_thread(own.down)
    assert await ask(url, "SELECT 1") == 1


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_throw_away_stack_ends_with_its_owner_however_that_ends(signal_number: int, tmp_path: Path) -> None:
    code = (
        "import time; from services.stack.stack import Stack\n"
        "with Stack.temporary(('postgres',)) as stack:\n"
        "    print(stack.directory, flush=True); time.sleep(60)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEFOLD_")}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment, cwd=Path(__file__).parents[2]
    ) as owner:
        assert owner.stdout is not None
        directory = Path((await asyncio.to_thread(owner.stdout.readline)).strip())
        marker = State(directory / "state.json").marker("postgres")
        engine = recorded(Stack(directory))
        assert start_time(engine.pid) == engine.started
        owner.send_signal(signal_number)
    deadline = time.monotonic() + 15
    while directory.exists() or all_with(marker):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert start_time(engine.pid) is None


async def test_kafka_keeps_what_it_acknowledged_through_sigkill(stack: Stack, topic_prefix: str) -> None:
    servers = stack.endpoints().kafka_url.removeprefix("kafka://")
    topic, large = f"{topic_prefix}kept", b"x" * 7_000_000
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    config = {"max.message.bytes": "8388608"}
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=config)])
    await admin.close()
    async with AIOKafkaProducer(
        bootstrap_servers=servers, enable_idempotence=True, max_request_size=8_000_000
    ) as producer:
        await producer.send_and_wait(topic, b"small")
        await producer.send_and_wait(topic, large)
    await asyncio.to_thread(stack.kill, "kafka")
    assert (await asyncio.to_thread(stack.start_engine, "kafka")).endswith(servers)
    async with AIOKafkaConsumer(
        bootstrap_servers=servers, auto_offset_reset="earliest", max_partition_fetch_bytes=8_388_608
    ) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        values = [(await asyncio.wait_for(consumer.getone(), 60)).value for _ in range(2)]
    assert values == [b"small", large]


async def test_neo4j_answers_and_all_three_listen_on_loopback_only(stack: Stack, database: str, neo4j_url: str) -> None:
    import neo4j

    async with neo4j.AsyncGraphDatabase.driver(neo4j_url) as driver:
        await driver.execute_query("CREATE (:Label {name: $name})-[:RELEASED]->(:Release)", name="Blue Note")
        found = await driver.execute_query("MATCH (l:Label)-[:RELEASED]->(r) RETURN l.name AS name, count(r) AS n")
        assert [record.data() for record in found.records] == [{"name": "Blue Note", "n": 1}]
    assert await ask(database, "SELECT count(*) > 0 FROM migration")
    states = {each.engine: each.state for each in await asyncio.to_thread(stack.status)}
    assert set(states.values()) <= {"running", "external"}
    for each in await asyncio.to_thread(stack.status):
        if each.pid is not None:
            listening = [c.laddr for c in psutil.Process(each.pid).net_connections("tcp") if c.status == "LISTEN"]
            assert listening
            assert {address.ip.removeprefix("::ffff:") for address in listening} == {ports.LOOPBACK}
