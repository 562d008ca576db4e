-- name: load
-- What the catalogue says of these releases.
select r.release_id, r.facts_id, f.content, r.first_pressing, r.stated_at, r.by_id, r.by_source, r.stamps
from release r join facts f on f.facts_id = r.facts_id
where r.release_id = any($1::text::bigint[]);

-- name: save
-- What the catalogue says of releases after a bundle.
insert into release (release_id, facts_id, stated_at, by_id, by_source, stamps, master_id, issued, reissue)
select * from json_to_recordset($1::json) as n (
    release_id bigint, facts_id bigint, stated_at timestamptz, by_id text, by_source text, stamps json,
    master_id bigint, issued text, reissue boolean)
on conflict (release_id) do update
set facts_id = excluded.facts_id, stated_at = excluded.stated_at, by_id = excluded.by_id,
    by_source = excluded.by_source, stamps = excluded.stamps, master_id = excluded.master_id,
    issued = excluded.issued, reissue = excluded.reissue,
    -- Of another master it may be one or not: that master is dated next.
    first_pressing = release.first_pressing and coalesce(release.master_id = excluded.master_id, false);

-- name: masters
-- Masters of these releases.
select distinct master_id from release where release_id = any($1::bigint[]) and master_id is not null;

-- name: totals
-- How large the catalogues of these labels and artists are, where that is known.
select t.kind, t.id, t.total, t.as_of, coalesce(l.name, a.name) as name
from catalogue_total t
left join label l on t.kind = 'label' and l.label_id = t.id
left join artist a on t.kind = 'artist' and a.artist_id = t.id
where (t.kind = 'label' and t.id = any($1::text::bigint[])) or (t.kind = 'artist' and t.id = any($2::text::bigint[]));

-- name: first_pressing
-- What makes a release the first pressing of its master.
select r.release_id, f.content ->> 'title' as title, r.master_id, r.issued as date, m.dated as versions
from release r
join facts f on f.facts_id = r.facts_id
left join master m on m.master_id = r.master_id
where r.release_id = $1;

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

-- name: facts_ids
-- What the catalogue says now of these releases.
select release_id, facts_id from release where release_id = any($1::bigint[]);
