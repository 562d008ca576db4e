"""Awards by hand: granted, revoked, hidden and sorted by operators, with a reason, and written down for good."""
