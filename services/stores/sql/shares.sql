-- name: put
-- Share an award that stands, or (with no badge) a profile that has one; what is shared already keeps its token. The
-- award is locked until then: a deletion takes the share along, or leaves nothing to share.
with shown as materialized (
    select user_id from user_badges
    where user_id = $1 and ($2 = '' or (badge_key = $2 and context = $3)) and revoked_at is null and not hidden
    order by badge_key, context limit 1
    for share
)
insert into share (user_id, badge_key, context, token, name, language)
select $1, $2, $3, $4, $5, $6 from shown where user_id = $1
on conflict (user_id, badge_key, context)
do update set name = excluded.name, language = excluded.language, shared_at = excluded.shared_at
returning badge_key, context, token, name, language, shared_at;

-- name: take_back
-- Share no more.
delete from share where user_id = $1 and token = $2;

-- name: of_user
-- What a user shares, the newest first.
select badge_key, context, token, name, language, shared_at from share where user_id = $1 order by shared_at desc, token;

-- name: find
-- Whose share it is.
select user_id, badge_key, context, name, language from share where token = $1;

-- name: award
-- What was shared, as long as it stands.
select awarded_at, evidence::text as evidence from user_badges
where user_id = $1 and badge_key = $2 and context = $3 and revoked_at is null and not hidden;
