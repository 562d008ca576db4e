-- name: page
-- One page of a user's awards in list order, and what the statistics need: one row, whatever the user has.
with mine as (
    select b.badge_key, b.context, b.awarded_at, b.source, b.evidence, b.rank, h.holders, h.active_holders,
           coalesce(b.sort_override, s.score, 0) as score
    from user_badges b
    left join unnest($2::text[], $3::integer[]) as s (badge_key, score) using (badge_key)
    left join badge_holders h using (badge_key)
    where b.user_id = $1 and b.revoked_at is null and not b.hidden
), held as (
    select badge_key, count(*) as awards, holders, active_holders, max(rank) filter (where rank > 0) as rank
    from mine group by badge_key, holders, active_holders
), page as (
    select * from mine
    where $5::integer is null or score < $5
       or (score = $5 and awarded_at < $6::timestamptz)
       or (score = $5 and awarded_at = $6 and (badge_key, context) > ($7::text, $8::text))
    order by score desc, awarded_at desc, badge_key, context
    limit $4
)
select (select json_build_array(holders, active_holders) from badge_holders where badge_key = '') as collectors,
       (select json_agg(json_build_array(badge_key, awards, holders, active_holders, rank)) from held) as held,
       (select json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
        from mine where holders is not null
        order by holders, score desc, awarded_at desc, badge_key, context limit 1) as rarest,
       (select json_agg(json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
                        order by score desc, awarded_at desc, badge_key, context)
        from page) as page;

-- name: summary
-- How many awards a user has of each badge, the rarest and the newest one: one row, whatever the user has.
with mine as (
    select b.badge_key, b.context, b.awarded_at, b.source, b.evidence, b.rank, h.holders, h.active_holders,
           coalesce(b.sort_override, s.score, 0) as score
    from user_badges b
    left join unnest($2::text[], $3::integer[]) as s (badge_key, score) using (badge_key)
    left join badge_holders h using (badge_key)
    where b.user_id = $1 and b.revoked_at is null and not b.hidden
), held as (
    select badge_key, count(*) as awards, holders, active_holders, max(rank) filter (where rank > 0) as rank
    from mine group by badge_key, holders, active_holders
)
select (select json_build_array(holders, active_holders) from badge_holders where badge_key = '') as collectors,
       (select json_agg(json_build_array(badge_key, awards, holders, active_holders, rank)) from held) as held,
       (select json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
        from mine where holders is not null
        order by holders, score desc, awarded_at desc, badge_key, context limit 1) as rarest,
       (select json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
        from mine
        order by awarded_at desc, score desc, badge_key, context limit 1) as most_recent;

-- name: detail
-- One badge of a user: its first award in list order, a page of its awards, and since when each tier of the family is held.
with family as (
    select badge_key, context, awarded_at, source, evidence, rank, coalesce(sort_override, $4::integer) as score
    from user_badges
    where user_id = $1 and badge_key = any($3::text[]) and revoked_at is null and not hidden
), own as (
    select * from family where badge_key = $2
), page as (
    select * from own
    where $6::integer is null or score < $6
       or (score = $6 and awarded_at < $7::timestamptz)
       or (score = $6 and awarded_at = $7 and (badge_key, context) > ($8::text, $9::text))
    order by score desc, awarded_at desc, context
    limit $5
)
select (select json_build_array(holders, active_holders) from badge_holders where badge_key = '') as collectors,
       (select json_build_array(holders, active_holders) from badge_holders where badge_key = $2) as holders,
       (select max(rank) from own where rank > 0) as rank,
       (select json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
        from own
        order by score desc, awarded_at desc, context limit 1) as first,
       (select json_object_agg(badge_key, since)
        from (select badge_key, (extract(epoch from min(awarded_at)) * 1000000)::bigint as since from family group by badge_key) tiers) as since,
       (select json_agg(json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
                        order by score desc, awarded_at desc, context)
        from page) as page,
       (select json_object_agg(p.context, json_build_array(coalesce(f.n, 0), t.total, t.as_of))
        from page p
        cross join lateral (select split_part(p.context, ':', 1) as kind,
                                   case when p.context ~ '^(label|artist):[1-9][0-9]{0,17}$'
                                        then split_part(p.context, ':', 2)::bigint end as id) as w
        join catalogue_total t on t.kind = w.kind and t.id = w.id
        left join facet_count f on f.user_id = $1 and f.facet = case t.kind when 'label' then 'l' else 'a' end::"char"
                               and f.value = t.id
       ) as today;

