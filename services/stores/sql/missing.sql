-- name: standing
-- The counters of a user, and what became of a badge: had (true), taken back (false), never given or hidden (null).
select c.*, (select revoked_at is null from user_badges
             where user_id = $1 and badge_key = $2 and context = $3 and not hidden) as held
from (values (1)) as one
left join collector c on c.user_id = $1;

-- name: seen
-- Whether a user sees a badge in any context.
select exists (select from user_badges where user_id = $1 and badge_key = $2 and revoked_at is null and not hidden);

-- name: nearest_coverage
-- The label or artist that is nearest to a badge that the user has not for it, as progress counts; unknown sizes come last.
select f.value
from facet_count f
-- Laterally, so that nobody's plan reads the sizes of the whole catalogue.
left join lateral (select c.total from catalogue_total c where c.kind = $3 and c.id = f.value limit 1) as t
     on t.total >= $4::integer
where f.user_id = $1 and f.facet = $2 and f.value > 0 and f.n > 0
  and not exists (select from user_badges b
                  where b.user_id = $1 and b.badge_key = $5 and b.context = $3 || ':' || f.value)
order by t.total is null, least(least(f.n, t.total) * 100::bigint / t.total, $6::integer) desc,
         case when t.total is null then f.n end desc, f.value::text collate "C"
limit 1;

-- name: nearest_master
-- The master of which a user has most pressings without the badge; beyond the target numbers make no difference.
select f.value
from facet_count f
where f.user_id = $1 and f.facet = 'm' and f.n > 0
  and not exists (select from user_badges b
                  where b.user_id = $1 and b.badge_key = $3 and b.context = 'master:' || f.value)
order by least(f.n, $2::integer) desc, f.value::text collate "C"
limit 1;

-- name: label
-- A label's size, what a user has of it, and a page of its releases that the user does not own, oldest first.
with page as (
    select l.release_id, r.facts_id, coalesce(r.issued, ':') as at
    from release_label l
    join release r on r.release_id = l.release_id
    where l.label_id = $2
      -- As one set: looked up one by one, the popular ones could be found by who else owns them.
      and l.release_id not in (select o.release_id from owned_release o where o.user_id = $1 and o.copies > 0)
      and ($4::text is null or (coalesce(r.issued, ':'), l.release_id) > ($4, $5::bigint))
    order by at, l.release_id
    limit $6
)
select (select name from label where label_id = $2) as name,
       (select n from facet_count where user_id = $1 and facet = 'l' and value = $2) as owned,
       t.total, t.as_of,
       (select revoked_at is null from user_badges
        where user_id = $1 and badge_key = $3 and context = 'label:' || $2::bigint and not hidden) as held,
       (select json_agg(json_build_array(p.release_id, p.at, null, f.content) order by p.at, p.release_id)
        from page p left join facts f on f.facts_id = p.facts_id) as page
from (values (1)) as one
left join catalogue_total t on t.kind = 'label' and t.id = $2;

-- name: artist
-- An artist's works (masters, and releases without one, as negative ids): how many, what a user has, a page of the others.
with works as (
    select distinct on (work) coalesce(nullif(r.master_id, 0), -r.release_id) as work, r.facts_id, r.issued
    from release_artist a
    join release r on r.release_id = a.release_id
    where a.artist_id = $2
    order by work, r.issued, r.release_id
), page as (
    select w.work, w.facts_id, m.title, coalesce(nullif(m.year, 0)::text, m.earliest, w.issued, ':') as at
    from works w
    left join master m on m.master_id = w.work
    where not exists (select from facet_count c
                      where c.user_id = $1 and c.facet = 'm' and c.value = w.work and c.n > 0)
      and -w.work not in (select o.release_id from owned_release o where o.user_id = $1 and o.copies > 0)
      and ($4::text is null
           or (coalesce(nullif(m.year, 0)::text, m.earliest, w.issued, ':'), w.work) > ($4, $5::bigint))
    order by at, w.work
    limit $6
)
select (select name from artist where artist_id = $2) as name,
       (select n from facet_count where user_id = $1 and facet = 'a' and value = $2) as owned,
       t.total, t.as_of,
       (select revoked_at is null from user_badges
        where user_id = $1 and badge_key = $3 and context = 'artist:' || $2::bigint and not hidden) as held,
       (select json_agg(json_build_array(p.work, p.at, p.title, f.content) order by p.at, p.work)
        from page p left join facts f on f.facts_id = p.facts_id) as page
from (values (1)) as one
left join catalogue_total t on t.kind = 'artist' and t.id = $2;

-- name: master
-- How many versions a master has, what a user has of it, and a page of the versions that the user does not own.
with page as (
    select r.release_id, r.facts_id, coalesce(r.issued, ':') as at
    from release r
    where r.master_id = $2
      and r.release_id not in (select o.release_id from owned_release o where o.user_id = $1 and o.copies > 0)
      and ($4::text is null or (coalesce(r.issued, ':'), r.release_id) > ($4, $5::bigint))
    order by at, r.release_id
    limit $6
)
select coalesce((select title from master where master_id = $2),
                (select f.content ->> 'title' from release r join facts f on f.facts_id = r.facts_id
                 where r.master_id = $2 order by r.issued, r.release_id limit 1)) as name,
       (select n from facet_count where user_id = $1 and facet = 'm' and value = $2) as owned,
       t.total, t.as_of,
       (select revoked_at is null from user_badges
        where user_id = $1 and badge_key = $3 and context = 'master:' || $2::bigint and not hidden) as held,
       (select json_agg(json_build_array(p.release_id, p.at, null, f.content) order by p.at, p.release_id)
        from page p left join facts f on f.facts_id = p.facts_id) as page
from (values (1)) as one
left join catalogue_total t on t.kind = 'master' and t.id = $2;

-- name: facet_values
-- How many values of a facet are known, and a page of those whose ids are not given: some values first, then by name.
with known as (
    select id, value, coalesce(array_position($3::text[], value), 2147483647) as rank
    from facet_value where facet = $1
)
select (select count(*) from known) as total,
       (select json_agg(json_build_array(id, value) order by rank, value collate "C")
        from (select * from known
              where id::bigint not in (select unnest($2::bigint[]))
                and ($4::bigint is null
                     or (rank, value collate "C") > (select k.rank, k.value collate "C" from known k where k.id = $4))
              order by rank, value collate "C"
              limit $5) as page) as page;

-- name: names
-- Facets and names of these values.
select id, facet, value from facet_value where id = any($1::bigint[]);
