"""Awards as they happen, for who has a page open."""
