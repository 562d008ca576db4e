-- name: try_lock
-- One load at a time, for as long as this session lives.
select pg_try_advisory_lock($1);

-- name: share_catalogue
-- Nobody prunes facts or describes a release until we commit; bundles go on.
select pg_advisory_xact_lock_shared($1);

-- name: bar_catalogue
-- Every bundle that has seen the catalogue as it was is over.
select pg_advisory_xact_lock($1);

-- name: unfinished
-- Loads that were begun and not finished, oldest first.
select load_id, as_of from catalogue_load where finished_at is null order by load_id;

-- name: begin
-- A load of the dump of that day.
insert into catalogue_load (as_of) values ($1) returning load_id;

-- name: completed
-- The day of the newest whole dump that was loaded.
select max(as_of) from catalogue_load where complete;

-- name: named
-- The day of the newest dump that had elements of this kind.
select max(l.as_of) from load_file f join catalogue_load l on l.load_id = f.load_id
where f.kind = $1 and f.elements > f.bad;

-- name: files
-- How far the files of a load were read.
select name, bytes, lines, checksum, elements, bad from load_file where load_id = $1;

-- name: save_file
-- How far a file was read.
insert into load_file (load_id, name, kind, bytes, lines, checksum, elements, bad)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (load_id, name) do update
set kind = excluded.kind, bytes = excluded.bytes, lines = excluded.lines, checksum = excluded.checksum,
    elements = excluded.elements, bad = excluded.bad;

-- name: drop_known
-- Releases that a newer dump has stated, or this one in the same words.
delete from staged_release s
using release r, facts f
where r.release_id = s.release_id and f.facts_id = r.facts_id
  and (r.dumped_on > $1
       or (r.dumped_on = $1 and r.by_source = $2 and r.stamps is null and f.digest = s.digest
           and (r.master_id, r.issued, r.reissue, r.people)
               is not distinct from (s.master_id, s.issued, s.reissue, s.people)));

-- name: described
-- Releases of the batch of which not only dumps have spoken.
select s.release_id, s.content as dumped, f.content, r.stated_at, r.by_id, r.by_source, r.stamps
from staged_release s
join release r on r.release_id = s.release_id
join facts f on f.facts_id = r.facts_id
where r.by_source <> $1 or r.stamps is not null;

-- name: restate
-- What is said of them when every statement is heard.
update staged_release s
set digest = n.digest::bytea, content = n.content, master_id = n.master_id, issued = n.issued, reissue = n.reissue,
    stated_at = n.stated_at, by_id = n.by_id, by_source = n.by_source, stamps = n.stamps
from json_to_recordset($1::json) as n (
    release_id bigint, digest text, content text, master_id bigint, issued text, reissue boolean,
    stated_at timestamptz, by_id text, by_source text, stamps json)
where s.release_id = n.release_id;

-- name: unlink
-- Labels and artists that the releases of the batch have no more: theirs no longer, and to be counted again; masters too.
with labels as (
    delete from release_label l
    using staged_release s, release r
    where r.release_id = s.release_id and r.dumped_on is not null
      and l.release_id = s.release_id and l.label_id <> all(s.labels)
    returning l.label_id
), artists as (
    delete from release_artist a
    using staged_release s, release r
    where r.release_id = s.release_id and r.dumped_on is not null
      and a.release_id = s.release_id and a.artist_id <> all(s.artists)
    returning a.artist_id
)
insert into load_touched (load_id, kind, id)
select $1::bigint, 'label', label_id from labels
union
select $1, 'artist', artist_id from artists
union
select $1, 'master', r.master_id
from staged_release s join release r on r.release_id = s.release_id
where r.master_id is not null and r.master_id is distinct from s.master_id
on conflict do nothing;

-- name: link_labels
-- Labels that they are of.
insert into release_label (label_id, release_id)
select unnest(labels), release_id from staged_release
on conflict do nothing;

-- name: link_artists
-- Artists whom they are by.
insert into release_artist (artist_id, release_id)
select unnest(artists), release_id from staged_release
on conflict do nothing;

