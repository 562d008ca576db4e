-- name: write
-- What an operator did, in the transaction in which it is done.
insert into audit_log (by, act, details) values ($1, $2, $3::json);
