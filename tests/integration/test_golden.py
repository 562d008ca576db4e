"""What is played in memory for catalog/golden.txt is what a worker does on PostgreSQL."""

from collections import defaultdict
from itertools import groupby

from services.demo.golden import path
from services.demo.sending import sendables
from services.stores import ledger
from services.stores.postgres import Connection
from services.worker.bundle import process
from tests.model import lab
from tests.model.lab import RECORDED, Record


async def test_the_first_act_earns_in_memory_what_it_earns_on_postgresql(connection: Connection) -> None:
    await connection.execute("truncate catalogue_total")
    known = lab.knowledge()
    offsets: defaultdict[str, int] = defaultdict(int)
    for topic, some in groupby(sendables(str), key=lambda one: one.type):
        records = []
        for one in some:
            message = one.message
            key, headers = message.key, list(message.headers)
            records.append(Record(offsets[topic], int(RECORDED.timestamp() * 1000), key, message.value, headers))
            offsets[topic] += 1
        await ledger.open_partition(connection, topic, 0, 0, "w")
        await process(connection, known, topic, 0, records)
    earned: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for (user, badge, context), award in (await lab.awards_of(connection)).items():
        earned[user, badge].append(f"{award['awarded_at'][:10]} {context}".strip())
    lines = [line.split() for line in path().read_text(encoding="utf-8").splitlines()]
    compared = 0
    for user, badge, value, day, *contexts in lines:
        if user == "composed-02":
            continue  # of the second act
        compared += 1
        got = earned[user, badge]
        if contexts:
            context, number = contexts
            assert len(got) == int(number.removeprefix("x")), (user, badge)
            assert day == "-" or f"{day} {context}" in got
        else:
            assert got == ([] if day == "-" else [day]), (user, badge, value)
    assert compared == 3 * len(lines) / 4
