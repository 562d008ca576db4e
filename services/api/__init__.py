"""Who has earned what, how far the next tier is, and why."""
