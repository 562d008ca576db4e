-- name: writing
-- A connection that only reads by default may write in this transaction.
set transaction read write;

-- name: lock
-- Nobody evaluates for a campaign, or changes one, until we commit.
select pg_advisory_xact_lock($1);

-- name: add
-- A campaign that begins.
insert into campaign (campaign_id, scope, scope_value, badge_keys, notify, rate, state, users, started_by, reason,
                      started_at, resumed_at)
values ($1, $2, $3, $4::text[], $5, $6, 'running', $7, $8, $9, $10, $10);

-- name: add_cursor
-- Nothing of it is sent yet.
insert into campaign_cursor (campaign_id) values ($1);

-- name: overlapping
-- Unfinished campaigns that may give one of these badges to one of the same users.
select campaign_id from campaign
where state in ('running', 'paused', 'rolling_back') and badge_keys && $1::text[]
  and not (scope = 'user' and $2::text = 'user' and scope_value <> $3::text)
order by started_at, campaign_id limit 1;

-- name: knows
-- Whether there is such a user.
select exists (select from collector where user_id = $1);

-- name: show
-- One campaign, or all of them, the newest first, with what is done of it.
select c.campaign_id, c.scope, c.scope_value, c.badge_keys, c.notify, c.rate, c.state, c.users, u.sent,
       coalesce(p.users, 0)::bigint as done, coalesce(p.awards, 0)::bigint as awards,
       (select count(*) from award b
        where b.campaign_id = c.campaign_id and b.source = 'backfill' and b.revision = 1 and b.revoked_at is null) as standing,
       c.started_by, c.reason, c.started_at, c.resumed_at, c.done_before, c.finished_at, c.rolled_back_by,
       c.rollback_reason, c.rollback_at
from campaign c
join campaign_cursor u using (campaign_id)
left join lateral (
    select sum(users) as users, sum(awards) as awards from campaign_progress where campaign_id = c.campaign_id) p on true
where $1::text is null or c.campaign_id = $1
order by c.started_at desc, c.campaign_id limit $2;

-- name: pause
-- Send no more for now.
update campaign set state = 'paused' where campaign_id = $1;

-- name: resume
-- Go on; `done` users are done by now.
update campaign set state = 'running', resumed_at = $2, done_before = $3 where campaign_id = $1;

-- name: cancel
-- Send no more, give no more.
update campaign set state = 'cancelled', finished_at = $2 where campaign_id = $1;

-- name: roll_back
-- Take back what it gave.
update campaign set state = 'rolling_back', finished_at = null, rollback_at = $2, rolled_back_by = $3, rollback_reason = $4
where campaign_id = $1;

-- name: state_of
-- Where a campaign stands, and how many users are done; call it under the lock.
select c.state, (select coalesce(sum(users), 0) from campaign_progress p where p.campaign_id = c.campaign_id)::bigint as done
from campaign c where c.campaign_id = $1;

-- name: giving
-- Those of these campaigns whose sweeps give awards, each with all awards of these users: those that were revoked and
-- those in the shadow included.
select c.campaign_id, c.badge_keys, c.notify, a.users, a.badges, a.contexts
from campaign c
cross join (
    select array_agg(user_id) as users, array_agg(badge_key) as badges, array_agg(context) as contexts
    from award where user_id = any($1::text[])) a
where c.campaign_id = any($2::text[]) and c.state in ('running', 'paused', 'done');

-- name: count
-- Users and awards that are done, by campaign.
insert into campaign_progress (campaign_id, partition, users, awards)
select n.campaign_id, $2, n.users, n.awards
from json_to_recordset($1::json) as n (campaign_id text, users bigint, awards bigint)
join campaign c using (campaign_id)
order by n.campaign_id
on conflict (campaign_id, partition) do update
set users = campaign_progress.users + excluded.users, awards = campaign_progress.awards + excluded.awards;

-- name: forget_user
-- A deletion leaves no name in the campaign that was for this user alone.
update campaign set scope_value = '' where scope = 'user' and scope_value = $1;

-- name: unfinished
-- What the relay has to work on, the oldest first.
select c.campaign_id, c.state, c.rate, u.sent, u.complete,
       (select coalesce(sum(users), 0) from campaign_progress p where p.campaign_id = c.campaign_id)::bigint as done
from campaign c join campaign_cursor u using (campaign_id)
where c.state in ('running', 'rolling_back')
order by c.started_at, c.campaign_id;

-- name: next
-- Where to go on, ours alone until we commit; nothing where the campaign does not run.
select c.scope, c.scope_value, c.started_at, u.told_until
from campaign_cursor u join campaign c using (campaign_id)
where u.campaign_id = $1 and c.state = 'running' and not u.complete
for update of u skip locked;

-- name: users
-- The next users.
select user_id from collector where user_id > $1 order by user_id limit $2;

-- name: sent
-- Remember how far sweeps are written.
update campaign_cursor set told_until = $2, sent = sent + $3, complete = $4 where campaign_id = $1;

-- name: done
-- Everybody is done.
update campaign set state = 'done', finished_at = $2 where campaign_id = $1 and state = 'running' returning campaign_id;

-- name: standing
-- The next awards of a campaign that is being rolled back; those that were given again by hand are not its own any more.
select b.user_id, b.badge_key, b.context, b.award_id, b.revision, b.shadow, c.rollback_at, c.rolled_back_by, c.rollback_reason
from award b join campaign c on c.campaign_id = b.campaign_id
where b.campaign_id = $1 and b.source = 'backfill' and b.revision = 1 and b.revoked_at is null and c.state = 'rolling_back'
order by b.user_id, b.badge_key, b.context limit $2
for update of b;

-- name: revoke
-- Take awards back.
update award b set revoked_at = $4
from unnest($1::text[], $2::text[], $3::text[]) as n (user_id, badge_key, context)
where b.user_id = n.user_id and b.badge_key = n.badge_key and b.context = n.context;

-- name: rolled_back
-- All is taken back.
update campaign set state = 'rolled_back', finished_at = $2 where campaign_id = $1 and state = 'rolling_back'
returning campaign_id;

-- name: to_take_back
-- What a rollback would revoke: awards and their users.
select count(*) as awards, count(distinct user_id) as users from award
where campaign_id = $1 and source = 'backfill' and revision = 1 and revoked_at is null;

-- name: measured_at
-- When the graphs of users were last measured, by the time of the sync.
select user_id, event_time from collector_graph where user_id = any($1::text[]);
