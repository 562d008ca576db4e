-- name: search
-- A page of a user's copies whose title, artists, labels and year hold all words, the newest instance first; among so
-- many copies behind the last one, and which of them was looked at last. Words come as patterns, as they are and as JSON.
with looked as materialized (
    select instance_id, release_id from owned
    where user_id = $1 and present and ($2::bigint is null or instance_id < $2)
    order by instance_id desc
    limit $3
), page as (
    select l.instance_id, l.release_id, f.content
    from looked l
    join owned_release r on r.user_id = $1 and r.release_id = l.release_id
    left join facts f on f.facts_id = r.facts_id
    where cardinality($4::text[]) = 0
       or l.release_id = $6::bigint
       -- The cheap look first: few contents need to be taken apart.
       or f.content::text ilike all ($5::text[])
          and (select concat_ws(' ', c.title,
                                coalesce(nullif(c.year, 0)::text, substring(c.released from '[0-9]{4}')),
                                (select string_agg(one ->> 1, ' ') from json_array_elements(c.artists) as a (one)),
                                (select string_agg(one ->> 1, ' ') from json_array_elements(c.labels) as a (one)))
               from json_to_record(f.content) as c (title text, year integer, released text, artists json, labels json)
              ) ilike all ($4)
    order by l.instance_id desc
    limit $7
)
select (select json_agg(json_build_array(instance_id, release_id, content) order by instance_id desc) from page) as page,
       (select min(instance_id) from looked) as last,
       (select count(*) from looked) as looked;

-- name: copies
-- These of a user's copies, the newest instance first.
select o.instance_id, o.release_id, f.content
from owned o
join owned_release r on r.user_id = o.user_id and r.release_id = o.release_id
left join facts f on f.facts_id = r.facts_id
where o.user_id = $1 and o.instance_id = any($2::bigint[]) and o.present
order by o.instance_id desc;