-- name: add_masters
-- Masters that no dump of masters has brought yet.
insert into master (master_id)
select distinct master_id from staged_release where master_id is not null
on conflict do nothing;

-- name: add_facts
-- Contents that are not stored yet; sorted as bundles store theirs, so that nobody waits in a circle.
insert into facts (release_id, digest, content)
select release_id, digest, content::json from staged_release order by release_id
on conflict do nothing;

-- name: merge_releases
-- The batch becomes what the catalogue says; whose facts are others than before is noted for their owners.
with stated as (
    select s.*, f.facts_id, r.facts_id as before
    from staged_release s
    join facts f on f.release_id = s.release_id and f.digest = s.digest
    left join release r on r.release_id = s.release_id
), changed as (
    insert into load_release (load_id, release_id)
    select $1, release_id from stated where before is distinct from facts_id
    on conflict do nothing
)
insert into release (
    release_id, facts_id, stated_at, by_id, by_source, stamps, master_id, issued, reissue, people, dumped_on)
select release_id, facts_id, coalesce(stated_at, $3), coalesce(by_id, $4), coalesce(by_source, $5), stamps,
       master_id, issued, reissue, people, $2
from stated
on conflict (release_id) do update
set facts_id = excluded.facts_id, stated_at = excluded.stated_at, by_id = excluded.by_id,
    by_source = excluded.by_source, stamps = excluded.stamps, master_id = excluded.master_id,
    issued = excluded.issued, reissue = excluded.reissue, people = excluded.people, dumped_on = excluded.dumped_on,
    first_pressing = release.first_pressing and excluded.master_id is not null
where (release.facts_id, release.stated_at, release.by_id, release.by_source, release.stamps::text, release.master_id,
       release.issued, release.reissue, release.people, release.dumped_on)
      is distinct from
      (excluded.facts_id, excluded.stated_at, excluded.by_id, excluded.by_source, excluded.stamps::text,
       excluded.master_id, excluded.issued, excluded.reissue, excluded.people, excluded.dumped_on);

-- name: merge_labels
-- New names of labels; those that are known change with $1 only.
insert into label (label_id, name)
select label_id, name from staged_label
on conflict (label_id) do update set name = excluded.name where $1 and label.name <> excluded.name;

-- name: merge_artists
-- The same for artists and who is in them.
insert into artist (artist_id, name, members)
select artist_id, name, members from staged_artist
on conflict (artist_id) do update set name = excluded.name, members = excluded.members
where $1 and (artist.name, artist.members) is distinct from (excluded.name, excluded.members);

-- name: merge_masters
-- The same for masters; one that is new and has releases already has to be dated.
with unknown as (
    insert into load_touched (load_id, kind, id)
    select $2, 'master', s.master_id
    from staged_master s
    where not exists (select from master m where m.master_id = s.master_id)
      and exists (select from release r where r.master_id = s.master_id)
    on conflict do nothing
)
insert into master (master_id, title, year)
select master_id, title, year from staged_master
on conflict (master_id) do update set title = excluded.title, year = excluded.year
where ($1 or master.title is null) and (master.title, master.year) is distinct from (excluded.title, excluded.year);

-- name: complete
-- The files were whole dumps.
update catalogue_load set complete = true where load_id = $1 and not complete;

-- name: next_releases
-- The last of the next $2 releases.
select max(release_id) from (select release_id from release where release_id > $1 order by release_id limit $2) page;

-- name: forget_gone
-- Releases from $2 to $3 that the newest whole dump no longer has: they count for nobody; $4 its day, $5 that of the one before.
with gone as materialized (
    select release_id, master_id from release
    where release_id > $2 and release_id <= $3 and dumped_on < $4 and dumped_on >= $5
), labels as (
    delete from release_label l using gone g where l.release_id = g.release_id returning l.label_id
), artists as (
    delete from release_artist a using gone g where a.release_id = g.release_id returning a.artist_id
), touched as (
    insert into load_touched (load_id, kind, id)
    select $1::bigint, 'label', label_id from labels
    union select $1, 'artist', artist_id from artists
    union select $1, 'master', master_id from gone where master_id is not null
    on conflict do nothing
)
select count(*) from gone;

