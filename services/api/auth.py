"""Who asks: a bearer JWT, its signature and claims checked."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwt import JWTClaimsRegistry

from contracts.ids import is_user_id
from services.api.keys import KeyNotFoundError, Keys, KeysUnavailableError
from services.api.problems import FORBIDDEN, UNAUTHORIZED, Problem, unavailable

TOKEN_BYTES: Final = 8192
# A key that is withdrawn stops opening so soon; the seen take some 10 MB at most.
SEEN_SECONDS: Final = 30.0
MOST_SEEN: Final = 10_000
ADMIN: Final = "admin"
_REALM: Final = 'Bearer realm="gatefold"'


@dataclass(frozen=True, slots=True)
class Identity:
    """The user of a token that was checked.

    Units:   `expires_at` in seconds since 1970.
    """

    user_id: str
    roles: frozenset[str]
    expires_at: float = field(default=inf, compare=False)

    def require(self, role: str) -> None:
        """Raises:  Problem 403 where the token lacks the role."""
        if role not in self.roles:
            raise Problem(FORBIDDEN, f"This needs a token with the role {role!r}.")


class _Claims(JWTClaimsRegistry):
    def validate_iat(self, value: object) -> None:
        """An issuer's clock that is a second ahead of ours is no reason to refuse (RFC 7519 does not ask for it)."""


class Gate:
    """Lets tokens through that are signed with one of our keys, for us, by our issuer, and not expired."""

    def __init__(self, keys: Keys, *, audience: str, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._clock = clock
        # Tokens checked a moment ago, and until when they need no second look: a signature costs as much as the rest.
        self._seen: dict[str, tuple[Identity, float]] = {}
        self._claims = _Claims(
            now=lambda: int(clock()),
            exp={"essential": True},
            aud={"essential": True, "value": audience},
            iss={"essential": True, "value": issuer},
            sub={"essential": True},
        )

    async def identify(self, authorization: str | None) -> Identity:
        """The identity in an Authorization header.

        Raises:  Problem 401 saying what is wrong with the token, 503 where the key set cannot be read.
        """
        if not authorization:
            raise Problem(UNAUTHORIZED, "A bearer token is missing.", {"WWW-Authenticate": _REALM})
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Problem(UNAUTHORIZED, "The Authorization header is not `Bearer <JWT>`.", {"WWW-Authenticate": _REALM})
        if (seen := self.seen(token)) is not None:
            return seen
        now = self._clock()
        try:
            claims = await self._claims_of(token)
        except KeysUnavailableError as error:
            raise unavailable("The keys that tokens are checked with cannot be read.", seconds=30) from error
        user_id = claims["sub"]
        if not is_user_id(user_id):
            raise _refused("The token's sub is not a user id.")
        who = Identity(user_id, _roles(claims), claims["exp"])
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen[token] = who, min(claims["exp"], now + SEEN_SECONDS)
        return who

    def seen(self, token: str) -> Identity | None:
        """The identity of a token that was checked a moment ago."""
        seen = self._seen.get(token)
        return seen[0] if seen is not None and seen[1] > self._clock() else None

    async def _claims_of(self, token: str) -> Mapping[str, Any]:
        header = _header(token)
        algorithm = header.get("alg")
        if algorithm not in self._keys.algorithms:
            raise _refused(f"The token's algorithm is not {' or '.join(self._keys.algorithms)}.")
        key_id = header.get("kid")
        try:
            key = await self._keys.find(key_id if isinstance(key_id, str) else None, algorithm)
        except KeyNotFoundError:
            raise _refused("The token is signed with a key that is not known.") from None
        try:
            claims = jwt.decode(token, key, algorithms=[algorithm]).claims
            self._claims.validate(claims)
        except BadSignatureError:
            raise _refused("The token's signature is wrong.") from None
        except ExpiredTokenError:
            raise _refused("The token has expired.") from None
        except MissingClaimError as error:
            raise _refused(f"The token lacks: {', '.join(sorted(error.claim.split(',')))}.") from None
        except InvalidClaimError as error:
            raise _refused(f"The token's {error.claim} is not what it must be.") from None
        except (JoseError, ValueError, RecursionError):
            raise _refused("The token is not a valid JWT.") from None
        return claims


def _header(token: str) -> Mapping[str, Any]:
    """What the token says of itself; nothing in it is trusted yet."""
    encoded, dot, _ = token.partition(".")
    if dot and len(token) <= TOKEN_BYTES and token.isascii():
        try:
            header = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        except (binascii.Error, ValueError, RecursionError):
            header = None
        # We know no extension that could be critical, and the library stumbles over a `crit` that is no list of names.
        if isinstance(header, dict) and isinstance(header.get("alg"), str) and "crit" not in header:
            return header
    raise _refused("The token is not a valid JWT.")


def _roles(claims: Mapping[str, Any]) -> frozenset[str]:
    """Roles stand in the claim `role` or `roles`, as a text or a list."""
    found: list[object] = []
    for value in (claims.get("role"), claims.get("roles")):
        found += value if isinstance(value, list) else [value]
    return frozenset(role for role in found if isinstance(role, str))


def _refused(detail: str) -> Problem:
    challenge = f'{_REALM}, error="invalid_token", error_description="{detail}"'
    return Problem(UNAUTHORIZED, detail, {"WWW-Authenticate": challenge})
