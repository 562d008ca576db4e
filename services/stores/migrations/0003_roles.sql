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
                    raise notice 'no role %: % may not create roles; see docs/operations.md', role, current_user;
                    return;
                end if;
        end;
    end loop;

    grant select on migration to gatefold_worker, gatefold_relay, gatefold_api;

    -- The worker never changes the schema, what is published, or how many hold a badge.
    grant select, insert, update, delete
        on collector, facet_count, facts, release, owned, owned_release, activity, erased, user_badges
        to gatefold_worker;
    grant select, insert, update on offset_ledger, offset_hole to gatefold_worker;
    grant select, insert, delete on outbox, dead_letter to gatefold_worker;
    grant select, insert on facet_value, inbox, brake to gatefold_worker;

    -- The relay sends what is there, and counts.
    grant select, update, delete on outbox to gatefold_relay;
    grant select, insert, update, delete on badge_holders to gatefold_relay;
    grant select on collector, user_badges to gatefold_relay;

    -- The api reads.
    grant select
        on collector, facet_count, facet_value, owned, owned_release, user_badges, badge_holders, outbox, offset_ledger
        to gatefold_api;
end $$;
