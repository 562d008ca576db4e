-- One role for each process, with the rights it needs and no others; who logs in is given one of them. Roles belong to
-- the whole cluster: another database may have them already. An account that may not create roles goes without them.
do $$
declare
    role text;
begin
    foreach role in array array['gatefold_worker', 'gatefold_relay', 'gatefold_api'] loop
        begin
            execute format('create role %I nologin', role);
        exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                if not exists (select from pg_roles where rolname = role) then
                    raise warning 'no role %: % may not create roles; see Roles in docs/operations.md', role, current_user;
                    return;
                end if;
        end;
    end loop;

    -- Both look at the number before they start.
    grant select on migration to gatefold_worker, gatefold_relay;

    -- The worker never changes the schema, an award, what is published, or how many hold a badge; it forgets no deletion.
    grant select, insert, update, delete
        on collector, facet_count, owned, owned_release, activity
        to gatefold_worker;
    grant select, insert, update on offset_ledger, offset_hole, release, erased to gatefold_worker;
    grant select, insert, delete on outbox, dead_letter, facts, user_badges to gatefold_worker;
    grant select, insert on facet_value, inbox, brake to gatefold_worker;

    -- The relay sends what is there, and counts who holds what.
    grant select, delete, update (failed_at, error) on outbox to gatefold_relay;
    grant select, insert, update, delete on badge_holders to gatefold_relay;
    grant select (user_id) on collector to gatefold_relay;
    grant select (user_id, badge_key, revoked_at) on user_badges to gatefold_relay;

    -- The api reads; of messages only how long they wait.
    grant select on collector, facet_count, user_badges, badge_holders, offset_ledger to gatefold_api;
    grant select (id, created_at, failed_at) on outbox to gatefold_api;
end $$;
