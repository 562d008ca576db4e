-- name: positions
-- Where each of these partitions stands.
select topic, partition, base_offset, next_offset
from offset_ledger join unnest($1::text[], $2::integer[]) as wanted (t, p) on topic = t and partition = p;

-- name: open_partition
-- First sight of a partition: the account begins at the log's beginning.
insert into offset_ledger (topic, partition, base_offset, next_offset, owner, updated_at)
values ($1, $2, $3, $3, $4, now())
on conflict do nothing;

-- name: lock
-- The partition's position, locked, once all of these locks are shared until we commit.
with shared as materialized (select pg_advisory_xact_lock_shared(key) from unnest($3::bigint[]) as k (key))
select next_offset from (select count(*) from shared) s cross join offset_ledger
where topic = $1 and partition = $2
for update of offset_ledger;

-- name: lock_catalogue
-- Nobody counts a release while the catalogue changes.
select pg_advisory_xact_lock($1);

-- name: advance
-- Move the position by what became of each record.
update offset_ledger
set next_offset = next_offset + $3 + $4 + $5,
    processed = processed + $3, duplicate = duplicate + $4, dead = dead + $5,
    owner = $6, updated_at = now()
where topic = $1 and partition = $2;

-- name: suspect_hole
-- Remember a jump; a second sight of the same jump proves that the log holds nothing in between.
insert into offset_hole (topic, partition, from_offset, to_offset, found_at)
values ($1, $2, $3, $4, now())
on conflict (topic, partition, from_offset) do update set sightings = offset_hole.sightings + 1, to_offset = $4
returning sightings;

-- name: record_hole
-- Offsets that the log no longer holds are accounted for, not waited for.
with counted as (
    update offset_ledger set next_offset = $4, hole = hole + ($4 - $3), updated_at = now()
    where topic = $1 and partition = $2 and next_offset = $3
    returning topic
)
insert into offset_hole (topic, partition, from_offset, to_offset, found_at, sightings)
select $1, $2, $3, $4, now(), 2 from counted
on conflict (topic, partition, from_offset) do update set to_offset = $4, sightings = offset_hole.sightings + 1;

-- name: owners
-- Which worker last moved each partition.
select topic, partition, owner from offset_ledger;
