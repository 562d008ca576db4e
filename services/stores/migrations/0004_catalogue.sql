-- The catalogue as the monthly dump has it: names, what is whose, how large it is, who worked with whom.

create table label (
    label_id bigint primary key,
    name     text not null
);

-- members: the artists that are or were in this group.
create table artist (
    artist_id bigint primary key,
    name      text not null,
    members   bigint[] not null default '{}'
);

-- earliest: the date of its earliest dated version as far as it is known (1999, 1999-03, 1999-03-17); dated: how many
-- versions have a date.
create table master (
    master_id bigint primary key,
    title     text,
    year      integer,
    earliest  text collate "C",
    dated     integer not null default 0 check (dated >= 0)
);

-- issued: the date as far as it is known; reissue: flagged Reissue, Repress, Remastered or Unofficial; first_pressing:
-- the earliest dated version of its master; people: the artists that this release joins in the graph, rising;
-- dumped_on: the date of the dump that had it last, null where it was only described.
alter table release
    add column master_id      bigint,
    add column issued         text collate "C",
    add column reissue        boolean not null default false,
    add column first_pressing boolean not null default false,
    add column people         bigint[],
    add column dumped_on      date;
create index release_of_master on release (master_id) where master_id is not null;

-- Labels and main artists of the releases of the dump; what does not count (contract §3) is not here.
create table release_label (
    label_id   bigint not null,
    release_id bigint not null,
    primary key (label_id, release_id)
);
create index release_label_of on release_label (release_id);
create table release_artist (
    artist_id  bigint not null,
    release_id bigint not null,
    primary key (artist_id, release_id)
);
create index release_artist_of on release_artist (release_id);

-- Releases of a label, works (masters, and releases without one) of an artist, versions of a master.
create table catalogue_total (
    kind  text    collate "C" not null check (kind in ('label', 'artist', 'master')),
    id    bigint  not null,
    total integer not null check (total > 0),
    as_of date    not null,
    primary key (kind, id)
);

-- A load of dump files of one date, and what it changed that users have to hear of: facts of releases, and totals
-- that became known or fell (a total that grew earns nobody anything).
create table catalogue_load (
    load_id     bigint generated always as identity primary key,
    as_of       date not null,
    started_at  timestamptz not null default now(),
    finished_at timestamptz
);
create table load_release (
    load_id    bigint not null,
    release_id bigint not null,
    primary key (load_id, release_id)
);
create table load_total (
    load_id bigint not null,
    kind    text   not null,
    id      bigint not null,
    primary key (load_id, kind, id)
);

-- News of the catalogue that its owners have not all heard of yet: each gets a cron.sweep with this time, its id being
-- `<cause>:<user id>`; of one release (facts_id: what the catalogue then said of it), or of all that a load changed.
-- told_until: the last user of whom this is done.
create table news (
    news_id    bigint generated always as identity primary key,
    cause      text not null unique,
    time       timestamptz not null,
    release_id bigint,
    facts_id   bigint,
    load_id    bigint,
    told_until text collate "C" not null default '',
    created_at timestamptz not null default now(),
    check ((release_id is null) <> (load_id is null))
);

-- artists, of a master: each artist credited on any of its owned releases, and on how many of them: id, number, id,
-- number … An artist's works are counted once, however many pressings of them are owned.
alter table facet_count drop constraint facet_count_facet_check;
alter table facet_count
    add constraint facet_count_facet_check check (facet in ('l', 'm', 'a')),
    add column artists bigint[];

-- What the releases that are owned by now count for their artists.
create temporary table credit on commit drop as
select distinct r.user_id, r.release_id, nullif((f.content ->> 'master_id')::bigint, 0) as master_id,
       (e.artist ->> 0)::bigint as artist_id
from owned_release r
join facts f on f.facts_id = r.facts_id
cross join lateral json_array_elements(f.content -> 'artists') as e (artist)
where r.copies > 0 and e.artist ->> 0 is not null and (e.artist ->> 0)::bigint not in (194, 355, 118760);
insert into facet_count (user_id, facet, value, n)
select user_id, 'a', artist_id, count(distinct coalesce(master_id, -release_id))
from credit group by user_id, artist_id;
update facet_count c set artists = n.artists
from (
    select user_id, master_id, array_agg(part order by artist_id, at) as artists
    from (
        select user_id, master_id, artist_id, count(*) as n from credit
        where master_id is not null group by user_id, master_id, artist_id
    ) counted
    cross join lateral (values (1, artist_id), (2, n)) as parts (at, part)
    group by user_id, master_id
) n
where c.user_id = n.user_id and c.facet = 'm' and c.value = n.master_id;

alter table owned_release add column first_pressing boolean not null default false;
alter table collector
    add column first_pressings integer not null default 0 check (first_pressings >= 0);

do $$
begin
    if exists (select from pg_roles where rolname = 'gatefold_worker') then
        grant select on label, artist, master, catalogue_total to gatefold_worker;
        grant update (earliest, dated) on master to gatefold_worker;
        grant select, insert on news to gatefold_worker;
        grant select, update, delete on news to gatefold_relay;
        grant select, delete on load_release, load_total to gatefold_relay;
        grant select on owned_release, facts, release, facet_count to gatefold_relay;
        grant insert on outbox to gatefold_relay;
        grant select on label, artist, master, catalogue_total, release, facts, release_label, release_artist,
            owned_release, facet_value, news to gatefold_api;
    end if;
end $$;
