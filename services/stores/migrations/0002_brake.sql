-- The brake of the workers, by the digest of the code that ran into a flood of dead letters: other code starts afresh.
create table brake (
    code      text primary key,
    why       text not null,
    pulled_at timestamptz not null
);
