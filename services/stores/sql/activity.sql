-- name: load
-- Objects of activity by user and kind.
select a.user_id, a.kind, a.object_id, a.present, a.changed_at, a.by_id, a.by_source
from unnest($1::text[], $2::text[], $3::text[]) as k (user_id, kind, object_id)
join activity a on a.user_id = k.user_id and a.kind = k.kind and a.object_id = k.object_id;

-- name: save
-- Objects of activity after a bundle.
insert into activity (user_id, kind, object_id, present, changed_at, by_id, by_source)
select * from unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::timestamptz[], $6::text[], $7::text[])
on conflict (user_id, kind, object_id) do update
set present = excluded.present, changed_at = excluded.changed_at, by_id = excluded.by_id,
    by_source = excluded.by_source;

-- name: of_user
-- All objects of activity of a user.
select kind, object_id, present, changed_at, by_id, by_source from activity where user_id = $1
order by kind, object_id;
