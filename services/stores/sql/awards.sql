-- name: held
-- Awards of these users, badges and contexts, revoked ones and those in the shadow included.
select user_id, badge_key, context
from award
where user_id = any($1::text::text[]) and badge_key = any($2::text::text[]) and context = any($3::text::text[]);

-- name: insert
-- Awards that are new; one per user, badge and context, whatever happens.
insert into award (user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by, batch_id, evidence,
                   rule_digest, campaign_id, shadow, notify)
select user_id, badge_key, context, award_id, awarded_at, source, trigger, caused_by, batch_id, evidence, rule_digest,
       campaign_id, shadow, notify
from unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::uuid[], $5::text::timestamptz[],
            $6::text::text[], $7::text::json[], $8::text::uuid[], $9::text::jsonb[], $10::text::text[],
            $11::text::text[], $12::text::text[], $13::text::boolean[], $14::text::boolean[])
     as n (user_id, badge_key, context, award_id, awarded_at, trigger, caused_by, batch_id, evidence, rule_digest,
           source, campaign_id, shadow, notify)
on conflict do nothing
returning user_id, badge_key, context;

-- name: publish
-- Messages for the relay, in the transaction of what they tell.
insert into outbox (topic, subject, event_id, time, value)
select * from unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::timestamptz[], $5::bytea[]);

-- name: since
-- Since when a user has each award that is shown and not revoked.
select badge_key, context, awarded_at from user_badges where user_id = $1 and revoked_at is null;

-- name: ids
-- The id of every award that is shown and stands.
select award_id from user_badges where revoked_at is null;

-- name: of_users
-- All awards of these users, revoked ones and those in the shadow included.
select user_id, badge_key, context, awarded_at, revoked_at is null and not shadow as stands
from award where user_id = any($1::text[]);
