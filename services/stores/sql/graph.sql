-- name: mark_due
-- Syncs make their users due, at once or a day after the last measurement; of several syncs the newest is the cause.
insert into graph_due (user_id, due_at, partition, source, event_id, event_time)
select n.user_id, greatest(now(), g.measured_at + $2::interval), n.partition, n.source, n.event_id, n.event_time
from json_to_recordset($1::json) as n (
    user_id text, partition integer, source text, event_id text, event_time timestamptz)
left join collector_graph g on g.user_id = n.user_id
order by n.user_id
on conflict (user_id) do update
set due_at = least(graph_due.due_at, excluded.due_at), partition = excluded.partition, source = excluded.source,
    event_id = excluded.event_id, event_time = excluded.event_time, added_until = null, removed_until = null
where (excluded.event_time, excluded.event_id, excluded.source)
    > (graph_due.event_time, graph_due.event_id, graph_due.source);

-- name: unbounded
-- Due rows that nobody has looked at yet.
select user_id, partition, source, event_id
from graph_due
where due_at <= now() and added_until is null
order by due_at
limit $1;

-- name: bound
-- What has to be processed before these syncs are measured; a row that a worker is writing has its turn the next time.
with found as materialized (
    select d.user_id, n.added_until, n.removed_until
    from json_to_recordset($1::json) as n (
        user_id text, source text, event_id text, added_until bigint, removed_until bigint)
    join graph_due d on d.user_id = n.user_id
    where d.source = n.source and d.event_id = n.event_id and d.added_until is null
    for update of d skip locked
)
update graph_due d
set added_until = f.added_until, removed_until = f.removed_until
from found f
where d.user_id = f.user_id;

-- name: claim
-- Due users whose records are processed and whom no lane works on, the longest due first; the lock is the connection's.
with ripe as materialized (
    select d.user_id, d.partition, d.source, d.event_id, d.event_time
    from graph_due d
    left join offset_ledger a on a.topic = 'ownership.added' and a.partition = d.partition
    left join offset_ledger r on r.topic = 'ownership.removed' and r.partition = d.partition
    where d.due_at <= now() and d.user_id <> all($2::text[])
      and coalesce(a.next_offset, 0) >= d.added_until and coalesce(r.next_offset, 0) >= d.removed_until
    order by d.due_at, d.user_id
    limit $1
)
select user_id, partition, source, event_id, event_time
from ripe where pg_try_advisory_lock($3, hashtext(user_id));

-- name: release
-- Let other lanes have this user.
select pg_advisory_unlock($2, hashtext($1));

-- name: standing
-- Whether the user is known, and the last deletion; what is read next belongs to it as long as both stay the same.
select erased_at from collector where user_id = $1;

-- name: artists
-- The artists of a collection: main artists as counted for the user, and whom the catalogue credits.
select f.artist_id
from (
    select (e.artist ->> 0)::bigint as artist_id
    from owned_release o
    join facts c on c.facts_id = o.facts_id
    cross join lateral json_array_elements(c.content -> 'artists') as e (artist)
    where o.user_id = $1 and o.copies > 0 and e.artist ->> 0 is not null
    union
    select p.artist_id
    from owned_release o
    join release r on r.release_id = o.release_id
    cross join lateral unnest(r.people) as p (artist_id)
    where o.user_id = $1 and o.copies > 0
) f
where f.artist_id <> all($2::bigint[])
order by f.artist_id;

-- name: names
-- Names of artists: the catalogue's, else one that the user's own records have.
select k.artist_id, coalesce(a.name, (
    select e.artist ->> 1
    from owned_release o
    join facts c on c.facts_id = o.facts_id
    cross join lateral json_array_elements(c.content -> 'artists') as e (artist)
    where o.user_id = $1 and o.copies > 0 and (e.artist ->> 0)::bigint = k.artist_id
    order by o.release_id limit 1
)) as name
from unnest($2::bigint[]) as k (artist_id)
left join artist a on a.artist_id = k.artist_id;

