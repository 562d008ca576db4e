-- name: pages
-- A page of awards in list order, and what the statistics need, for several users: one row each. Where the digest of it
-- all is the one that is known, nothing else is read: id, batch, revision, rank and place of an award say what it says.
with places as materialized (select $8::text::jsonb as scores)
select f.*
from unnest($1::text[], $2::integer[], $3::bigint[], $4::integer[], $5::timestamptz[], $6::text[], $7::text[])
     with ordinality as u (user_id, most, known, score, awarded_at, badge_key, context, n)
cross join (select coalesce(bit_xor(hash_record_extended(row(badge_key, holders, active_holders), 0)), 0) as digest
            from badge_holders) as counted
cross join lateral (
    with mine as (
        select b.badge_key, b.context, b.awarded_at, b.source, b.evidence, b.rank, h.holders, h.active_holders,
               coalesce(b.sort_override, ((select scores from places) ->> b.badge_key)::integer, 0) as score
        from user_badges b
        left join badge_holders h using (badge_key)
        where b.user_id = u.user_id and b.revoked_at is null and not b.hidden
    ), held as (
        select badge_key, count(*) as awards, holders, active_holders, max(rank) filter (where rank > 0) as rank
        from mine group by badge_key, holders, active_holders
    ), page as (
        select * from mine
        where u.score is null or score < u.score
           or (score = u.score and awarded_at < u.awarded_at)
           or (score = u.score and awarded_at = u.awarded_at and (badge_key, context) > (u.badge_key, u.context))
        order by score desc, awarded_at desc, badge_key, context
        limit u.most
    ), own as (
        -- The seeds are apart: no rank looks like a place.
        select counted.digest
               # coalesce(bit_xor(uuid_hash_extended(award_id, uuid_hash_extended(batch_id, revision))), 0)
               # coalesce(bit_xor(uuid_hash_extended(award_id, rank + (1::bigint << 40))) filter (where rank is not null), 0)
               # coalesce(bit_xor(uuid_hash_extended(award_id, sort_override + (1::bigint << 41)))
                          filter (where sort_override is not null), 0) as digest
        from user_badges
        where user_id = u.user_id and revoked_at is null and not hidden
    )
    select digest,
           (select json_build_array(holders, active_holders) from badge_holders where badge_key = '') as collectors,
           case when digest is distinct from u.known then
               (select json_agg(json_build_array(badge_key, awards, holders, active_holders, rank)) from held)
           end as held,
           case when digest is distinct from u.known then
               (select json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
                from mine where holders is not null
                order by holders, score desc, awarded_at desc, badge_key, context limit 1)
           end as rarest,
           case when digest is distinct from u.known then
               (select json_agg(json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
                                order by score desc, awarded_at desc, badge_key, context)
                from page)
           end as page
    from own
) as f
order by u.n;

-- name: summary
-- How many awards a user has of each badge, the rarest and the newest one: one row, whatever the user has.
with mine as (
    select b.badge_key, b.context, b.awarded_at, b.source, b.evidence, b.rank, h.holders, h.active_holders,
           coalesce(b.sort_override, s.score, 0) as score
    from user_badges b
    left join unnest($2::text[], $3::integer[]) as s (badge_key, score) using (badge_key)
    left join badge_holders h using (badge_key)
    where b.user_id = $1 and b.revoked_at is null and not b.hidden
), held as (
    select badge_key, count(*) as awards, holders, active_holders, max(rank) filter (where rank > 0) as rank
    from mine group by badge_key, holders, active_holders
)
select (select json_build_array(holders, active_holders) from badge_holders where badge_key = '') as collectors,
       (select json_agg(json_build_array(badge_key, awards, holders, active_holders, rank)) from held) as held,
       (select json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
        from mine where holders is not null
        order by holders, score desc, awarded_at desc, badge_key, context limit 1) as rarest,
       (select json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
        from mine
        order by awarded_at desc, score desc, badge_key, context limit 1) as most_recent;

-- name: details
-- One badge of each of several users: its first award in list order, a page of its awards, and since when each tier of
-- the family is held. `family` has the keys with commas between.
select f.*
from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::integer[], $6::integer[], $7::timestamptz[], $8::text[], $9::text[])
     with ordinality as u (user_id, badge_key, family, sort_score, most, score, awarded_at, after_key, context, n)
cross join lateral (
    with family as (
        select badge_key, context, awarded_at, source, evidence, rank, coalesce(sort_override, u.sort_score) as score
        from user_badges
        where user_id = u.user_id and badge_key = any((select string_to_array(u.family, ','))::text[]) and revoked_at is null and not hidden
    ), own as (
        select * from family where badge_key = u.badge_key
    ), page as (
        select * from own
        where u.score is null or score < u.score
           or (score = u.score and awarded_at < u.awarded_at)
           or (score = u.score and awarded_at = u.awarded_at and (badge_key, context) > (u.after_key, u.context))
        order by score desc, awarded_at desc, context
        limit u.most
    )
    select (select json_build_array(holders, active_holders) from badge_holders where badge_key = '') as collectors,
           (select json_build_array(holders, active_holders) from badge_holders where badge_key = u.badge_key) as holders,
           (select max(rank) from own where rank > 0) as rank,
           (select json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
            from own
            order by score desc, awarded_at desc, context limit 1) as first,
           (select json_object_agg(badge_key, since)
            from (select badge_key, (extract(epoch from min(awarded_at)) * 1000000)::bigint as since from family group by badge_key) tiers) as since,
           (select json_agg(json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, source, evidence, score)
                            order by score desc, awarded_at desc, context)
            from page) as page,
           (select json_object_agg(p.context, json_build_array(coalesce(f.n, 0), t.total, t.as_of))
            from page p
            cross join lateral (select split_part(p.context, ':', 1) as kind,
                                       case when p.context ~ '^(label|artist):[1-9][0-9]{0,17}$'
                                            then split_part(p.context, ':', 2)::bigint end as id) as w
            join catalogue_total t on t.kind = w.kind and t.id = w.id
            left join facet_count f on f.user_id = u.user_id and f.facet = case t.kind when 'label' then 'l' else 'a' end::"char"
                                   and f.value = t.id
           ) as today
) as f
order by u.n;

-- name: lag
-- Whether the schema is there and how far behind the rest is: age of the oldest message waiting, last move of the ledger.
select (select extract(epoch from clock_timestamp() - created_at)::float8
        from outbox where failed_at is null order by id limit 1) as outbox_seconds,
       (select max(updated_at) from offset_ledger) as ledger_moved_at,
       (select count(*) from offset_ledger) as partitions;
