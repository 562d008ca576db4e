-- name: load_owned
-- Copies by user and instance.
select o.user_id, o.instance_id, o.release_id, o.present, o.changed_at, o.by_id, o.by_source, o.added_on
from unnest($1::text::text[], $2::text::bigint[]) as k (user_id, instance_id)
join owned o on o.user_id = k.user_id and o.instance_id = k.instance_id;

-- name: load_releases
-- What users own and said of releases, with the facts counted for them and the facts they stated.
select r.user_id, r.release_id, r.copies, r.facts_id, c.content as counted, r.first_pressing, r.stated_id,
       s.content as stated, r.stated_at, r.by_id, r.by_source, r.stamps
from unnest($1::text::text[], $2::text::bigint[]) as k (user_id, release_id)
join owned_release r on r.user_id = k.user_id and r.release_id = k.release_id
left join facts c on c.facts_id = r.facts_id
left join facts s on s.facts_id = r.stated_id;

-- name: load_counts
-- Counts of labels, artists and masters.
select f.user_id, f.facet, f.value, f.n, f.artists
from unnest($1::text::text[], $2::text::"char"[], $3::text::bigint[]) as k (user_id, facet, value)
join facet_count f on f.user_id = k.user_id and f.facet = k.facet and f.value = k.value;

-- name: add_owned
-- Copies of which nothing was said before.
insert into owned (user_id, instance_id, release_id, present, changed_at, by_id, by_source, added_on)
select * from unnest($1::text::text[], $2::text::bigint[], $3::text::bigint[], $4::text::boolean[],
                     $5::text::timestamptz[], $6::text::text[], $7::text::text[], $8::text::date[])
on conflict do nothing
returning user_id, instance_id;

-- name: save_owned
-- Copies and tombstones after a bundle.
insert into owned (user_id, instance_id, release_id, present, changed_at, by_id, by_source, added_on)
select * from unnest($1::text::text[], $2::text::bigint[], $3::text::bigint[], $4::text::boolean[],
                     $5::text::timestamptz[], $6::text::text[], $7::text::text[], $8::text::date[])
on conflict (user_id, instance_id) do update
set release_id = excluded.release_id, present = excluded.present, changed_at = excluded.changed_at,
    by_id = excluded.by_id, by_source = excluded.by_source, added_on = excluded.added_on;

-- name: add_releases
-- Releases of which their users have said nothing before.
insert into owned_release (user_id, release_id, copies, facts_id, first_pressing, stated_id, stated_at, by_id, by_source,
                           stamps)
select * from unnest($1::text::text[], $2::text::bigint[], $3::text::integer[], $4::text::bigint[], $5::text::boolean[],
                     $6::text::bigint[], $7::text::timestamptz[], $8::text::text[], $9::text::text[], $10::text::json[])
on conflict do nothing
returning user_id, release_id;

-- name: save_releases
-- Owned releases after a bundle.
insert into owned_release (user_id, release_id, copies, facts_id, first_pressing, stated_id, stated_at, by_id, by_source,
                           stamps)
select * from unnest($1::text::text[], $2::text::bigint[], $3::text::integer[], $4::text::bigint[], $5::text::boolean[],
                     $6::text::bigint[], $7::text::timestamptz[], $8::text::text[], $9::text::text[], $10::text::json[])
on conflict (user_id, release_id) do update
set copies = excluded.copies, facts_id = excluded.facts_id, first_pressing = excluded.first_pressing,
    stated_id = excluded.stated_id, stated_at = excluded.stated_at, by_id = excluded.by_id,
    by_source = excluded.by_source, stamps = excluded.stamps;

-- name: add_counts
-- More of labels and artists; answers what they come to.
insert into facet_count (user_id, facet, value, n)
select * from unnest($1::text::text[], $2::text::"char"[], $3::text::bigint[], $4::text::integer[])
on conflict (user_id, facet, value) do update set n = facet_count.n + excluded.n
returning user_id, facet, value, n;

-- name: save_counts
-- Counts of labels, artists and masters after a bundle.
insert into facet_count (user_id, facet, value, n, artists)
select user_id, facet, value, n, artists::bigint[]
from unnest($1::text::text[], $2::text::"char"[], $3::text::bigint[], $4::text::integer[], $5::text::text[])
     as k (user_id, facet, value, n, artists)
on conflict (user_id, facet, value) do update set n = excluded.n, artists = excluded.artists;

-- name: oldest
-- Releases counted for a user that may be of a pressing year: those said to be, and those that only have a date.
select r.release_id, f.content
from owned_release r join facts f on f.facts_id = r.facts_id
where r.user_id = $1 and r.copies > 0 and coalesce(f.content ->> 'year', '0') in ('0', $2::text);

-- name: copies_of
-- All copies and tombstones of users.
select user_id, instance_id, release_id, present, changed_at, by_id, by_source, added_on from owned
where user_id = any($1::text[])
order by user_id, instance_id;

-- name: releases_of
-- All that users own or have said of releases.
select r.user_id, r.release_id, r.copies, r.facts_id, c.content as counted, r.first_pressing, r.stated_id,
       s.content as stated, r.stated_at, r.by_id, r.by_source, r.stamps
from owned_release r
left join facts c on c.facts_id = r.facts_id
left join facts s on s.facts_id = r.stated_id
where r.user_id = any($1::text[])
order by r.user_id, r.release_id;

-- name: counts_of
-- All counts of labels, artists and masters of users.
select user_id, facet, value, n, artists from facet_count where user_id = any($1::text[]);

-- name: forget_counts
-- Counts of a user, before they are written anew.
delete from facet_count where user_id = $1;
