-- name: lock
-- The rows of these users, locked in user order.
select user_id, erased_at, joined_on, releases, genres, styles, labels, countries, decades, largest_decade,
       mono_releases, formats, deep_cuts, first_pressings, taste_dimensions, reviews, edits, wishlist, compares,
       coalesce(oldest_year, 0) as oldest_year, age_seen, seen_on, facets, years
from collector where user_id = any($1::text::text[])
order by user_id
for update;

-- name: create
-- Rows for users without one; whoever else is creating one is waited for.
insert into collector (user_id, erased_at)
select user_id, erased_at from unnest($1::text[], $2::timestamptz[]) as given (user_id, erased_at)
on conflict do nothing
returning user_id;

-- name: save
-- All of the row, anew.
update collector c
set joined_on = n.joined_on, releases = n.releases, genres = n.genres, styles = n.styles, labels = n.labels,
    countries = n.countries, decades = n.decades, largest_decade = n.largest_decade,
    mono_releases = n.mono_releases, formats = n.formats, deep_cuts = n.deep_cuts,
    first_pressings = n.first_pressings, taste_dimensions = n.taste_dimensions, reviews = n.reviews, edits = n.edits, wishlist = n.wishlist,
    compares = n.compares, oldest_year = nullif(n.oldest_year, 0), age_seen = n.age_seen, seen_on = n.seen_on,
    facets = n.facets, years = n.years, erased_at = n.erased_at
from unnest(
    $1::text::text[], $2::text::integer[], $3::text::date[], $4::bytea[], $5::bytea[], $6::text::integer[],
    $7::text::integer[], $8::text::integer[], $9::text::integer[], $10::text::integer[], $11::text::integer[],
    $12::text::integer[], $13::text::integer[], $14::text::integer[], $15::text::integer[], $16::text::integer[],
    $17::text::integer[], $18::text::integer[], $19::text::integer[], $20::text::integer[], $21::text::integer[],
    $22::text::integer[], $23::text::date[], $24::text::timestamptz[]
) as n (
    user_id, age_seen, seen_on, facets, years, releases, genres, styles, labels, countries, decades, largest_decade,
    mono_releases, formats, deep_cuts, first_pressings, taste_dimensions, reviews, edits, wishlist, compares,
    oldest_year, joined_on, erased_at
)
where c.user_id = n.user_id;

-- name: save_collection
-- What copies move of the counters, after a bundle.
update collector c
set releases = n.releases, genres = n.genres, styles = n.styles, labels = n.labels, countries = n.countries,
    decades = n.decades, largest_decade = n.largest_decade, mono_releases = n.mono_releases, formats = n.formats,
    deep_cuts = n.deep_cuts, first_pressings = n.first_pressings, taste_dimensions = n.taste_dimensions,
    oldest_year = nullif(n.oldest_year, 0),
    age_seen = n.age_seen, seen_on = n.seen_on, facets = n.facets, years = n.years
from unnest(
    $1::text::text[], $2::text::integer[], $3::text::date[], $4::bytea[], $5::bytea[], $6::text::integer[],
    $7::text::integer[], $8::text::integer[], $9::text::integer[], $10::text::integer[], $11::text::integer[],
    $12::text::integer[], $13::text::integer[], $14::text::integer[], $15::text::integer[], $16::text::integer[],
    $17::text::integer[], $18::text::integer[]
) as n (
    user_id, age_seen, seen_on, facets, years, releases, genres, styles, labels, countries, decades, largest_decade,
    mono_releases, formats, deep_cuts, first_pressings, taste_dimensions, oldest_year
)
where c.user_id = n.user_id;

-- name: remove
-- Rows of users of whom nothing is left.
delete from collector where user_id = any($1::text[]);

-- name: erased
-- Up to when the events of these users are void.
select user_hash, erased_at from erased where user_hash = any($1::bytea[]);

-- name: erase
-- Remember a deletion; the latest counts.
insert into erased (user_hash, erased_at) values ($1, $2)
on conflict (user_hash) do update set erased_at = greatest(erased.erased_at, excluded.erased_at);

-- name: page
-- Users in order, after one.
select user_id from collector where user_id > $1 order by user_id limit $2;

-- name: sample
-- Some users, the same ones for the same seed as long as nobody joins or leaves.
select user_id from collector order by md5($2 || user_id), user_id limit $1;

-- name: count
-- How many users there are.
select count(*) from collector;
