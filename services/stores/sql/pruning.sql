-- name: blocks
-- How many pages the identities lie in.
select pg_relation_size('inbox') / current_setting('block_size')::bigint

-- name: old_identities
-- How many identities were seen before a day, in these pages.
select count(*) from inbox where ctid >= $1::text::tid and ctid < $2::text::tid and seen_on < $3

-- name: prune_identities
-- Forget them. By pages, so that one pass sees each page once, however many go.
delete from inbox where ctid >= $1::text::tid and ctid < $2::text::tid and seen_on < $3

-- name: old_letters
-- How many dead letters are older than a moment; those not sent again count with $2 alone.
select count(*) from dead_letter where seen_at < $1 and ($2 or redriven_at is not null)

-- name: prune_letters
-- Remove the oldest of them, some $3, and those that were seen in the same moment as the last of these.
delete from dead_letter
where seen_at < $1 and ($2 or redriven_at is not null)
  and seen_at <= coalesce((select seen_at from dead_letter
                           where seen_at < $1 and ($2 or redriven_at is not null)
                           order by seen_at offset $3 - 1 limit 1), $1)
