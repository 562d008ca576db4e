"""The least that a durable answer costs: read a batch, write a row for each record, COMMIT, answer in Kafka."""

from __future__ import annotations

import asyncio
import sys

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

TABLE = "create table echo (id bigint generated always as identity primary key, value bytea not null)"

INSERT = "insert into echo (value) select unnest($1::bytea[])"


async def echo(url: str, bootstrap: str, source: str, target: str) -> None:
    """Answer every record of `source` in `target` under its own id, until cancelled."""
    connection = await asyncpg.connect(url)
    reader = AIOKafkaConsumer(source, bootstrap_servers=bootstrap, group_id=f"{source}.echo", fetch_max_wait_ms=250)
    async with reader, AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as writer:
        while True:
            for batch in (await reader.getmany(timeout_ms=1000)).values():
                await connection.execute(
                    "insert into echo (value) select unnest($1::bytea[])", [r.value for r in batch]
                )
                answers = [
                    await writer.send(target, one.value[:64], key=one.key, headers=[*one.headers]) for one in batch
                ]
                await asyncio.gather(*answers)


if __name__ == "__main__":
    import uvloop

    uvloop.run(echo(*sys.argv[1:]))
