-- name: accept
-- Identities that are new; waits for whoever is accepting the same one.
insert into inbox (identity, digest, seen_on)
select identity, digest, current_date from unnest($1::bytea[], $2::text::bigint[]) as given (identity, digest)
on conflict do nothing
returning identity;

-- name: digests
-- What was accepted under these identities.
select identity, digest from inbox where identity = any($1::bytea[]);