-- name: touched
-- The next ids of a kind that have to be counted again whatever else the load brought.
select id from load_touched where load_id = $1 and kind = $2 order by id limit $3;

-- name: untouch
-- They are counted.
delete from load_touched where load_id = $1 and kind = $2 and id = any($3::bigint[]);

-- name: count_labels
-- Releases of each of these labels.
select a.id, count(l.release_id)::integer as total
from unnest($1::bigint[]) as a (id)
left join release_label l on l.label_id = a.id
group by a.id;

-- name: count_artists
-- Works of each of these artists: masters, and releases without one.
select a.id, count(distinct coalesce(r.master_id, -r.release_id))::integer as total
from unnest($1::bigint[]) as a (id)
left join release_artist b on b.artist_id = a.id
left join release r on r.release_id = b.release_id
group by a.id;

-- name: count_masters
-- Versions of each of these masters in dumps of day $2 or later.
select a.id, count(r.release_id)::integer as total
from unnest($1::bigint[]) as a (id)
left join release r on r.master_id = a.id and r.dumped_on >= $2
group by a.id;

-- name: next_labels
-- The label that the $2 next releases by label reach to.
select max(id) from (select label_id as id from release_label where label_id > $1 order by label_id limit $2) page;

-- name: next_artists
-- The same by artist.
select max(id) from (select artist_id as id from release_artist where artist_id > $1 order by artist_id limit $2) page;

-- name: next_masters
-- The same by master.
select max(id) from (select master_id as id from release where master_id > $1 order by master_id limit $2) page;

-- name: fresh_labels
-- Labels from $1 to $2 of which the dump of day $3 has a release, and how many releases they have.
select l.label_id as id, count(*)::integer as total
from release_label l join release r on r.release_id = l.release_id
where l.label_id > $1 and l.label_id <= $2
group by l.label_id
having bool_or(r.dumped_on = $3);

-- name: fresh_artists
-- The same for artists and their works.
select a.artist_id as id, count(distinct coalesce(r.master_id, -r.release_id))::integer as total
from release_artist a join release r on r.release_id = a.release_id
where a.artist_id > $1 and a.artist_id <= $2
group by a.artist_id
having bool_or(r.dumped_on = $3);

-- name: fresh_masters
-- The same for masters and their versions in dumps of day $4 or later.
select master_id as id, (count(*) filter (where dumped_on >= $4))::integer as total
from release
where master_id > $1 and master_id <= $2
group by master_id
having bool_or(dumped_on = $3);

-- name: save_totals
-- What was counted; a total that became known, or fell, is noted for the owners, and nothing is no total.
with counted as (
    -- As a value, so that each is looked up by its key whatever the table's statistics say.
    select n.id, n.total, (select c.total from catalogue_total c where c.kind = $2 and c.id = n.id) as before
    from unnest($3::bigint[], $4::integer[]) as n (id, total)
), empty as (
    delete from catalogue_total where kind = $2 and id = any(array(select id from counted where total = 0))
), told as (
    insert into load_total (load_id, kind, id)
    select $1, $2, id from counted where total > 0 and (before is null or total < before)
    on conflict do nothing
)
insert into catalogue_total (kind, id, total, as_of)
select $2, id, total, $5 from counted where total > 0
on conflict (kind, id) do update
set total = excluded.total, as_of = greatest(catalogue_total.as_of, excluded.as_of)
where catalogue_total.total <> excluded.total or catalogue_total.as_of < excluded.as_of;

-- name: add_releases
-- Releases that their owners have to hear of.
insert into load_release (load_id, release_id)
select $1, unnest($2::bigint[])
on conflict do nothing;

-- name: changes
-- How many releases and totals a load has changed for their owners.
select (select count(*) from load_release where load_id = $1), (select count(*) from load_total where load_id = $1);

-- name: announce
-- The news of a load, if there is any.
insert into news (cause, time, load_id)
select 'loaded:' || $1::bigint, now(), $1
where exists (select from load_release where load_id = $1) or exists (select from load_total where load_id = $1)
on conflict do nothing;

-- name: finish
-- The load is over.
update catalogue_load set finished_at = now() where load_id = $1;
