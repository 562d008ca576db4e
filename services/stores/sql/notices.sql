-- name: known
-- Which of these messages were read before.
select event_id from notice_award where event_id = any($1::text[]);

-- name: gather
-- The open notice of each of these users: it closes when nothing has come for a while, or when it has waited long enough.
insert into notice (notice_id, user_id, due_at)
select gen_random_uuid(), user_id, now() + $2::float8 * interval '1 second'
from (select distinct user_id from unnest($1::text[]) as u (user_id)) as users
order by user_id
on conflict (user_id) where state = 'open' do update
set due_at = least(excluded.due_at, notice.opened_at + $3::float8 * interval '1 second')
returning user_id, notice_id;

-- name: add
-- Messages that are to be told with a notice.
insert into notice_award (event_id, user_id, notice_id, value)
select * from unnest($1::text[], $2::text[], $3::uuid[], $4::bytea[])
on conflict do nothing;

-- name: claim
-- Notices that are due, ours for a while: whoever dies with one leaves it to the next.
with due as (
    select notice_id, state from notice
    where state in ('open', 'due') and due_at <= now()
    order by due_at limit $1
    for update skip locked
)
update notice n
set state = 'due', attempts = n.attempts + 1, due_at = now() + $2::float8 * interval '1 second'
from due
where n.notice_id = due.notice_id
returning n.notice_id, n.user_id, n.opened_at, n.attempts, due.state = 'open' as closed_now;

-- name: leave_out
-- Of notices that were closed just now: what was taken back or deleted since.
update notice_award a set value = null
where a.notice_id = any($1::uuid[])
  and not exists (
      select from user_badges b
      where b.user_id = a.user_id and b.award_id || ':' || b.revision = a.event_id and b.revoked_at is null);

-- name: awards
-- What these notices tell.
select notice_id, event_id, value from notice_award
where notice_id = any($1::uuid[]) and value is not null
order by event_id;

-- name: sent
-- Delivered; only that it was stays.
with told as (
    update notice_award set value = null where notice_id = $1
)
update notice set state = 'sent', settled_at = now(), reason = null where notice_id = $1 and state = 'due';

-- name: later
-- Not delivered: when to try again.
update notice set due_at = now() + $2::float8 * interval '1 second', reason = $3 where notice_id = $1 and state = 'due';

-- name: dead
-- Not to be delivered, but by hand.
update notice set state = 'dead', settled_at = now(), reason = $2 where notice_id = $1 and state = 'due';

-- name: list_dead
-- The dead list, the newest first; how many there are stands in each row.
select n.notice_id, n.user_id, n.opened_at, n.settled_at, n.attempts, n.reason, count(*) over () as total,
       (select count(*) from notice_award a where a.notice_id = n.notice_id and a.value is not null) as awards
from notice n
where n.state = 'dead'
order by n.settled_at desc, n.notice_id
limit $1;

-- name: redrive
-- Dead notices that are due once more: one, or all.
update notice set state = 'due', due_at = now(), attempts = 0, settled_at = null
where state = 'dead' and ($1::uuid is null or notice_id = $1)
returning notice_id;

-- name: waiting
-- How much waits, for how long the oldest has been due, how much is dead.
select count(*) filter (where state in ('open', 'due')) as waiting,
       greatest(0, coalesce(extract(epoch from now() - min(due_at) filter (where state in ('open', 'due'))), 0))::float8
           as oldest_seconds,
       count(*) filter (where state = 'dead') as dead
from notice where state <> 'sent';

-- name: prune
-- Forget what was delivered long ago: later than Kafka does.
with old as (
    select notice_id from notice
    where state = 'sent' and settled_at < now() - $1::float8 * interval '1 day'
    order by settled_at limit $2
), gone as (
    delete from notice_award where notice_id in (select notice_id from old)
)
delete from notice where notice_id in (select notice_id from old);
