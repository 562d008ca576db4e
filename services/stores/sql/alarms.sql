-- name: holders
-- Holders day by day, of all badges and ('') of everybody, as far as days are complete.
select badge_key, counted_on, holders from badge_holders_history
where counted_on between $1 and $2 and share_all is not null order by badge_key, counted_on;

-- name: backfilled
-- Badges that a campaign gave or took back on any of these days.
select distinct unnest(badge_keys) as badge_key from campaign
where started_at < $2 and greatest(coalesce(finished_at, 'infinity'), rollback_at) >= $1;

-- name: note_events
-- Events of each topic so far; what was noted of a later day stands.
insert into event_history as h (topic, counted_on, processed)
select topic, $1, sum(processed) from offset_ledger
where not exists (select from event_history where counted_on > $1)
group by topic order by topic
on conflict (topic, counted_on) do update set processed = excluded.processed;

-- name: events
-- Events of each topic, day by day.
select topic, counted_on, processed from event_history
where counted_on between $1 and $2 order by topic, counted_on;

-- name: note_drift
-- A sweep found counters wrong.
insert into drift (found_at, counters) values (now(), $1);

-- name: drift
-- Sweeps that found counters wrong in a time, and which counters these were, at most so many.
select count(*) as sweeps, max(found_at) as newest,
       array(select distinct unnest(counters) as name from drift
             where found_at >= $1 and found_at < $2 order by name limit $3) as counters
from drift where found_at >= $1 and found_at < $2;

-- name: note_costs
-- What evaluating cost since it was last noted; sorted, so that workers never wait in a circle.
insert into evaluation_cost as c (family, counted_on, evaluations, seconds)
select n.family, $1, n.evaluations, n.seconds
from unnest($2::text[], $3::bigint[], $4::float8[]) as n (family, evaluations, seconds)
order by n.family
on conflict (family, counted_on) do update
set evaluations = c.evaluations + excluded.evaluations, seconds = c.seconds + excluded.seconds;

-- name: costs
-- What evaluating cost in some days, by family.
select family, sum(evaluations)::bigint as evaluations, sum(seconds) as seconds
from evaluation_cost where counted_on between $1 and $2 group by family order by family;

-- name: standing
-- Alarms that stand.
select kind, subject from alarm where ended_at is null order by kind, subject;

-- name: raise
-- An alarm that stands, or does from now on.
insert into alarm (kind, subject, raised_at, seen_at, says, facts)
values ($1, $2, now(), now(), $3, $4::text::json)
on conflict (kind, subject) where ended_at is null do update
set seen_at = excluded.seen_at, says = excluded.says, facts = excluded.facts;

-- name: end
-- An alarm that stands no more.
update alarm set ended_at = now() where kind = $1 and subject = $2 and ended_at is null;

-- name: page
-- Alarms before a place, the newest first: those that stand, or ($4) all.
select kind, subject, raised_at, seen_at, ended_at, says, facts::text as facts from alarm
where (raised_at, kind, subject) < ($1::timestamptz, $2::text, $3::text) and (ended_at is null or $4::boolean)
order by raised_at desc, kind desc, subject desc limit $5;

-- name: forget
-- What is older than any alarm looks back, and alarms that ended before that day.
with events as (delete from event_history where counted_on < $1),
     costs as (delete from evaluation_cost where counted_on < $1),
     drifts as (delete from drift where found_at < $1)
delete from alarm where ended_at < $1;
