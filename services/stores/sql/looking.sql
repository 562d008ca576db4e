-- name: feed
-- The newest awards since $1 and before a place, by a trigger, of a badge (null: of all).
select user_id, badge_key, context, award_id, revision, awarded_at, source, trigger, evidence::text as evidence,
       sort_override, hidden, revoked_at, shadow
from award
where awarded_at >= $1 and (awarded_at, award_id) < ($2::timestamptz, $3::uuid)
  and ($4::text is null or trigger = $4)
  and ($5::text is null or badge_key = $5)
order by awarded_at desc, award_id desc
limit $6;

-- name: feed_counts
-- How many awards there are from $1 to $2, by trigger and badge: with one bound alone a generic plan reads the table.
select trigger, badge_key, count(*) as awards
from award
where awarded_at >= $1 and awarded_at <= $2
  and ($3::text is null or trigger = $3)
  and ($4::text is null or badge_key = $4)
group by trigger, badge_key
order by trigger, badge_key;

-- name: known
-- Whether anything is known of a user.
select exists (select from collector where user_id = $1) or exists (select from award where user_id = $1);

-- name: history
-- What a user was given, and what was done by hand, the newest first, before a place. What an act has changed since of
-- an award that was earned is shown as it was before the first act.
with earned as (
    select b.*, l.before
    from award b
    left join lateral (
        select act, before from award_log l where l.user_id = $1 and l.award_id = b.award_id order by id limit 1
    ) l on true
    where b.user_id = $1 and l.act is distinct from 'grant'
), entries as (
    select awarded_at as at, 'award ' || award_id as tie, 'award' as what, badge_key, context, award_id,
           coalesce((before ->> 'revision')::integer, revision) as revision,
           coalesce(before ->> 'source', source) as source, coalesce(before ->> 'trigger', trigger) as trigger,
           null as by, null as reason, evidence::text as evidence, null as before, null as after,
           shadow
    from earned
    union all
    select at, 'log ' || lpad(id::text, 19, '0'), act, badge_key, context, award_id, revision, after ->> 'source',
           after ->> 'trigger', by, reason, null, before::text, after::text,
           coalesce((after ->> 'shadow')::boolean, false)
    from award_log where user_id = $1
)
select * from entries
where (at, tie collate "C") < ($2::timestamptz, $3::text)
order by at desc, tie collate "C" desc
limit $4;

-- name: holders
-- How many hold each badge, as it was counted last; the row of badge '' counts the collectors.
select badge_key, holders, as_of from badge_holders;

-- name: letters
-- The newest dead letters before a place, of a topic, of a stage (null: of all), without what stood in them.
select topic, partition, "offset", key, stage, reason, seen_at, redriven_at
from dead_letter
where (seen_at, topic collate "C", partition, "offset") < ($1::timestamptz, $2::text, $3::integer, $4::bigint)
  and ($5::text is null or topic = $5)
  and ($6::text is null or stage = $6)
order by seen_at desc, topic collate "C" desc, partition desc, "offset" desc
limit $7;

-- name: awards
-- Awards behind one, by user, badge and context, given since $4, of a badge (null: of all).
select user_id, badge_key, context, award_id, revision, awarded_at, source, trigger, campaign_id, sort_override, hidden,
       revoked_at, shadow, evidence::text as evidence
from award
where (user_id, badge_key, context) > ($1::text, $2::text, $3::text)
  and awarded_at >= $4
  and ($5::text is null or badge_key = $5)
order by user_id, badge_key, context
limit $6;
