-- The graph lane: whose graph is due to be measured, and what was measured last.

-- Due since `due_at` because of one sync; 'infinity': until there is a graph. The sync came by `partition` of its topic:
-- it is measured once that partition of ownership.added and ownership.removed is processed up to these offsets, which
-- are where they ended when the lane saw the row first (null: not seen yet). So a sync counts all that was sent before it.
create table graph_due (
    user_id       text        collate "C" primary key,
    due_at        timestamptz not null,
    partition     integer     not null,
    source        text        collate "C" not null,
    event_id      text        collate "C" not null,
    event_time    timestamptz not null,
    added_until   bigint,
    removed_until bigint,
    check ((added_until is null) = (removed_until is null))
);
create index graph_due_at on graph_due (due_at);

-- What the lane measured last, on the graph of `as_of`, for the sync that made it due; evidence: what badges name beside
-- the numbers, by metric. At most once a day: the next one is due a day after measured_at.
create table collector_graph (
    user_id         text        collate "C" primary key,
    measured_at     timestamptz not null,
    as_of           date        not null,
    source          text        collate "C" not null,
    event_id        text        collate "C" not null,
    event_time      timestamptz not null,
    partition       integer     not null,
    hops            integer     not null check (hops >= 0),
    cluster_artists integer     not null check (cluster_artists >= 0),
    evidence        json        not null
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'gatefold_worker') then
        return;  -- an account that may not create roles goes without them: 0003_roles.sql
    end if;
    begin
        create role gatefold_graph nologin;
    exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
            if not exists (select from pg_roles where rolname = 'gatefold_graph') then
                raise warning 'no role gatefold_graph: % may not create roles; see Roles in docs/operations.md', current_user;
                return;
            end if;
    end;
    grant select, insert, update, delete on graph_due to gatefold_worker;
    grant select, delete on collector_graph to gatefold_worker;
    grant select on graph_due, collector_graph to gatefold_api;

    -- The lane reads what is owned and what the catalogue says of it; of a collector it locks the row and changes nothing.
    grant select on migration, collector, owned_release, facts, release, artist, offset_ledger to gatefold_graph;
    grant update (age_seen) on collector to gatefold_graph;
    grant select, update, delete on graph_due to gatefold_graph;
    grant select, insert, update on collector_graph to gatefold_graph;
    grant select, insert on user_badges to gatefold_graph;
    grant insert on outbox to gatefold_graph;
end $$;
