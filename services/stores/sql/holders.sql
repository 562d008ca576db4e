-- name: users
-- The next users: how many, those active after a day, and the last of them.
select count(*) as users, count(*) filter (where seen_on > $3) as active, max(user_id) as last
from (select user_id, seen_on from collector where user_id > $1 order by user_id limit $2) as page;

-- name: held
-- Holders of each badge among the users of a page: awards that stood at a moment, or stand now.
select b.badge_key, count(distinct b.user_id) as holders,
       count(distinct b.user_id) filter (where c.seen_on > $3) as active_holders
from user_badges b
left join collector c on c.user_id = b.user_id
where b.user_id > $1 and b.user_id <= $2
  and b.awarded_at < coalesce($4::timestamptz, 'infinity')
  and (b.revoked_at is null or b.revoked_at >= coalesce($4::timestamptz, 'infinity'))
group by b.badge_key;

-- name: add
-- Add the counts of a page to those of the day.
insert into badge_holders_history as h (badge_key, counted_on, holders, active_holders)
select n.badge_key, $1, n.holders, n.active_holders
from unnest($2::text[], $3::bigint[], $4::bigint[]) as n (badge_key, holders, active_holders)
order by n.badge_key
on conflict (badge_key, counted_on) do update
set holders = h.holders + excluded.holders, active_holders = h.active_holders + excluded.active_holders;

-- name: forget
-- Begin the count of a day anew.
delete from badge_holders_history where counted_on = $1;

-- name: none
-- Badges that nobody holds are counted as well: their history begins with them, and not with their first holder.
insert into badge_holders_history (badge_key, counted_on, holders, active_holders)
select badge_key, $1, 0, 0 from unnest($2::text[]) as n (badge_key) order by badge_key
on conflict do nothing;

-- name: share
-- The day's count is complete: shares of all users and of the active ones.
update badge_holders_history h
set share_all = case when a.holders > 0 then least(1, h.holders::float8 / a.holders) end,
    share_active = case when a.active_holders > 0 then least(1, h.active_holders::float8 / a.active_holders) end
from badge_holders_history a
where h.counted_on = $1 and a.counted_on = $1 and a.badge_key = '';

-- name: hand_over
-- What the api shows follows the newest day.
insert into badge_holders as h (badge_key, holders, active_holders, as_of)
select badge_key, holders, active_holders, now() from badge_holders_history
where counted_on = $1 and (holders > 0 or badge_key = '')
  and not exists (select from badge_holders_history where counted_on > $1)
order by badge_key
on conflict (badge_key) do update set active_holders = excluded.active_holders;

-- name: nominate
-- Of a page's users and those nominated before: who were the first to earn a badge, as many as it has ranks left.
-- Whoever has or had a rank of the badge gets no other; a row that somebody changes right now waits for another day.
with page as (
    select user_id, badge_key, context, awarded_at, source, revoked_at,
           count(rank) over (partition by user_id, badge_key) as ranks
    from user_badges
    where user_id > $1 and user_id <= $2
      and badge_key <> all (array(select badge_key from badge_ranking where given = $4))
), found as (
    select distinct on (user_id, badge_key) user_id, badge_key, context, awarded_at, false as nominated
    from page
    where ranks = 0 and awarded_at < $3 and source <> 'manual' and revoked_at is null
    order by user_id, badge_key, awarded_at, context
), lined_up as (
    select f.*, row_number() over (partition by f.badge_key order by f.awarded_at, f.user_id)
                <= $4 - coalesce(r.given, 0) as chosen
    from (select * from found
          union all
          select user_id, badge_key, context, awarded_at, true from user_badges where rank = 0) as f
    left join badge_ranking r using (badge_key)
), moved as (
    select b.user_id, b.badge_key, b.context, l.chosen
    from lined_up l
    join user_badges b using (user_id, badge_key, context)
    where l.chosen <> l.nominated
    for no key update of b skip locked
)
update user_badges b set rank = case when m.chosen then 0 end
from moved m
where b.user_id = m.user_id and b.badge_key = m.badge_key and b.context = m.context;

-- name: rank
-- Ranks for the nominated, behind those that are given; to be told where it was earned by an event, and not before
-- somebody who has one already.
with nominated as materialized (
    select user_id, badge_key, context, awarded_at, source from user_badges where rank = 0
    for no key update skip locked
), ranked as (
    select n.*, coalesce(r.given, 0) + row_number() over (partition by n.badge_key order by n.awarded_at, n.user_id) as rank,
           n.source = 'auto' and n.awarded_at >= coalesce(r.latest, '-infinity') as told
    from nominated n
    left join badge_ranking r using (badge_key)
), given as (
    insert into badge_ranking as r (badge_key, given, latest)
    select badge_key, max(rank), max(awarded_at) from ranked where rank <= $1 group by badge_key order by badge_key
    on conflict (badge_key) do update set given = excluded.given, latest = greatest(r.latest, excluded.latest)
)
update user_badges b set rank = case when r.rank <= $1 then case when r.told then r.rank else -r.rank end end
from ranked r
where b.user_id = r.user_id and b.badge_key = r.badge_key and b.context = r.context;

-- name: history
-- A badge's holders day by day, as far as days are complete.
select counted_on, holders, active_holders, share_all, share_active
from badge_holders_history where badge_key = $1 and counted_on >= $2 and share_all is not null
order by counted_on;
