"""Who has earned what: pure functions of badge, snapshot and occasion."""
