-- Alarms: what is beyond what history makes likely, and what the scheduler reads to find out.

-- An alarm stands from raised_at until ended_at; seen_at: when it was found last. subject: a badge, a topic or a family.
create table alarm (
    kind      text collate "C" not null
              check (kind in ('mass_award', 'silent_badge', 'silent_trigger', 'drift', 'evaluation_cost')),
    subject   text collate "C" not null,
    raised_at timestamptz not null,
    seen_at   timestamptz not null,
    ended_at  timestamptz,
    says      text not null,
    facts     json not null,
    primary key (kind, subject, raised_at)
);
create unique index alarm_standing on alarm (kind, subject) where ended_at is null;
create index alarm_newest on alarm (raised_at, kind, subject);

-- Events of each topic that were processed by a day, since the ledger began.
create table event_history (
    topic      text collate "C" not null,
    counted_on date not null,
    processed  bigint not null check (processed >= 0),
    primary key (topic, counted_on)
);

-- Sweeps that found counters wrong, and which: not whose.
create table drift (
    drift_id bigint generated always as identity primary key,
    found_at timestamptz not null,
    counters text[] not null
);

-- What evaluating cost, of the transactions that were timed.
create table evaluation_cost (
    family      text collate "C" not null,
    counted_on  date not null,
    evaluations bigint not null check (evaluations >= 0),
    seconds     double precision not null check (seconds >= 0),
    primary key (family, counted_on)
);

do $$
begin
    if not exists (select from pg_roles where rolname = 'gatefold_worker') then
        return;  -- an account that may not create roles goes without them: 0003_roles.sql
    end if;
    grant insert on drift to gatefold_worker;
    grant select, insert, update on evaluation_cost to gatefold_worker;
    grant select, insert, update, delete on alarm, event_history to gatefold_scheduler;
    grant select, delete on drift, evaluation_cost to gatefold_scheduler;
    grant select (topic, processed) on offset_ledger to gatefold_scheduler;
    grant select (badge_keys, started_at, finished_at, rollback_at) on campaign to gatefold_scheduler;
    grant select on alarm to gatefold_api;
end $$;
