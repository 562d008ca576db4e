-- What users show to whoever has the link: an award, or (with an empty badge_key) the profile.

-- token: at random, 144 bits, so that no index has to promise that there are no two. shared_at: also when it was renamed.
create table share (
    user_id   text collate "C" not null,
    badge_key text collate "C" not null,
    context   text collate "C" not null,
    token     text collate "C" not null,
    name      text not null,
    language  text not null,
    shared_at timestamptz not null default clock_timestamp(),
    primary key (user_id, badge_key, context)
);
create index share_token on share (token);

do $$
begin
    if not exists (select from pg_roles where rolname = 'gatefold_admin') then
        return;  -- an account that may not create roles goes without them: 0003_roles.sql
    end if;
    -- Whoever writes for the api; it has one account or two.
    grant select, insert, update, delete on share to gatefold_api, gatefold_admin;
    grant select, delete on share to gatefold_worker;
end $$;
