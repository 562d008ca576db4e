-- Awards by hand: what operators did to awards, who did it and why; and the indexes of what they look at.

-- hidden: left out of what the user is shown; it stays an award.
alter table user_badges add column hidden boolean not null default false;

-- The newest awards, page by page. Awards come in with times that are nearly always the latest: it grows at its end.
create index user_badges_newest on user_badges (awarded_at, award_id);

-- The newest dead letters, page by page.
create index dead_letter_newest on dead_letter (seen_at, topic collate "C", partition, "offset");

-- Every act by hand, append-only; before and after: what it changed of the award. Of a deleted user the row keeps who
-- did what to which badge and when, and the keyed hash that is in `erased`; all else of it is null.
create table award_log (
    id        bigint generated always as identity primary key,
    at        timestamptz not null,
    by        text not null,
    act       text not null check (act in ('grant', 'reinstate', 'revoke', 'edit')),
    user_id   text collate "C",
    user_hash bytea,
    badge_key text collate "C" not null,
    context   text collate "C",
    award_id  uuid,
    revision  integer not null check (revision >= 1),
    reason    text,
    before    json,
    after     json,
    check ((user_id is null) <> (user_hash is null)),
    check ((user_id is null) = all (array[context is null, award_id is null, reason is null, after is null]))
);
create index award_log_of_user on award_log (user_id, id) where user_id is not null;

-- Whoever may write to the table, its owner included: a row stands as it is, but that its user may be forgotten.
create function award_log_stands() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.user_id is not null and new.user_id is null and new.before is null
       and (new.id, new.at, new."by", new.act, new.badge_key, new.revision)
           = (old.id, old.at, old."by", old.act, old.badge_key, old.revision) then
        return new;
    end if;
    raise exception 'award_log is append-only' using errcode = 'insufficient_privilege';
end $$;
create trigger award_log_stands before update or delete on award_log
    for each row execute function award_log_stands();

-- What a deletion does, with the rights of the table's owner, because no role has any to change a row.
create function award_log_forget(who text, hash bytea, until timestamptz) returns void
language sql security definer set search_path from current as $$
    update award_log
    set user_id = null, user_hash = hash, context = null, award_id = null, reason = null, before = null, after = null
    where user_id = who and at <= until;
$$;
revoke all on function award_log_forget (text, bytea, timestamptz) from public;

do $$
begin
    if not exists (select from pg_roles where rolname = 'gatefold_worker') then
        return;  -- an account that may not create roles goes without them: 0003_roles.sql
    end if;
    begin
        create role gatefold_admin nologin;
    exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
            if not exists (select from pg_roles where rolname = 'gatefold_admin') then
                raise warning 'no role gatefold_admin: % may not create roles; see Roles in docs/operations.md', current_user;
                return;
            end if;
    end;
    grant execute on function award_log_forget (text, bytea, timestamptz) to gatefold_worker;
    grant select on award_log to gatefold_api;
    -- Of a letter where it lay and what was wrong with it: what stood in it is not the api's business.
    grant select (topic, partition, "offset", key, stage, reason, seen_at, redriven_at) on dead_letter to gatefold_api;

    -- Who acts by hand locks the user's row and changes nothing in it; gives awards, and takes none out of the table.
    grant select (user_id, erased_at), update (age_seen) on collector to gatefold_admin;
    grant select, insert, update (revision, source, trigger, caused_by, batch_id, sort_override, hidden, revoked_at, campaign_id)
        on user_badges to gatefold_admin;
    grant insert on outbox to gatefold_admin;
    grant select, insert on award_log to gatefold_admin;
end $$;
