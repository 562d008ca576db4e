"""The security headers of every answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# For whatever a route does not say itself. Without Strict-Transport-Security: whoever ends TLS in front of us knows
# whether the whole host has it.
SECURITY: Final[Mapping[str, str]] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-site",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
