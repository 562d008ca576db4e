-- Everything of one user leads with user_id, so that it shards by user. User ids compare by code point.

-- One row per collector: the lock of all of the user's state, and the counters that an event moves.
-- facets: counts of the bounded facets (genre, style, country, format), years: pressings by year; both as
-- little-endian uint32 ids (facet_value.id, or the year) in rising order, followed by as many uint32 counts.
create table collector (
    user_id          text collate "C" primary key,
    erased_at        timestamptz,
    joined_on        date,
    releases         integer  not null default 0 check (releases >= 0),
    genres           integer  not null default 0 check (genres >= 0),
    styles           integer  not null default 0 check (styles >= 0),
    labels           integer  not null default 0 check (labels >= 0),
    countries        integer  not null default 0 check (countries >= 0),
    decades          integer  not null default 0 check (decades >= 0),
    largest_decade   integer  not null default 0 check (largest_decade >= 0),
    mono_releases    integer  not null default 0 check (mono_releases >= 0),
    formats          integer  not null default 0 check (formats >= 0),
    deep_cuts        integer  not null default 0 check (deep_cuts >= 0),
    taste_dimensions integer  not null default 0 check (taste_dimensions >= 0),
    reviews          integer  not null default 0 check (reviews >= 0),
    edits            integer  not null default 0 check (edits >= 0),
    wishlist         integer  not null default 0 check (wishlist >= 0),
    compares         integer  not null default 0 check (compares >= 0),
    oldest_year      integer,
    -- The greatest age that was ever evaluated: ages move with time, so "crossed" is measured against this.
    age_seen         integer  not null default 0,
    facets           bytea    not null default '',
    years            bytea    not null default ''
) with (fillfactor = 70, toast_tuple_target = 8160);
-- Inline as long as the row fits a page, which is as long as a collection has some 900 different facets.
alter table collector alter column facets set storage main, alter column years set storage main;

-- Names of the bounded facets and their ids in collector.facets. Grows by a handful of styles a year.
create table facet_value (
    id    integer generated always as identity primary key,
    facet text not null check (facet in ('genre', 'style', 'country', 'format')),
    value text not null
);
create unique index facet_value_once on facet_value (facet, md5(value));

-- Facets without a bound: label (id, or the negative digest of an exact name) and master (id).
create table facet_count (
    user_id text     collate "C" not null,
    facet   "char"   not null check (facet in ('l', 'm')),
    value   bigint   not null,
    n       integer  not null check (n >= 0),
    primary key (user_id, facet, value)
) with (fillfactor = 90);

-- Facts of a release as somebody stated them: immutable, one row per distinct content.
create table facts (
    facts_id   bigint generated always as identity primary key,
    release_id bigint not null,
    digest     bytea  not null,
    content    json   not null,
    unique (release_id, digest)
);

-- The catalogue: what is known of a release for everybody, and which statement each field came from.
create table release (
    release_id bigint primary key,
    facts_id   bigint not null,
    stated_at  timestamptz not null,
    by_id      text not null,
    by_source  text not null,
    stamps     json
);

-- Copies, last writer wins by (changed_at, by_id, by_source); a removal stays as a tombstone.
create table owned (
    user_id     text   collate "C" not null,
    instance_id bigint not null,
    release_id  bigint,
    present     boolean not null,
    changed_at  timestamptz not null,
    by_id       text collate "C" not null,
    by_source   text collate "C" not null,
    primary key (user_id, instance_id),
    check (present <= (release_id is not null))
);

-- What a user owns of a release: copies; facts_id, the facts counted for this user (null: none, or nothing known);
-- stated_id, what the user's own events say of it, kept also when no copy is left. stamps: per field, where they differ.
create table owned_release (
    user_id    text    collate "C" not null,
    release_id bigint  not null,
    copies     integer not null check (copies >= 0),
    facts_id   bigint,
    stated_id  bigint,
    stated_at  timestamptz,
    by_id      text collate "C",
    by_source  text collate "C",
    stamps     json,
    primary key (user_id, release_id)
);
-- Who has to hear of it when the catalogue learns something about a release, and who still refers to facts of it.
create index owned_release_owners on owned_release (release_id);

