"""Secrets stay secret: none of them is in what processes log at their most talkative, measure or answer."""

import asyncio
import json
import secrets
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest

from services.api.tokens import mint
from services.settings import Settings
from tests.e2e import events
from tests.e2e.events import Message
from tests.e2e.processes import until
from tests.e2e.world import World
from tests.integration.commands import gatefold

JWT, ERASURE = "mark-of-the-secret-for-tokens-0123", "mark-of-the-erasure-key"
PAYLOAD = "mark-of-a-payload"
POISON = Message("review.approved", b"poisoned", b'{"specversion": "1.0", "data": "' + PAYLOAD.encode() + b'"}', (), 0)


def ask(url: str, token: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:
            return str(refusal.read()) + str(refusal.headers)


async def test_no_secret_is_logged_measured_or_answered(empty_world: World) -> None:
    world = empty_world
    password = urlsplit(world.settings.postgres_url).password
    assert password
    settings = {"jwt_secret": JWT, "erasure_key": ERASURE, "log_level": "DEBUG"}
    relay = world.crew.start("relay", **settings)
    worker = world.crew.start("worker", **settings)
    api = world.crew.start("api", api_port="0", **settings)
    await asyncio.to_thread(worker.wait_for, "assigned")
    await world.send([*events.load(1, 200), POISON])
    await world.drained()
    url = (await asyncio.to_thread(api.wait_for, "listening"))["url"]
    token = mint(Settings(jwt_secret=JWT), "ann")
    said = [
        await asyncio.to_thread(ask, f"{url}/api/user/achievements", sent) for sent in (token, token[:-3], "rubbish")
    ]
    said.append(await asyncio.to_thread(ask, f"{url}/metrics", token))
    said += [process.get("/metrics")[1] for process in (relay, worker)]
    for process in (relay, worker, api):
        await asyncio.to_thread(process.terminate)
        log = process.log.read_text()
        assert any(json.loads(line).get("level") == "debug" for line in log.splitlines()), f"{process.name} kept quiet"
        said.append(log)
    assert any("gatefold_dead_letters_total" in text for text in said)
    for text in said:
        for secret in (password, JWT, ERASURE, PAYLOAD, token, token.rpartition(".")[2]):
            assert secret not in text, text[max(0, text.index(secret) - 300) :][:600]


@pytest.mark.parametrize("name", ["worker", "relay", "scheduler", "api", "graph"])
async def test_no_secret_is_told_where_an_engine_is_away(empty_world: World, name: str) -> None:
    split = urlsplit(empty_world.settings.postgres_url)
    assert split.password
    away = split._replace(netloc=split.netloc.replace(f":{split.port}", ":1")).geturl()
    process = empty_world.crew.start(
        name, postgres_url=away, jwt_secret=JWT, erasure_key=ERASURE, log_level="DEBUG", api_port="0"
    )
    await asyncio.to_thread(until, lambda: process.code is not None or process.log.stat().st_size > 0, "its first word")
    await asyncio.sleep(1)
    if process.code is None:
        await asyncio.to_thread(process.terminate)
    log = process.log.read_text()
    assert log
    for secret in (split.password, JWT, ERASURE):
        assert secret not in log


async def test_the_login_of_neo4j_is_told_nowhere(empty_world: World) -> None:
    """Somebody is due, and Neo4j is away: the lane asks, and says so."""
    world, password = empty_world, "mark-of-the-graph"
    async with world.database() as connection:
        await connection.execute("insert into collector (user_id) values ('ann')")
        await connection.execute("insert into graph_due values ('ann', now(), 0, '/t', 'x', now(), 0, 0)")
    url = f"bolt://neo4j:{password}@127.0.0.1:1"
    lane = world.crew.start("graph", neo4j_url=url, log_level="DEBUG")
    await asyncio.to_thread(until, lambda: lane.metric("gatefold_graph_breaker") == 1, "the breaker opens")
    said = [lane.get(path)[1] for path in ("/readyz", "/healthz", "/metrics")]
    assert await asyncio.to_thread(lane.terminate) == 0
    rebuilt = await asyncio.to_thread(gatefold, {**world.environment, "GATEFOLD_NEO4J_URL": url}, "graph", "rebuild")
    assert (rebuilt.code, "Neo4j at bolt://neo4j:***@127.0.0.1:1 is unreachable" in rebuilt.err) == (69, True)
    wrong = await asyncio.to_thread(
        gatefold, {**world.environment, "GATEFOLD_NEO4J_URL": f"nolt://neo4j:{password}@x"}, "graph"
    )
    assert (wrong.code, "GATEFOLD_NEO4J_URL: Value error, write bolt://host:port" in wrong.err) == (2, True)
    for text in (lane.log.read_text(), *said, rebuilt.out + rebuilt.err, wrong.out + wrong.err):
        assert password not in text, text[max(0, text.index(password) - 300) :][:600]


@pytest.mark.parametrize("name", ["worker", "relay", "scheduler", "api"])
async def test_no_secret_is_told_where_the_password_is_wrong(empty_world: World, name: str) -> None:
    """The server names the user only; whole tokens and their users are in no line of the api either."""
    wrong, user = "mark-of-a-wrong-password", "mark-of-a-user"
    split = urlsplit(empty_world.settings.postgres_url)
    role = f"wrong_{secrets.token_hex(4)}"
    async with empty_world.database() as connection:
        await connection.execute(f"create role {role} login password 'another'")
    url = split._replace(netloc=f"{role}:{wrong}@{split.hostname}:{split.port}").geturl()
    process = empty_world.crew.start(name, postgres_url=url, jwt_secret=JWT, log_level="DEBUG", api_port="0")
    said, token = [], mint(Settings(jwt_secret=JWT), user)
    if name == "api":
        address = (await asyncio.to_thread(process.wait_for, "listening"))["url"]
        for path in ("/readyz", "/api/user/achievements", f"/api/user/achievements/{user}", "/metrics"):
            said.append(await asyncio.to_thread(ask, address + path, token))
        assert "PostgreSQL is not set up for Gatefold." in said[0]
        await asyncio.to_thread(process.terminate)
    else:
        await asyncio.to_thread(until, lambda: process.code is not None, "it gives up")
        assert process.code in (1, 69)
    log = process.log.read_text()
    assert role in log
    async with empty_world.database() as connection:
        await connection.execute(f"drop role {role}")
    for text in (log, *said):
        for secret in (wrong, JWT, token, user):
            assert secret not in text, text[max(0, text.index(secret) - 300) :][:600]
