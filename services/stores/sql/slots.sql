-- name: try_take
-- Hold a numbered slot of a group for as long as this connection lives.
select pg_try_advisory_lock(hashtext('gatefold slot of ' || $1), $2)
