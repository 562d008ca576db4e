"""Discogs' monthly dumps become the catalogue: facts, who worked with whom, what is whose and how large it is."""
