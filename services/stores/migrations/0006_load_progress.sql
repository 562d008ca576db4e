-- What a load of the catalogue remembers, so that it can go on where it was stopped.

-- complete: its files were whole dumps, so that releases that were last dumped before as_of no longer count.
alter table catalogue_load add column complete boolean not null default false;

-- How far each file was read: bytes and lines of XML, and the checksum by which the file is known again. Kept when the
-- load is finished: it says which dump was the newest to name labels, artists and masters.
create table load_file (
    load_id  bigint not null,
    name     text   not null,
    kind     text   not null check (kind in ('release', 'master', 'artist', 'label')),
    bytes    bigint not null,
    lines    bigint not null,
    checksum bigint not null,
    elements bigint not null,
    bad      bigint not null,
    primary key (load_id, name)
);

-- Labels, artists and masters that lost a release and have to be counted again; those that the dump names are found by
-- release.dumped_on.
create table load_touched (
    load_id bigint not null,
    kind    text   not null check (kind in ('label', 'artist', 'master')),
    id      bigint not null,
    primary key (load_id, kind, id)
);

-- What a batch on its way into the catalogue looks like: a load copies it into temporary tables of these names. Where
-- somebody described a release too, stated_at and what follows say which statement is the newest of the merged ones;
-- elsewhere they are null, and the dump's word is all there is.
create table staged_release (
    release_id bigint not null,
    digest     bytea  not null,
    content    text   not null,
    master_id  bigint,
    issued     text collate "C",
    reissue    boolean not null,
    people     bigint[],
    labels     bigint[] not null,
    artists    bigint[] not null,
    stated_at  timestamptz,
    by_id      text,
    by_source  text,
    stamps     json
);
create table staged_master (master_id bigint not null, title text, year integer);
create table staged_artist (artist_id bigint not null, name text not null, members bigint[] not null);
create table staged_label (label_id bigint not null, name text not null);
