-- name: add
-- News of releases that somebody owns.
insert into news (cause, time, release_id, facts_id)
select n.cause, n.time, n.release_id, n.facts_id
from unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::bigint[]) as n (cause, time, release_id, facts_id)
where exists (select from owned_release o where o.release_id = n.release_id and o.copies > 0);

-- name: next
-- The oldest news, ours alone until we commit.
select n.news_id, n.cause, n.time, n.release_id, n.facts_id, n.load_id, n.told_until,
       coalesce(r.first_pressing, false) as first_pressing
from news n left join release r on r.release_id = n.release_id
order by n.news_id limit 1
for update of n skip locked;

-- name: owners
-- The next owners of a release, and what is counted of it and stated by them.
select user_id, facts_id, stated_id, first_pressing
from owned_release
where release_id = $1 and copies > 0 and user_id > $2
order by user_id limit $3;

-- name: contents
-- Facts by their ids.
select facts_id, content from facts where facts_id = any($1::bigint[]);

-- name: collectors
-- The next users, and whether a load changed anything that they own.
select c.user_id,
       exists (select from owned_release o join load_release l on l.load_id = $1 and l.release_id = o.release_id
               where o.user_id = c.user_id and o.copies > 0)
       or exists (select from facet_count f
                  join load_total l on l.load_id = $1 and l.id = f.value
                                   and l.kind = case f.facet when 'l' then 'label' when 'a' then 'artist' end
                  where f.user_id = c.user_id and f.n > 0) as concerned
from (select user_id from collector where user_id > $2 order by user_id limit $3) as c
order by c.user_id;

-- name: told
-- Remember how far this is told.
update news set told_until = $2 where news_id = $1;

-- name: done
-- Everybody has been told.
delete from news where news_id = $1;

-- name: forget_releases
-- What a load changed is told: some of it, at most $2.
delete from load_release where ctid = any(array(select ctid from load_release where load_id = $1 limit $2));

-- name: forget_totals
-- The same for totals.
delete from load_total where ctid = any(array(select ctid from load_total where load_id = $1 limit $2));

-- name: waiting
-- How much is not told.
select count(*) from news;
