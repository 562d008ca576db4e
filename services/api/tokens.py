"""Tokens for demos and tests; in production somebody else issues them."""

from __future__ import annotations

import time

from joserfc import jwt

from contracts.ids import is_user_id
from services.api.keys import KeyConfigurationError, secret_key
from services.settings import Settings


def mint(settings: Settings, user_id: str, *, role: str | None = None, hours: float = 24.0) -> str:
    """An HS256 token for this user, signed with the secret of the settings.

    Raises:  KeyConfigurationError where there is no secret, ValueError for what is no user id.
    """
    if not is_user_id(user_id):
        raise ValueError(f"{user_id!r} is not a user id: 1 to 64 of A-Z a-z 0-9 _ . : @ -")
    if settings.jwt_secret is None or not settings.jwt_secret.get_secret_value():
        raise KeyConfigurationError("no secret to sign with: set GATEFOLD_JWT_SECRET (32 bytes or more)")
    now = int(time.time())
    claims = {
        "sub": user_id,
        "aud": settings.jwt_audience,
        "iss": settings.jwt_issuer,
        "iat": now,
        "exp": now + round(hours * 3600),
    }
    if role is not None:
        claims["role"] = role
    return jwt.encode({"alg": "HS256"}, claims, secret_key(settings.jwt_secret.get_secret_value()))
