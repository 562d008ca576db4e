-- name: of_users
-- The counters of several users with all that progress needs of masters (of each number of pressings and tiers held the
-- first few), and of labels and artists those nearest to a tier that is not held.
select f.*
from unnest($1::text[]) with ordinality as u (user_id, n)
left join lateral (
    with awarded as (
        select badge_key, context, evidence ->> 'master' as title
        from user_badges where user_id = u.user_id and badge_key = any($2::text[])
    ), owned as (
        select value, n from facet_count where user_id = u.user_id and facet = 'm' and n > 1
        union all
        -- Most masters have one pressing: not all of them are worth sorting. Beside those with awards these are enough.
        (select value, n from facet_count where user_id = u.user_id and facet = 'm' and n = 1
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
        where user_id = u.user_id and badge_key = any($5::text[]) group by context
    ), covered as (
        select t.kind, t.id, t.kind || ':' || t.id as context, f.n, t.total, t.as_of,
               least(f.n, t.total) * 100 / t.total as share
        from facet_count f
        join catalogue_total t on t.kind = case f.facet when 'l' then 'label' when 'a' then 'artist' end and t.id = f.value
        where f.user_id = u.user_id and f.facet in ('l', 'a') and f.n > 0
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
           (select json_agg(badge_key) from user_badges where user_id = u.user_id and context = '') as awarded,
           (select json_agg(json_build_array(badge_key, context))
            from (select badge_key, context from awarded where context in (select 'master:' || value from nearest)
                  union all
                  select unnest(tiers), context from held where context in (select context from closest)) tiers) as tiers
    from collector c
    left join collector_graph g on g.user_id = c.user_id
    where c.user_id = u.user_id
) as f on true
order by u.n;
