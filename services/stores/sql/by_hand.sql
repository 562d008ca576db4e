-- name: lock
-- The row of a user, locked: whether the user is known, and when the last deletion was.
select erased_at from collector where user_id = $1 for update;

-- name: award
-- An award, revoked or not, locked.
select award_id, revision, awarded_at, source, trigger, caused_by::text as caused_by, batch_id, evidence::text as evidence,
       sort_override, hidden, revoked_at, campaign_id, shadow
from award where user_id = $1 and badge_key = $2 and context = $3
for update;

-- name: held
-- Which of these badges a user is shown to hold in a context.
select badge_key from user_badges
where user_id = $1 and badge_key = any($2::text[]) and context = $3 and revoked_at is null;

-- name: grant_award
-- An award by hand.
insert into award (user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by, batch_id, evidence, shadow)
values ($1, $2, $3, $4, $5, 'manual', 'manual', 'null', $6, $7::text::jsonb, $8);

-- name: change_award
-- What acts by hand change of an award.
update award
set revision = $4, source = $5, trigger = $6, caused_by = $7::text::json, batch_id = $8, sort_override = $9, hidden = $10,
    revoked_at = $11, campaign_id = $12
where user_id = $1 and badge_key = $2 and context = $3;

-- name: tell
-- An award that is given or stands again is the user's last one.
update award set notify = $4, given_no = default where user_id = $1 and badge_key = $2 and context = $3;

-- name: log_act
-- An act, for good.
insert into award_log (at, by, act, user_id, badge_key, context, award_id, revision, reason, before, after)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::json, $11::text::json)
returning id;

-- name: page_of_log
-- The newest acts before one, of a user, on a badge (null: of all).
select id, at, by, act, user_id, encode(user_hash, 'hex') as user_hash, badge_key, context, award_id, revision, reason,
       before::text as before, after::text as after
from award_log
where ($1::bigint is null or id < $1)
  and ($2::text is null or user_id = $2)
  and ($3::text is null or badge_key = $3)
order by id desc
limit $4;
