-- name: record_letters
-- Keep records that could not be accepted; a letter that is there already stays as it is.
insert into dead_letter (topic, partition, "offset", key, value, headers, recorded_at, stage, reason, seen_at)
select letter.topic, letter.partition, letter."offset", letter.key, letter.value, letter.headers::json,
       letter.recorded_at, letter.stage, letter.reason, letter.seen_at
from unnest($1::text[], $2::integer[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[], $7::timestamptz[],
            $8::text[], $9::text[], $10::timestamptz[])
     as letter (topic, partition, "offset", key, value, headers, recorded_at, stage, reason, seen_at)
order by letter.topic, letter.partition, letter."offset"
on conflict do nothing

-- name: list_letters
-- Every dead letter whole, in the order of the log.
select topic, partition, "offset", key, value, stage, reason, seen_at, redriven_at
from dead_letter
order by topic collate "C", partition, "offset"

-- name: page_of_letters
-- The newest letters without their values, at most $1, and how many there are in all.
select topic, partition, "offset", key, octet_length(value) as value_bytes, stage, reason, seen_at, redriven_at,
       count(*) over () as letters
from dead_letter
order by seen_at desc, topic collate "C", partition, "offset" desc
limit $1

-- name: letter
-- One dead letter, whole.
select topic, partition, "offset", key, value, headers::text as headers, recorded_at, stage, reason, seen_at,
       redriven_at
from dead_letter
where topic = $1 and partition = $2 and "offset" = $3

-- name: letters_to_redrive
-- Positions of the letters of a topic, a partition, an offset (null: of all) that are due for another try.
select topic, partition, "offset"
from dead_letter
where ($1::text is null or topic = $1)
  and ($2::integer is null or partition = $2)
  and ($3::bigint is null or "offset" = $3)
  and ($4::boolean or redriven_at is null)
order by topic collate "C", partition, "offset"

-- name: mark_redriven
-- Remember that these letters were published again.
update dead_letter set redriven_at = now()
from unnest($1::text[], $2::integer[], $3::bigint[]) as again (topic, partition, "offset")
where dead_letter.topic = again.topic and dead_letter.partition = again.partition
  and dead_letter."offset" = again."offset"
