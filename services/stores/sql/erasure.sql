-- name: copies
-- Copies and tombstones no newer than a deletion.
delete from owned where user_id = $1 and changed_at <= $2;

-- name: activity
-- Objects of activity no newer than a deletion.
delete from activity where user_id = $1 and changed_at <= $2;

-- name: releases
-- Rows of releases that a user neither owns nor speaks of.
delete from owned_release where user_id = $1 and release_id = any($2::bigint[]);

-- name: awards
-- Awards no newer than a deletion.
delete from award where user_id = $1 and awarded_at <= $2;

-- name: shares
-- What a user shared up to a deletion, and what is not there to be shared any more.
delete from share s
where s.user_id = $1
  and (s.shared_at <= $2
       or not exists (select from user_badges b where b.user_id = $1 and s.badge_key in ('', b.badge_key)
                      and (s.badge_key = '' or b.context = s.context)));

-- name: given
-- Awards by hand of a user of whom nothing else is left.
delete from award where user_id = $1 and source = 'manual';

-- name: log
-- What was done by hand to a user's awards: the rows stay, without the user.
select award_log_forget($1, $2, $3);

-- name: messages
-- Unpublished messages about a user, but for awards that are left; dead letters have an owner only by their key. The ids.
delete from outbox o
where o.subject = $1
  and o.topic <> 'event.rejected'
  and not exists (
      select from user_badges b
      where b.user_id = $1
        and o.event_id in (b.award_id || ':' || b.revision, b.award_id || ':' || b.revision || ':revoked'))
returning event_id;

-- name: notices
-- What the notifier has to tell a user, or has told.
with gone as (
    delete from notice_award where user_id = $1
)
delete from notice where user_id = $1;

-- name: letters
-- Dead letters under a user's key, and those of them that are not published yet.
with gone as (
    delete from dead_letter where key = $1 and octet_length(key) <= 64 returning topic, partition, "offset"
)
delete from outbox
where topic = 'event.rejected'
  and subject = any (array(select topic || ':' || partition || ':' || "offset" from gone));
