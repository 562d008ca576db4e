-- Campaigns: badges evaluated for many users at a set rate, and what each of them has given.

-- badge_keys: what it may give, fixed when it starts. A campaign is unfinished while it runs, pauses or takes back.
-- resumed_at, done_before: since when it runs, and how many users were done by then: how long the rest will take.
create table campaign (
    campaign_id   text collate "C" primary key,
    scope         text not null check (scope in ('user', 'badge', 'trigger', 'family', 'all')),
    scope_value   text collate "C" not null,
    badge_keys    text[] not null,
    notify        text not null check (notify in ('none', 'digest', 'normal')),
    rate          double precision not null check (rate > 0),
    state         text not null check (state in ('running', 'paused', 'cancelled', 'done', 'rolling_back', 'rolled_back')),
    users         bigint not null check (users >= 0),
    started_by    text not null,
    reason        text not null,
    started_at    timestamptz not null,
    resumed_at    timestamptz not null,
    done_before   bigint not null default 0,
    finished_at   timestamptz,
    rolled_back_by     text,
    rollback_reason    text,
    rollback_at        timestamptz,
    check ((state in ('rolling_back', 'rolled_back')) = (rollback_at is not null))
);
create index campaign_unfinished on campaign (started_at) where state in ('running', 'paused', 'rolling_back');

-- How far the relay is: apart from the campaign, whose row says what its awards depend on.
create table campaign_cursor (
    campaign_id text collate "C" primary key,
    told_until  text collate "C" not null default '',
    sent        bigint not null default 0,
    complete    boolean not null default false
);

-- What the workers have done of it. By partition of cron.sweep, so that no two of them write one row; -1: users who
-- were deleted before their sweep was published.
create table campaign_progress (
    campaign_id text collate "C" not null,
    partition   integer not null,
    users       bigint not null,
    awards      bigint not null,
    primary key (campaign_id, partition)
);

create index user_badges_campaign on user_badges (campaign_id, user_id) where campaign_id is not null;

-- Who did what as an operator. Rows are never changed and never deleted.
create table audit_log (
    audit_id bigint generated always as identity primary key,
    at       timestamptz not null default now(),
    by       text not null,
    act      text not null,
    details  json not null
);
create function audit_log_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit_log is append only';
end $$;
create trigger append_only before update or delete on audit_log
    for each statement execute function audit_log_is_append_only();

do $$
begin
    if not exists (select from pg_roles where rolname = 'gatefold_worker') then
        return;  -- an account that may not create roles goes without them: 0003_roles.sql
    end if;
    grant select, update (scope_value) on campaign to gatefold_worker;
    grant select, insert, update on campaign_progress to gatefold_worker;

    grant select, update (state, finished_at) on campaign to gatefold_relay;
    grant select, update on campaign_cursor to gatefold_relay;
    grant select on campaign_progress to gatefold_relay;
    grant select (context, award_id, revision, source, campaign_id), update (revoked_at) on user_badges to gatefold_relay;

    grant select on campaign, campaign_cursor, campaign_progress, owned, activity to gatefold_api;

    -- What operators do over HTTP is done with a role of its own.
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
    grant select, insert, update on campaign to gatefold_admin;
    grant select, insert on campaign_cursor, audit_log to gatefold_admin;
    grant select on campaign_progress to gatefold_admin;
    grant select (user_id) on collector to gatefold_admin;
    grant select (user_id, campaign_id, source, revision, revoked_at) on user_badges to gatefold_admin;
end $$;