-- Joins, reviews, edits, compares and wishes: sets, last writer wins like copies.
create table activity (
    user_id    text collate "C" not null,
    kind       text not null check (kind in ('join', 'review', 'edit', 'compare', 'wish')),
    object_id  text collate "C" not null,
    present    boolean not null,
    changed_at timestamptz not null,
    by_id      text collate "C" not null,
    by_source  text collate "C" not null,
    primary key (user_id, kind, object_id)
);

-- All that a deletion leaves: a keyed hash of the user id and the time up to which everything is void.
create table erased (
    user_hash bytea primary key,
    erased_at timestamptz not null
);

-- One award per (user, badge, context), whatever happens.
create table user_badges (
    user_id       text collate "C" not null,
    badge_key     text collate "C" not null,
    context       text collate "C" not null default '',
    award_id      uuid not null,
    revision      integer not null default 1 check (revision >= 1),
    awarded_at    timestamptz not null,
    source        text not null check (source in ('auto', 'manual', 'backfill')),
    trigger       text not null,
    caused_by     json not null,
    batch_id      uuid not null,
    campaign_id   text,
    evidence      jsonb not null,
    sort_override integer,
    revoked_at    timestamptz,
    primary key (user_id, badge_key, context)
);

-- How many collectors hold a badge, counted now and then; the row of badge '' counts all collectors.
create table badge_holders (
    badge_key text collate "C" primary key,
    holders   bigint not null check (holders >= 0),
    as_of     timestamptz not null
);

-- Messages that are not published yet: the relay deletes what Kafka has acknowledged and marks what Kafka refuses.
create table outbox (
    id         bigint generated always as identity primary key,
    topic      text not null,
    subject    text collate "C" not null,
    event_id   text not null,
    time       timestamptz not null,
    value      bytea not null,
    created_at timestamptz not null default now(),
    failed_at  timestamptz,
    error      text
);
create index outbox_subject on outbox (subject);
create index outbox_failed on outbox (id) where failed_at is not null;

-- Identities of accepted events: digest of (source, id), and of the data, to notice other data under one identity.
create table inbox (
    identity bytea primary key,
    digest   bigint not null,
    seen_on  date not null
);

create table dead_letter (
    topic       text not null,
    partition   integer not null,
    "offset"    bigint not null,
    key         bytea,
    value       bytea,
    headers     json not null,
    recorded_at timestamptz not null,
    stage       text not null,
    reason      text not null,
    seen_at     timestamptz not null,
    redriven_at timestamptz,
    primary key (topic, partition, "offset")
);
-- Whose letters to erase: a user id has 64 bytes at most, a key may have any length.
create index dead_letter_key on dead_letter (key) where octet_length(key) <= 64;

-- The input position moves in the transaction of the result; the check is the accounting.
create table offset_ledger (
    topic       text not null,
    partition   integer not null,
    base_offset bigint not null check (base_offset >= 0),
    next_offset bigint not null,
    processed   bigint not null default 0 check (processed >= 0),
    duplicate   bigint not null default 0 check (duplicate >= 0),
    dead        bigint not null default 0 check (dead >= 0),
    hole        bigint not null default 0 check (hole >= 0),
    owner       text not null,
    updated_at  timestamptz not null,
    primary key (topic, partition),
    check (processed + duplicate + dead + hole = next_offset - base_offset)
) with (fillfactor = 50);

-- Ranges of offsets that the log no longer held when they were due. One sighting is a suspicion: the worker restarts
-- and reads again from the ledger; the same jump again is a hole, counted in the ledger.
create table offset_hole (
    topic       text not null,
    partition   integer not null,
    from_offset bigint not null,
    to_offset   bigint not null check (to_offset > from_offset),
    found_at    timestamptz not null,
    sightings   integer not null default 1,
    primary key (topic, partition, from_offset)
);