-- name: standing
-- The counters of a user with all that progress needs of masters (of each number of pressings and tiers held the first
-- few), and of labels and artists those nearest to a tier that is not held.
with awarded as (
    select badge_key, context, evidence ->> 'master' as title
    from user_badges where user_id = $1 and badge_key = any($2::text[])
), owned as (
    select value, n from facet_count where user_id = $1 and facet = 'm' and n > 1
    union all
    -- Most masters have one pressing: not all of them are worth sorting. Beside those with awards these are enough.
    (select value, n from facet_count where user_id = $1 and facet = 'm' and n = 1
     order by value::text collate "C" limit $4::integer + (select count(*) from awarded))
), known as (
    -- A join would be planned for a user with few of both, and take a quadratic time for one with many.
    select context, max(value) as value, max(n) as n, max(title) as title, array_agg(badge_key order by badge_key) as tiers
    from (select 'master:' || value as context, value, n, null as badge_key, null as title from owned
          union all
          select context, null, null, badge_key, title from awarded) both_of_them
    group by context
    having max(n) is not null
), masters as (
    select value, n, title, row_number() over (partition by least(n, $3::integer), tiers order by context collate "C") as place
    from known
), nearest as (
    select value, n, title from masters where place <= $4::integer
), rungs as (
    select badge_key, kind, percent, min_total, row_number() over (partition by kind order by percent) as rung
    from unnest($5::text[], $6::text[], $7::integer[], $8::integer[]) as b (badge_key, kind, percent, min_total)
), held as materialized (
    select context, array_agg(badge_key) as tiers from user_badges
    where user_id = $1 and badge_key = any($5::text[]) group by context
), covered as (
    select t.kind, t.id, t.kind || ':' || t.id as context, f.n, t.total, t.as_of,
           least(f.n, t.total) * 100 / t.total as share
    from facet_count f
    join catalogue_total t on t.kind = case f.facet when 'l' then 'label' when 'a' then 'artist' end and t.id = f.value
    where f.user_id = $1 and f.facet in ('l', 'a') and f.n > 0
), upcoming as (
    -- Of most contexts no tier is held: the lowest is next.
    select c.*, r.badge_key, r.percent
    from covered c join rungs r on r.kind = c.kind and r.rung = 1 and r.min_total <= c.total
    where c.context not in (select context from held)
    union all
    select * from (
        select distinct on (c.kind, c.id) c.*, r.badge_key, r.percent
        from held h
        join covered c on c.context = h.context
        join rungs r on r.kind = c.kind and r.min_total <= c.total and r.badge_key <> all (h.tiers)
        order by c.kind, c.id, r.percent
    ) as started
), coverage as (
    select *, row_number() over (partition by kind order by greatest(0, percent - share)::float8 / percent,
                                 greatest(0, percent - share), badge_key, context collate "C") as place
    from upcoming
), closest as (
    select c.*, coalesce(l.name, a.name) as name
    from coverage c
    left join label l on c.kind = 'label' and l.label_id = c.id
    left join artist a on c.kind = 'artist' and a.artist_id = c.id
    where c.place <= $4::integer
)
select c.joined_on, c.releases, c.genres, c.styles, c.labels, c.countries, c.decades, c.largest_decade, c.mono_releases,
       c.formats, c.deep_cuts, c.first_pressings, c.taste_dimensions, c.reviews, c.edits, c.wishlist, c.compares,
       coalesce(c.oldest_year, 0) as oldest_year, c.facets, c.years,
       g.hops, g.cluster_artists, g.evidence as graph,
       (select json_agg(json_build_array(value, n, title)) from nearest) as masters,
       (select json_agg(json_build_array(kind, id, n, total, as_of, name)) from closest) as coverage,
       (select json_agg(json_build_array(badge_key, context)) from user_badges
        where user_id = $1 and (context = '' or context in (select 'master:' || value from nearest)
                                or context in (select context from closest))) as awarded
from collector c
left join collector_graph g on g.user_id = c.user_id
where c.user_id = $1;

-- name: lag
-- Whether the schema is there and how far behind the rest is: age of the oldest message waiting, last move of the ledger.
select (select extract(epoch from clock_timestamp() - created_at)::float8
        from outbox where failed_at is null order by id limit 1) as outbox_seconds,
       (select max(updated_at) from offset_ledger) as ledger_moved_at,
       (select count(*) from offset_ledger) as partitions;
