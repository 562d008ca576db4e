-- name: shelf
-- All that a user's first page shows of awards: of each family the contexts with their best tier, and the showcase.
-- Contexts whose name has the text $6 come first, and of each family no more than $7.
with mine as (
    select b.badge_key, b.context, b.awarded_at, b.pinned_at, b.evidence, coalesce(s.family, b.badge_key) as family,
           coalesce(s.step, 0) as step, coalesce(b.sort_override, s.score, 0) as score,
           coalesce(b.evidence ->> 'label', b.evidence ->> 'artist', b.evidence ->> 'master') as name
    from user_badges b
    left join unnest($2::text[], $3::text[], $4::integer[], $5::integer[]) as s (badge_key, family, step, score) using (badge_key)
    where b.user_id = $1 and b.revoked_at is null and not b.hidden
), ranked as (
    select *, row_number() over (partition by family, context order by step desc, awarded_at desc) as rung from mine
), best as (
    select *, count(*) over (partition by family) as contexts,
           row_number() over (partition by family
                              order by coalesce(position(lower($6) in lower(name)), 0) = 0, step desc, score desc, awarded_at desc, context) as place
    from ranked where rung = 1
), finest as (
    select *, row_number() over (partition by family order by score desc, awarded_at desc, context) as place from ranked
), shown as (
    -- Of each family one, unless the user wants more of it to be seen.
    select * from finest where place = 1 or pinned_at is not null
    order by pinned_at, score desc, awarded_at desc, badge_key, context limit $8
)
select (select count(*) from mine) as total,
       (select json_agg(json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, evidence, name,
                                         family, contexts, pinned_at is not null) order by place)
        from best where place <= $7) as best,
       (select json_agg(json_build_array(badge_key, context, (extract(epoch from awarded_at) * 1000000)::bigint, evidence, name,
                                         family, 0, pinned_at is not null)
                        order by pinned_at, score desc, awarded_at desc, badge_key, context)
        from shown) as showcase;

-- name: pin
-- Pin an award that stands, where fewer than $4 others are pinned.
update user_badges set pinned_at = clock_timestamp()
where user_id = $1 and badge_key = $2 and context = $3 and revoked_at is null and not hidden and pinned_at is null
  and (select count(*) from user_badges
       where user_id = $1 and pinned_at is not null and revoked_at is null and not hidden) < $4;

-- name: unpin
-- Let an award stand where it belongs.
update user_badges set pinned_at = null
where user_id = $1 and badge_key = $2 and context = $3 and pinned_at is not null;
