"""The words every part shares: events, topics, metrics, snapshots."""
