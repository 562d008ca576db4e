-- name: latest
-- The number of the user's award that was given last; 0 where there is none.
select coalesce(max(given_no), 0) from user_badges where user_id = $1;

-- name: since
-- What users were given after a number of each, as far as they should hear of it: of each the newest, oldest first.
select w.user_id, b.given_no, b.badge_key, b.context, b.source, b.evidence,
       (extract(epoch from b.awarded_at) * 1000000)::bigint as at
from unnest($1::text[], $2::bigint[]) as w (user_id, after)
cross join lateral (
    select * from user_badges
    where user_id = w.user_id and given_no > w.after and notify and revoked_at is null and not hidden
    order by given_no desc limit $3
) as b
order by w.user_id, b.given_no;
