"""Which badges exist."""
