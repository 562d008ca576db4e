-- name: pull
-- Stop all workers of this code.
insert into brake (code, why, pulled_at) values ($1, $2, now()) on conflict do nothing;

-- name: why
-- Why workers of this code are to stand still.
select why from brake where code = $1;

-- name: release
-- Let all workers go on.
delete from brake returning why;
