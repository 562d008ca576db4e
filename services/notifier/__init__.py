"""Tells users of their badges: an example of what a notification team does with `badge.awarded`."""
