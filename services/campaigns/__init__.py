"""Campaigns as operators start, stop and take them back."""
