-- name: find
-- Which of these facts are stored.
select f.facts_id, f.release_id, f.digest
from unnest($1::text::bigint[], $2::bytea[]) as k (release_id, digest)
join facts f on f.release_id = k.release_id and f.digest = k.digest;

-- name: add
-- Store facts; whoever stores the same ones is waited for.
insert into facts (release_id, digest, content)
select * from unnest($1::text::bigint[], $2::bytea[], $3::json[])
on conflict do nothing
returning facts_id, release_id, digest;

-- name: prune
-- Facts of these releases that nobody refers to any more.
delete from facts f
where f.release_id = any($1::bigint[])
  and not exists (select from owned_release r where r.release_id = f.release_id
                  and (r.facts_id = f.facts_id or r.stated_id = f.facts_id))
  and not exists (select from release c where c.release_id = f.release_id and c.facts_id = f.facts_id)
  and not exists (select from news n where n.facts_id = f.facts_id);

-- name: add_values
-- New values; whoever adds the same one is waited for.
insert into facet_value (facet, value)
select * from unnest($1::text[], $2::text[])
on conflict do nothing;

-- name: find_values
-- Ids of these values.
select v.id, v.facet, v.value
from unnest($1::text[], $2::text[]) as k (facet, value)
join facet_value v on v.facet = k.facet and md5(v.value) = md5(k.value) and v.value = k.value;
