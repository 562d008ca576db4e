-- name: holders
-- How many hold each badge in the shadow.
select badge_key, count(distinct user_id) as holders from award where shadow and revoked_at is null group by badge_key;

-- name: count
-- Awards of a badge in the shadow: those that stand, and those that were revoked there.
select count(*) filter (where revoked_at is null) as awards, count(*) filter (where revoked_at is not null) as revoked
from award where shadow and badge_key = $1;

-- name: users
-- The next users after one who have a badge in the shadow.
select distinct user_id
from (select user_id from award where shadow and badge_key = $1 and user_id > $2 order by user_id, context limit $3) as page
order by user_id;

-- name: lock
-- The rows of these users, locked in user order: who deletes one, or acts by hand, comes before us or after us.
select user_id from collector where user_id = any($1::text[]) order by user_id for update;

-- name: due
-- What these users have of a badge in the shadow, locked.
select a.user_id, a.context, a.award_id, a.revision, a.awarded_at, a.source, a.trigger, a.caused_by::text as caused_by,
       a.batch_id, a.evidence::text as evidence, a.sort_override, a.hidden, a.revoked_at, a.campaign_id
from award a
where a.user_id = any($1::text[]) and a.badge_key = $2 and a.shadow
order by a.user_id, a.context
for update;

-- name: show
-- They are in the shadow no more: for their users they are given now.
update award a set shadow = false, notify = $4, given_no = default
from unnest($2::text[], $3::text[]) as n (user_id, context)
where a.badge_key = $1 and a.user_id = n.user_id and a.context = n.context;

-- name: outranked
-- Which of these users are shown to hold one of these badges, and in which contexts.
select distinct user_id, context from user_badges
where user_id = any($1::text[]) and badge_key = any($2::text[]) and revoked_at is null;
