"""Events tried on users in memory, by the worker's own code: what-if, dry runs, the simulator; nothing is written."""
