-- name: award
-- An award of a badge in a context, whatever became of it; one that is hidden or in the shadow with $4 only.
select badge_key, context, awarded_at, source, trigger, caused_by::text as caused_by, evidence::text as evidence,
       rule_digest, revoked_at, shadow
from award where user_id = $1 and badge_key = $2 and context = $3 and ($4::boolean or not (hidden or shadow));

-- name: newest_context
-- The context for which a user was last given a badge that stands; one that is hidden or in the shadow with $3 only.
select context from award
where user_id = $1 and badge_key = $2 and revoked_at is null and ($3::boolean or not (hidden or shadow))
order by awarded_at desc, context limit 1;

-- name: master
-- Title of a master, as far as the catalogue has it.
select title from master where master_id = $1;

-- name: heard
-- When the stored sets of a user last changed, by the type of event that changes them; and the newest award by trigger.
select 'ownership.added' as type, max(changed_at) as at, false as of_award from owned where user_id = $1 and present
union all
select 'ownership.removed', max(changed_at), false from owned where user_id = $1 and not present
union all
select kind || case when present then '+' else '-' end, max(changed_at), false from activity
where user_id = $1 group by kind, present
union all
select trigger, max(awarded_at), true from user_badges where user_id = $1 group by trigger;

-- name: gaps
-- How many releases a user owns, and of how many the counted facts do not say what a metric reads.
select count(*) as releases,
       count(*) filter (where c.country is null) as country,
       count(*) filter (where not coalesce(c.year > 0 or c.year >= 0 and c.released ~ '[0-9]{4}',
                                           c.released ~ '[0-9]{4}', false)) as year,
       count(*) filter (where c.formats is null) as formats,
       count(*) filter (where c.genres is null) as genres,
       count(*) filter (where c.styles is null) as styles,
       count(*) filter (where c.labels is null) as labels,
       count(*) filter (where not coalesce(jsonb_path_exists(c.labels, '$[*][0] ? (@ != null)'), false)) as label_ids,
       count(*) filter (where not coalesce(jsonb_path_exists(c.artists, '$[*][0] ? (@ != null)'), false)) as artist_ids,
       count(*) filter (where c.master_id is null) as master_id,
       count(*) filter (where c.have is null) as have
from owned_release r
left join facts f on f.facts_id = r.facts_id
left join lateral json_to_record(f.content) as c (
    country text, year integer, released text, formats json, genres json, styles json, labels jsonb, artists jsonb,
    master_id bigint, have integer) on true
where r.user_id = $1 and r.copies > 0;
