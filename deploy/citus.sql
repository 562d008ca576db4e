-- The tables on several nodes with the Citus extension. Gatefold does not run on it as it is: docs/scaling.md, "Citus", says what
-- stands in the way, what it costs, and what to do instead. Run by a superuser on the coordinator, which is a node itself
-- (citus_set_coordinator_host, citus_add_node), once, after `gatefold migrate` and before the first event.
create extension if not exists citus;

-- What belongs to one user lies on one node, and all of a user's rows lie together.
select create_distributed_table('collector', 'user_id', colocate_with => 'none');
select create_distributed_table('facet_count', 'user_id', colocate_with => 'collector');
select create_distributed_table('owned', 'user_id', colocate_with => 'collector');
select create_distributed_table('owned_release', 'user_id', colocate_with => 'collector');
select create_distributed_table('activity', 'user_id', colocate_with => 'collector');
select create_distributed_table('award', 'user_id', colocate_with => 'collector');  -- and with it user_badges, a view of it
select create_distributed_table('graph_due', 'user_id', colocate_with => 'collector');
select create_distributed_table('share', 'user_id', colocate_with => 'collector');
select create_distributed_table('collector_graph', 'user_id', colocate_with => 'collector');

-- What everybody's rows are joined with lies on every node.
select create_reference_table('facts');
select create_reference_table('release');
select create_reference_table('facet_value');
-- The catalogue, which came after the trial: planned like the three above, not tried.
select create_reference_table('label');
select create_reference_table('artist');
select create_reference_table('master');
select create_reference_table('catalogue_total');
select create_reference_table('release_label');
select create_reference_table('release_artist');
select create_reference_table('load_release');
select create_reference_table('load_total');

-- What belongs to the log, and not to a user, stays on the coordinator, in the same transaction:
--   offset_ledger, offset_hole, inbox, dead_letter, outbox, erased, brake, badge_holders, badge_holders_history,
--   badge_ranking, cron_run, alarm, event_history, drift, evaluation_cost, award_log, audit_log, campaign, campaign_cursor, campaign_progress, notice, notice_award, migration, news, catalogue_load, load_file, load_touched, staged_artist, staged_label, staged_master,
--   staged_release
