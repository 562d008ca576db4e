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
