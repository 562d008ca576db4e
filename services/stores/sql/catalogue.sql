-- name: load
-- What the catalogue says of these releases.
select r.release_id, r.facts_id, f.content, r.stated_at, r.by_id, r.by_source, r.stamps
from release r join facts f on f.facts_id = r.facts_id
where r.release_id = any($1::bigint[]);

-- name: save
-- What the catalogue says of releases after a bundle.
insert into release (release_id, facts_id, stated_at, by_id, by_source, stamps)
select * from json_to_recordset($1::json) as n (
    release_id bigint, facts_id bigint, stated_at timestamptz, by_id text, by_source text, stamps json)
on conflict (release_id) do update
set facts_id = excluded.facts_id, stated_at = excluded.stated_at, by_id = excluded.by_id,
    by_source = excluded.by_source, stamps = excluded.stamps;

-- name: owners
-- Who owns a release, and by which facts it is counted and stated.
select user_id, facts_id, stated_id from owned_release where release_id = $1 and copies > 0 order by user_id;

-- name: contents
-- Facts by their ids.
select facts_id, content from facts where facts_id = any($1::bigint[]);

-- name: date_masters
-- Date these masters by their versions, and mark the first pressings; answers the releases that became or ceased to be one.
with dates as materialized (
    select a.master_id, count(r.issued)::integer as dated,
           -- What is not known sorts last: 1999-03-17, 1999-03, 1999.
           rtrim(min(rpad(r.issued, 10, '~') collate "C"), '~') as earliest
    from (select distinct unnest($1::bigint[])) as a (master_id)
    left join release r on r.master_id = a.master_id
    group by a.master_id
), dated as (
    update master m set earliest = d.earliest, dated = d.dated
    from dates d
    where m.master_id = d.master_id and (m.earliest, m.dated) is distinct from (d.earliest, d.dated)
), judged as materialized (
    select r.release_id,
           not r.reissue and r.issued is not null
           and (starts_with(d.earliest, r.issued) or starts_with(r.issued, d.earliest))
           -- As a value, so that each is looked up by its key whatever the table's statistics say.
           and (select true from catalogue_total where kind = 'master' and id = d.master_id) is not null
           as first_pressing
    from dates d
    join release r on r.master_id = d.master_id
)
update release r set first_pressing = j.first_pressing
from judged j
where r.release_id = j.release_id and r.first_pressing <> j.first_pressing
returning r.release_id;
