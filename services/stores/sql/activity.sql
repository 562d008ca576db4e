-- name: load
-- Objects of activity by user and kind.
select a.user_id, a.kind, a.object_id, a.present, a.changed_at, a.by_id, a.by_source
from unnest($1::text::text[], $2::text::text[], $3::text::text[]) as k (user_id, kind, object_id)
join activity a on a.user_id = k.user_id and a.kind = k.kind and a.object_id = k.object_id;

-- name: save
-- Objects of activity after a bundle.
insert into activity (user_id, kind, object_id, present, changed_at, by_id, by_source)
select * from unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::boolean[],
                     $5::text::timestamptz[], $6::text::text[], $7::text::text[])
on conflict (user_id, kind, object_id) do update
set present = excluded.present, changed_at = excluded.changed_at, by_id = excluded.by_id,
    by_source = excluded.by_source;

-- name: of_each
-- All objects of activity of users.
select user_id, kind, object_id, present, changed_at, by_id, by_source from activity where user_id = any($1::text[])
order by user_id, kind, object_id;
