-- Badges in the shadow: evaluated and kept, shown to no collector, published by nobody until they are promoted.

-- One place says what is shown. `award` has every award; `user_badges` is those that are not in the shadow, so whoever
-- does not know of shadows does not see them. Only who asks whether an award was given, or looks as an operator, reads
-- `award`. A column that is added to `award` later needs its `create or replace view`.
alter table user_badges rename to award;
alter table award add column shadow boolean not null default false;
create view user_badges as select * from award where not shadow;

-- What a promotion has left, page by page, and how many hold a badge that is not shown.
create index award_shadow on award (badge_key, user_id, context) where shadow;

do $$
declare
    given record;
begin
    -- Rights went with the table: who had them has the same ones on what is shown.
    for given in
        select grantee, privilege_type || coalesce(' (' || quote_ident(column_name) || ')', '') as privilege
        from (select grantee, privilege_type, null as column_name
              from information_schema.role_table_grants
              where table_schema = current_schema and table_name = 'award'
              union all
              select c.grantee, c.privilege_type, c.column_name
              from information_schema.role_column_grants c
              where c.table_schema = current_schema and c.table_name = 'award'
                and not exists (select from information_schema.role_table_grants t
                                where t.table_schema = current_schema and t.table_name = 'award'
                                  and t.grantee = c.grantee and t.privilege_type = c.privilege_type)) g
        where grantee like 'gatefold\_%'
    loop
        execute format('grant %s on user_badges to %I', given.privilege, given.grantee);
    end loop;

    -- Where an account may not create roles it goes without them: 0003_roles.sql.
    for given in
        select privilege from (values
            -- It counts holders: of what is shown.
            ('gatefold_scheduler', 'revoke all on award from gatefold_scheduler'),
            -- A rollback of a campaign tells nobody of what nobody was told.
            ('gatefold_relay', 'grant select (shadow) on award to gatefold_relay'),
            ('gatefold_admin', 'grant update (shadow) on award to gatefold_admin')
        ) as n (grantee, privilege) join pg_roles on rolname = grantee
    loop
        execute given.privilege;
    end loop;
end $$;
