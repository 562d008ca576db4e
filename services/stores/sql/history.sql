-- name: awards
-- A page of a user's awards, the newest first.
select badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint as at, source, evidence::text as evidence, score
from (select b.*, coalesce(b.sort_override, s.score, 0) as score
      from user_badges b
      left join unnest($2::text[], $3::integer[]) as s (badge_key, score) using (badge_key)
      where b.user_id = $1 and b.revoked_at is null and not b.hidden) as mine
where $5::integer is null or awarded_at < $6::timestamptz
   or (awarded_at = $6 and score < $5)
   or (awarded_at = $6 and score = $5 and (badge_key, context) > ($7::text, $8::text))
order by awarded_at desc, score desc, badge_key, context
limit $4;

-- name: months
-- The last months in which releases came that a user still owns, or badges: how many, and how many by then.
with came as (
    -- A date that cannot be is not believed: before there were databases, or after the copy was spoken of.
    select min(case when added_on between '1970-01-01' and changed_on then added_on else changed_on end) as day
    from (select release_id, added_on, (changed_at at time zone 'UTC')::date as changed_on
          from owned where user_id = $1 and present) as copies
    group by release_id
), days as (
    select day, count(*) as releases, 0 as badges from came group by day
    union all
    select (awarded_at at time zone 'UTC')::date, 0, count(*)
    from user_badges where user_id = $1 and revoked_at is null and not hidden group by 1
), months as (
    select date_trunc('month', day::timestamp)::date as month, sum(releases) as releases, sum(badges) as badges
    from days group by 1
)
select month, releases::integer, badges::integer, (sum(releases) over so_far)::integer as releases_so_far,
       (sum(badges) over so_far)::integer as badges_so_far
from months
window so_far as (order by month)
order by month desc
limit $2;

-- name: of_context
-- A user's awards of these badges in one context.
select badge_key, awarded_at, source, evidence::text as evidence, pinned_at is not null as pinned
from user_badges
where user_id = $1 and badge_key = any($2::text[]) and context = $3 and revoked_at is null and not hidden;
