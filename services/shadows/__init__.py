"""Badges on trial, whose awards are kept in the shadow, and how they come to light."""
