-- The scheduler: what it has done, how many held each badge day by day, and the users of a day.

-- The UTC date of the newest of the user's own events. What there is of users so far says so; a sweep does the same.
alter table collector add column seen_on date;
update collector c set seen_on = n.seen_on
from (
    select user_id, (max(changed_at) at time zone 'UTC')::date as seen_on
    from (
        select user_id, changed_at from owned
        union all select user_id, changed_at from activity
        union all select user_id, stated_at from owned_release
    ) as said
    group by user_id
) as n
where c.user_id = n.user_id;

-- Who joined on a day of the year (1121: 21 November), and the thirty slices of all users, one of which is swept every
-- night. Neither of the expressions changes with an event, so that updates of the row stay within its page.
create index collector_joined on collector (
    (extract(month from joined_on)::integer * 100 + extract(day from joined_on)::integer), user_id
) where joined_on is not null;
create index collector_slice on collector ((('x' || left(md5(user_id), 7))::bit(28)::integer % 30), user_id);

-- Runs of the scheduler's jobs. A run stands for the days from `since` to `due_on`: those that were missed are caught
-- up once. cursor: how far it has come; error: why it failed last, until it has succeeded.
create table cron_run (
    name        text collate "C" not null,
    due_on      date not null,
    since       date not null,
    started_at  timestamptz not null,
    finished_at timestamptz,
    cursor      text collate "C" not null default '',
    counts      json not null default '{}',
    error       text,
    primary key (name, due_on),
    check (since <= due_on)
);

-- How many held a badge on a day, of them those who were active in the 90 days before; the row of badge '' counts all
-- users. The shares are there when the day's count is complete.
create table badge_holders_history (
    badge_key      text collate "C" not null,
    counted_on     date not null,
    holders        bigint not null check (holders >= 0),
    active_holders bigint not null check (active_holders between 0 and holders),
    share_all      double precision,
    share_active   double precision,
    primary key (badge_key, counted_on)
);
create index badge_holders_history_day on badge_holders_history (counted_on);

-- Null until the scheduler has counted.
alter table badge_holders add column active_holders bigint check (active_holders >= 0);

-- As in 0003: an account that may not create roles goes without them; where it was told so, it is not told again.
do $$
begin
    if not exists (select from pg_roles where rolname = 'gatefold_worker') then
        return;
    end if;
    begin
        create role gatefold_scheduler nologin;
    exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then
            if not exists (select from pg_roles where rolname = 'gatefold_scheduler') then
                raise warning 'no role gatefold_scheduler: % may not create roles; see Roles in docs/operations.md', current_user;
                return;
            end if;
    end;
    grant select on migration to gatefold_scheduler;
    grant select, insert, update on cron_run, badge_holders to gatefold_scheduler;
    grant select, insert, update, delete on badge_holders_history to gatefold_scheduler;
    grant select (user_id, joined_on, seen_on) on collector to gatefold_scheduler;
    grant select (user_id, badge_key, awarded_at, revoked_at) on user_badges to gatefold_scheduler;
    grant select (failed_at), insert on outbox to gatefold_scheduler;
    grant select, delete on inbox to gatefold_scheduler;
    grant select (seen_at, redriven_at), delete on dead_letter to gatefold_scheduler;
    grant select on cron_run, badge_holders_history to gatefold_api;
end $$;
