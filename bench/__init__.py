"""What `make bench` runs.

Every measurement has a database of its own, a copy of one in which the users own something already: awards are then as
rare as in service. The worker is a real process that finds its backlog in Kafka; its rate is taken from the ledger
between 25 % and 90 % of the backlog, while all of its lanes have work: neither its start nor its end counts.
PostgreSQL's xmin tells afterwards which records each transaction took; the floors then get the same bundles, over one
connection, without their first 5 %:

- bare SQL: the rows that each bundle left behind, written by one plain INSERT and one plain UPDATE per table from
  arrays that were ready before the clock started; nothing is read, locked or decided;
- COPY: the raw records into one table with a primary key.

A result is the round whose ratio is the median. The ratios need a machine that does nothing else.
"""
