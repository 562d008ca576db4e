-- name: export_awards
-- Every award that is shown, or those of one user, by user, badge and context in code point order.
select user_id, badge_key, context, awarded_at, source, revoked_at, evidence::text as evidence
from user_badges
where $1::text is null or user_id = $1
order by user_id, badge_key, context

-- name: export_state
-- Every collector's counters, or those of one, in code point order, with the masters of which two pressings are owned.
select c.user_id, c.joined_on, c.oldest_year, c.releases, c.genres, c.styles, c.labels, c.countries, c.decades,
       c.largest_decade, c.mono_releases, c.formats, c.deep_cuts, c.first_pressings, c.taste_dimensions, c.reviews,
       c.edits, c.wishlist, c.compares, several.masters, several.pressings
from collector as c
cross join lateral (
    select array_agg(f.value order by f.value) as masters, array_agg(f.n order by f.value) as pressings
    from facet_count as f
    where f.user_id = c.user_id and f.facet = 'm' and f.n >= 2
) as several
where $1::text is null or c.user_id = $1
order by c.user_id
