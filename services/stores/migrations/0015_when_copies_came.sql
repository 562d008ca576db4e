-- The day on which a copy was added, as the newest statement on it says: null where it does not. It decides nothing.
alter table owned add column added_on date;
