"""A Discogs export becomes events."""
