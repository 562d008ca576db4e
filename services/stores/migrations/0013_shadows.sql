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
    -- Rights went with the table: who had them has the same ones on what is shown. Where the roles came later and the
    -- earlier steps were run once more for them, the rights are on what is shown, and are wanted on the table.
    for given in
        with relation as (
            select oid, relname, relacl from pg_class
            where relname in ('award', 'user_badges') and relnamespace = current_schema::regnamespace
        ), acl as (
            select relname, '' as of_column, (aclexplode(relacl)).* from relation
            union all
            select relname, format(' (%I)', attname), (aclexplode(attacl)).*
            from relation join pg_attribute on attrelid = oid where attacl is not null
        )
        select format('grant %s%s on %I to %I', a.privilege_type, a.of_column,
                      case a.relname when 'award' then 'user_badges' else 'award' end, r.rolname) as command
        from acl a join pg_roles r on r.oid = a.grantee
        where r.rolname like 'gatefold\_%'
    loop
        execute given.command;
    end loop;

    for given in
        select command from (values
            -- It counts holders: of what is shown.
            ('gatefold_scheduler', 'revoke all on award from gatefold_scheduler'),
            -- A rollback of a campaign tells nobody of what nobody was told.
            ('gatefold_relay', 'grant select (shadow) on award to gatefold_relay'),
            ('gatefold_admin', 'grant update (shadow) on award to gatefold_admin')
        ) as n (grantee, command) join pg_roles on rolname = grantee
    loop
        execute given.command;
    end loop;
end $$;
