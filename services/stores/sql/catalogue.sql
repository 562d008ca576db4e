-- name: load
-- What the catalogue says of these releases.
select r.release_id, r.facts_id, f.content, r.stated_at, r.by_id, r.by_source, r.stamps
from release r join facts f on f.facts_id = r.facts_id
where r.release_id = any($1::bigint[]);

-- name: save
-- What the catalogue says of releases after a bundle.
insert into release (release_id, facts_id, stated_at, by_id, by_source, stamps)
select * from unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::json[])
on conflict (release_id) do update
set facts_id = excluded.facts_id, stated_at = excluded.stated_at, by_id = excluded.by_id,
    by_source = excluded.by_source, stamps = excluded.stamps;

-- name: owners
-- Who owns a release, in order.
select user_id from owned_release where release_id = $1 and copies > 0 order by user_id;
