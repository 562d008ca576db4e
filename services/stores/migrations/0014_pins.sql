-- Pins: the awards that a user wants to see first. They belong to the award, and go with it.

alter table award add column pinned_at timestamptz;
create or replace view user_badges as select * from award where not shadow;

do $$
begin
    if not exists (select from pg_roles where rolname = 'gatefold_admin') then
        return;  -- an account that may not create roles goes without them: 0003_roles.sql
    end if;
    -- Whoever writes for the api; it has one account or two.
    grant update (pinned_at) on user_badges to gatefold_api, gatefold_admin;
end $$;
