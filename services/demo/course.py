"""The course of a run on engines that answer: send, kill a worker in the middle, wait for the end, count everything."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from catalog.definition import SWEEP
from services.api.tokens import mint
from services.cli.positions import observe
from services.demo import catalogue, data
from services.demo.engines import PARTITIONS
from services.demo.http import LIST, Answer, Api
from services.demo.killing import Sending
from services.demo.outcome import Letter, Outcome, Takeover
from services.demo.processes import Crew, Process, ProcessEnded
from services.demo.published import Published, listening
from services.demo.screen import Screen
from services.demo.second import Second, Stage, ask
from services.demo.sending import sendables
from services.demo.third import Third, play
from services.demo.watch import Watch
from services.demo.words import counted, span
from services.kafka import LogReader, Publisher
from services.settings import Settings
from services.stores import awards, dead_letters
from services.stores.migrate import migrate
from services.stores.postgres import Connection, connect
from services.topics import TopicAdmin, plan

COLLECTORS: Final = (data.COPIES_OF, data.COMPOSED, data.SNAPSHOTS_OF, catalogue.COLLECTOR)
NEAREST: Final = 3
PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Findings:
    """A run's outcome and what the API says of each collector; `shown` is the answer that is printed as it came."""

    outcome: Outcome
    achievements: dict[str, list[dict[str, Any]]]
    nearest: dict[str, list[dict[str, Any]]]
    second: Second
    third: Third
    shown: Answer
    api: str


async def prepare(options: Settings) -> str:
    """Tables and topics; what was done, in words."""
    steps = await migrate(options.postgres_url)
    admin = TopicAdmin(options)
    await admin.open()
    try:
        todo = plan(options, await admin.existing())
        await admin.create(todo)
    finally:
        await admin.close()
    return f"{counted(len(steps), 'migrations')}, {counted(len(todo.create), 'topics')} of {PARTITIONS} partitions"


async def course(
    options: Settings, crew: Crew, screen: Screen, ready: Callable[[], None], neo4j: Callable[[], Awaitable[str | None]]
) -> Findings:
    """From empty tables and topics to everything counted, in three acts.

    `ready` is called when all processes of the first are; `neo4j` waits until it answers, and says where (None: it is
    not ours).

    Raises:  NotInTime, ProcessEnded, NotSent, ApiRefused; whatever a server that goes away makes its client raise.
    """
    screen.boot(1, "tables, topics")
    screen.done(await prepare(options))
    screen.boot(2, "relay")
    workers = [crew.start(f"worker-{number}", "worker") for number in (1, 2)]
    relay, api = crew.start("relay", "relay"), crew.start("api", "api")
    events = list(sendables(options.topic))
    connection = await connect(options.postgres_url, application="gatefold-demo")
    publisher = Publisher(options.bootstrap)
    try:
        async with listening(options) as published:
            watch = Watch(connection, crew, screen, published, len(events))
            await publisher.open()
            await watch.told(relay, "leading", "event")
            screen.boot(3, "api")
            url = await watch.told(api, "listening", "url")
            screen.boot(4, "two workers")
            shares = await watch.shared(workers, PARTITIONS)
            each = ", ".join(f"{name} has partitions {span(numbers)}" for name, numbers in shares.items())
            screen.done(f"relay and api run; {each}")
            ready()
            sending = Sending(crew, screen, watch, publisher, connection)
            takeover = await sending.with_a_kill(events, workers, shares)
            stage = Stage(options, crew, screen, watch, publisher, connection, neo4j)
            await stage.play()
            third = await play(stage, Api(url), published, COLLECTORS)
            outcome = await _count(options, crew, watch, published, connection, takeover, third)
            screen.done("processed and published; now everything is counted again from the stored sets")
            return await _ask(options, Api(url), outcome, third)
    finally:
        await publisher.close()
        connection.terminate()


async def _count(
    options: Settings,
    crew: Crew,
    watch: Watch,
    published: Published,
    connection: Connection,
    takeover: Takeover,
    third: Third,
) -> Outcome:
    """Every number from its own source, after the last event."""
    recounting = crew.start("recount", "recount", "--check", "--json", ends=(0, 1))
    awarded = await awards.ids(connection)
    await watch.until(lambda _: len(published.awards) >= len(awarded), "every award read from badge.awarded")
    reader = LogReader(options.bootstrap)
    await reader.open()
    try:
        status = await observe(options, connection, reader)
    finally:
        await reader.close()
    rows = await dead_letters.page_of_letters(connection, PAGE)
    await watch.until(lambda _: recounting.child.poll() is not None, "the recount")
    return Outcome(
        sent=watch.acknowledged,
        in_log=sum(one.log_end - one.base_offset for one in status.partitions),
        processed=sum(one.processed for one in status.partitions),
        duplicate=sum(one.duplicate for one in status.partitions),
        dead=sum(one.dead for one in status.partitions),
        hole=sum(one.hole for one in status.partitions),
        told=sum(one.log_end - one.base_offset for one in status.partitions if one.topic == SWEEP),
        outbox=status.outbox,
        refused=status.outbox_failed,
        awarded=awarded,
        published=dict(published.awards),
        messages=published.messages,
        rejections=published.rejections,
        letters=[Letter(row["topic"], row["partition"], row["offset"], row["stage"], row["reason"]) for row in rows],
        recount=_report(recounting),
        takeover=takeover,
        tried=third.tried,
        campaigned=third.campaigned,
        rarity=third.told,
    )


async def _ask(options: Settings, api: Api, outcome: Outcome, third: Third) -> Findings:
    """What the API says of each collector."""
    tokens = {name: mint(options, name) for name in COLLECTORS}
    nearest = {}
    for name, token in tokens.items():
        # What is reached but not given yet comes with the next sweep.
        ahead = (await api.get(f"{LIST}/progress", token)).body["in_progress"]
        nearest[name] = [one for one in ahead if one["remaining"] != 0][:NEAREST]
    shown = await api.get(f"{LIST}?limit=1", tokens[data.COPIES_OF])
    second = await ask(api, tokens[catalogue.COLLECTOR])
    return Findings(outcome, third.achievements, nearest, second, third, shown, api.url)


def _report(process: Process) -> dict[str, Any]:
    """What `gatefold recount --check --json` printed.

    Raises:  ProcessEnded where it did not get that far.
    """
    for line in process.log.read_text(encoding="utf-8").splitlines():
        if line.startswith('{"users"'):
            report: dict[str, Any] = json.loads(line)
            return report
    raise ProcessEnded(process.name, process.child.wait(), process.log)
