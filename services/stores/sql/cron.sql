-- name: try_lead
-- Become the one scheduler of this database, for as long as the connection lives.
select pg_try_advisory_lock($1);

-- name: last
-- The newest run of each job, and when the job last succeeded.
select r.name, r.due_on, r.since, r.started_at, r.finished_at, r.cursor, r.counts, r.error, s.succeeded_at
from (select name, max(due_on) as due_on, max(finished_at) as succeeded_at from cron_run group by name) as s
join cron_run r using (name, due_on)
order by r.name;

-- name: unfinished
-- Runs that are not done, the oldest first.
select name, due_on, since, started_at, finished_at, cursor, counts
from cron_run where finished_at is null order by due_on, name;

-- name: newest
-- The last day for which a job was run, whatever became of it.
select max(due_on) from cron_run where name = $1;

-- name: begin
-- A new run; one that is there already stays as it is.
insert into cron_run (name, due_on, since, started_at) values ($1, $2, $3, now()) on conflict do nothing;

-- name: again
-- A run that is done begins anew.
update cron_run set started_at = now(), finished_at = null, cursor = '', counts = '{}', error = null
where name = $1 and due_on = $2 and finished_at is not null;

-- name: lock
-- A run, ours alone until we commit.
select name, due_on, since, started_at, finished_at, cursor, counts
from cron_run where name = $1 and due_on = $2
for update;

-- name: advance
-- Remember how far a run has come.
update cron_run set cursor = $3, counts = $4::text::json, error = null where name = $1 and due_on = $2;

-- name: finish
-- A run is done.
update cron_run set cursor = '', counts = $3::text::json, error = null, finished_at = clock_timestamp()
where name = $1 and due_on = $2
returning finished_at;

-- name: fail
-- Why a run could not go on.
update cron_run set error = $3 where name = $1 and due_on = $2;

-- name: joined
-- The next users who joined on either of two days of the year, in an earlier year.
select user_id from (
    (select user_id from collector
     where extract(month from joined_on)::integer * 100 + extract(day from joined_on)::integer = $1
       and joined_on < $3 and user_id > $4
     order by user_id limit $5)
    union all
    (select user_id from collector
     where extract(month from joined_on)::integer * 100 + extract(day from joined_on)::integer = $2
       and joined_on < $3 and user_id > $4
     order by user_id limit $5)
) as found
order by user_id limit $5;

-- name: count_joined
-- How many they are.
select count(*) from collector
where extract(month from joined_on)::integer * 100 + extract(day from joined_on)::integer = any($1::integer[])
  and joined_on < $2;

-- name: slice
-- The next users of a slice.
select user_id from collector
where ('x' || left(md5(user_id), 7))::bit(28)::integer % 30 = $1 and user_id > $2
order by user_id limit $3;

-- name: count_slice
-- How many they are.
select count(*) from collector where ('x' || left(md5(user_id), 7))::bit(28)::integer % 30 = $1;
