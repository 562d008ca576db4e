-- name: next_messages
-- The oldest messages that wait; ids become visible out of order, so every read begins at the front.
select id, topic, subject, event_id, time, value
from outbox
where failed_at is null
order by id
limit $1

-- name: delete_messages
-- Forget what Kafka has acknowledged.
delete from outbox where id = any($1::bigint[])

-- name: mark_failed
-- Keep what Kafka refuses for good, out of the way of the rest.
update outbox set failed_at = now(), error = refused.error
from unnest($1::bigint[], $2::text[]) as refused (id, error)
where outbox.id = refused.id

-- name: outbox_gauges
-- How much waits, how long the oldest has waited, how much was refused.
select count(*) filter (where failed_at is null) as unsent,
       count(*) filter (where failed_at is not null) as failed,
       coalesce(extract(epoch from now() - min(created_at) filter (where failed_at is null)), 0)::float8 as oldest_seconds
from outbox

-- name: crowded
-- Whether so many messages wait; no more are counted.
select count(*) >= $1 from (select from outbox where failed_at is null limit $1) as oldest

-- name: try_lead
-- Become the one relay of this database, for as long as the connection lives.
select pg_try_advisory_lock($1)

-- name: count_holders
-- How many collectors hold each badge; the row of badge '' counts the collectors, badges without a holder go.
with counted as materialized (
    select badge_key, count(distinct user_id) as holders
    from user_badges
    where revoked_at is null
    group by badge_key
    union all
    select '', count(*) from collector
), gone as (
    delete from badge_holders where badge_key not in (select badge_key from counted)
)
insert into badge_holders (badge_key, holders, as_of)
select badge_key, holders, now() from counted order by badge_key
on conflict (badge_key) do update set holders = excluded.holders, as_of = excluded.as_of
