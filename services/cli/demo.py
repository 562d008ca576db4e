"""`gatefold demo`."""

from __future__ import annotations


def demo() -> None:
    """placeholder while the run is written"""
    raise SystemExit(2)