-- name: hold
-- The sync for which a user is due, its row locked.
select source, event_id from graph_due where user_id = $1 for update;

-- name: settle
-- The sync is done with.
delete from graph_due where user_id = $1 and source = $2 and event_id = $3;

-- name: put_off
-- A newer sync came while the user was measured: it is due a day later.
update graph_due set due_at = now() + $4::interval where user_id = $1 and not (source = $2 and event_id = $3);

-- name: await_graph
-- There is no graph yet: not due before there is one.
update graph_due set due_at = 'infinity' where user_id = $1 and source = $2 and event_id = $3;

-- name: wake
-- There is a graph: whoever waited for one is due. Rows are locked in user order, as workers do.
with waiting as materialized (
    select user_id from graph_due where due_at = 'infinity' order by user_id for update
)
update graph_due d set due_at = now() from waiting w where d.user_id = w.user_id;

-- name: save
-- What was measured of a user, in place of the measurement before.
insert into collector_graph (user_id, measured_at, as_of, source, event_id, event_time, partition, hops, cluster_artists,
                             evidence)
values ($1, now(), $2, $3, $4, $5, $6, $7, $8, $9::json)
on conflict (user_id) do update
set measured_at = excluded.measured_at, as_of = excluded.as_of, source = excluded.source, event_id = excluded.event_id,
    event_time = excluded.event_time, partition = excluded.partition, hops = excluded.hops,
    cluster_artists = excluded.cluster_artists, evidence = excluded.evidence;

-- name: measured
-- What was measured of users last.
select user_id, hops, cluster_artists, evidence from collector_graph where user_id = any($1::text[]);

-- name: gauges
-- How many are due now, and for how long the first of them has been.
select count(*) as due, coalesce(extract(epoch from now() - min(due_at)), 0)::float8 as oldest_seconds
from graph_due where due_at <= now();

-- name: forget_due
-- Syncs no newer than a deletion are void.
delete from graph_due where user_id = $1 and event_time <= $2;

-- name: forget_measured
-- What was measured tells of records that are gone; where a newer sync had it measured, that sync is due again.
with gone as (
    delete from collector_graph where user_id = $1 returning *
)
insert into graph_due (user_id, due_at, partition, source, event_id, event_time)
select user_id, now(), partition, source, event_id, event_time from gone where event_time > $2
on conflict (user_id) do update set due_at = least(graph_due.due_at, excluded.due_at);

-- name: try_rebuild
-- Be the one that rebuilds the graph, for as long as the connection lives.
select pg_try_advisory_lock($1);

-- name: edges
-- Who worked with whom: the people of each release, and groups with their members; each pair once, with their number.
select low, high, count(*) over () as total
from (
    select low, high
    from release r cross join lateral unnest(r.people) as l (low) cross join lateral unnest(r.people) as h (high)
    where low < high
    union
    select least(a.artist_id, m.id), greatest(a.artist_id, m.id)
    from artist a cross join lateral unnest(a.members) as m (id)
    where a.artist_id <> m.id
) pair
where low <> all($1::bigint[]) and high <> all($1::bigint[])
order by low, high;

-- name: people
-- Every artist that a release or a group names, with its name as far as it is known, and their number.
select found.artist_id, a.name, count(*) over () as total
from (
    select p.artist_id from release r cross join lateral unnest(r.people) as p (artist_id)
    union
    select g.artist_id from artist g where g.members <> '{}'
    union
    select m.id from artist g cross join lateral unnest(g.members) as m (id)
) found
left join artist a on a.artist_id = found.artist_id
where found.artist_id <> all($1::bigint[])
order by found.artist_id;

-- name: as_of
-- The date of the last catalogue that was loaded to its end; today where none was.
select coalesce(max(as_of), (now() at time zone 'utc')::date) from catalogue_load where finished_at is not null;
