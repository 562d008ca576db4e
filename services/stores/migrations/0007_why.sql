-- The rule by which an award was earned, as the catalog's lock digests it; null for awards of older releases.
alter table user_badges add column rule_digest text;

-- What-if and why read the user's own sets; nothing is written.
do $$
begin
    if exists (select from pg_roles where rolname = 'gatefold_api') then
        grant select on owned, activity to gatefold_api;
    end if;
end $$;
