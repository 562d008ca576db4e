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

-- name: variants
-- The different facts, counted and stated, with which a release is owned: few, however many own it.
select distinct on (r.facts_id, r.stated_id) r.facts_id, c.content as counted, r.stated_id, s.content as stated
from owned_release r
left join facts c on c.facts_id = r.facts_id
left join facts s on s.facts_id = r.stated_id
where r.release_id = $1 and r.copies > 0;

-- name: owners
-- Who owns a release with these facts, in order.
select r.user_id
from owned_release r
join unnest($2::bigint[], $3::bigint[]) as v (facts_id, stated_id)
  on coalesce(r.facts_id, 0) = v.facts_id and coalesce(r.stated_id, 0) = v.stated_id
where r.release_id = $1 and r.copies > 0
order by r.user_id;
