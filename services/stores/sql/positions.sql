-- name: positions
-- The whole ledger, the state of the outbox and the due graphs in one snapshot; one row with null topic where the ledger is empty.
select ledger.topic, ledger.partition, ledger.base_offset, ledger.next_offset, ledger.processed, ledger.duplicate,
       ledger.dead, ledger.hole, waiting.unsent, waiting.failed, waiting.untold,
       (select count(*) from graph_due where due_at <= now()) as graph_due
from (
    select count(*) filter (where failed_at is null) as unsent, count(*) filter (where failed_at is not null) as failed,
           (select count(*) from news) as untold
    from outbox
) as waiting
left join offset_ledger as ledger on true
