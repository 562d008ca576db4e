-- Which collector was the 17th to earn a badge: said once, by the daily count of holders, and never changed.

-- rank: among the first hundred of a badge, as they were counted. Negative: counted, but not to be told, because it was
-- found later than it is dated. 0: may be among them, until the run that found it is done. Null: none, or not yet.
alter table user_badges add column rank smallint check (rank between -100 and 100);
create index user_badges_ranking on user_badges (badge_key) where rank = 0;

-- How many ranks of a badge are given, also to those who are gone; the latest date among them.
create table badge_ranking (
    badge_key text collate "C" primary key,
    given     smallint not null check (given between 1 and 100),
    latest    timestamptz not null
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'gatefold_scheduler') then
        return;  -- an account that may not create roles goes without them: 0003_roles.sql
    end if;
    grant select (context, source, rank), update (rank) on user_badges to gatefold_scheduler;
    grant select, insert, update on badge_ranking to gatefold_scheduler;
end $$;
