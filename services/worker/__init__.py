"""Bundles in, awards out."""
