"""The keys that tokens are checked with: one secret, one public key, or a key set at an address.

What is configured fixes the algorithms: a public key is never taken for a secret, and `none` is no algorithm.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Final, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.logs import logger
from services.settings import Settings

Key = OctKey | RSAKey | ECKey

SECRET_BYTES: Final = 32
RSA_BITS: Final = 2048
FETCH_SECONDS: Final = 2.0
FETCH_BYTES: Final = 256 * 1024
# What is no such address would be repeated in urllib's errors.
_ADDRESS: Final = re.compile(r"https?://([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?([/?][!-~]*)?", re.ASCII).fullmatch
# A key set is read again when it is this old, and before that for a key id it lacks, but not more often than so.
REFRESH_SECONDS: Final = 600.0
RETRY_SECONDS: Final = 30.0


class KeyConfigurationError(Exception):
    """The settings name no usable key for tokens."""


class KeyNotFoundError(Exception):
    """No key of this id and algorithm."""


class KeysUnavailableError(Exception):
    """The key set cannot be read."""


class Keys(Protocol):
    """Where keys come from."""

    @property
    def algorithms(self) -> tuple[str, ...]: ...

    async def find(self, key_id: str | None, algorithm: str) -> Key:
        """The key for a token's header; `algorithm` is one of `algorithms`.

        Raises:  KeyNotFoundError, KeysUnavailableError.
        """
        ...


class OneKey:
    """The key of the settings, whatever id a token names."""

    def __init__(self, key: Key, algorithm: str) -> None:
        self._key = key
        self.algorithms: tuple[str, ...] = (algorithm,)

    async def find(self, key_id: str | None, algorithm: str) -> Key:
        return self._key


class KeySetAt:
    """The RSA and P-256 keys that an address serves; while it is away those read last stay good."""

    algorithms: tuple[str, ...] = ("RS256", "ES256")

    def __init__(
        self,
        url: str,
        *,
        fetch: Callable[[str], bytes] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._fetch = fetch or fetch_key_set
        self._clock = clock
        self._keys: dict[tuple[str | None, str], Key] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._reading = asyncio.Lock()

    async def find(self, key_id: str | None, algorithm: str) -> Key:
        key = self._known(key_id, algorithm)
        if key is not None and self._reading.locked():
            return key
        if key is None or self._older(self._read_at, REFRESH_SECONDS):
            async with self._reading:
                if self._older(self._tried_at, RETRY_SECONDS):
                    await self._refresh()
            key = self._known(key_id, algorithm)
        if key is None:
            if self._read_at is None:
                raise KeysUnavailableError("the key set cannot be read")
            raise KeyNotFoundError("no such key")
        return key

    def _known(self, key_id: str | None, algorithm: str) -> Key | None:
        if key_id is not None:
            return self._keys.get((key_id, algorithm))
        fitting = [key for (_, fits), key in self._keys.items() if fits == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    def _older(self, since: float | None, seconds: float) -> bool:
        return since is None or self._clock() - since >= seconds

    async def _refresh(self) -> None:
        self._tried_at = self._clock()
        try:
            document = await asyncio.wait_for(asyncio.to_thread(self._fetch, self._url), 2 * FETCH_SECONDS)
            self._keys = keys_of(document)
            self._read_at = self._tried_at
        except (OSError, ValueError, HTTPException) as error:
            logger(__name__).warning("key set not read", error=f"{type(error).__name__}: {error}")


def keys_of(document: bytes) -> dict[tuple[str | None, str], Key]:
    """The signing keys of a JWK set by key id and algorithm; keys of other kinds are passed over.

    Raises:  ValueError where this is no key set.
    """
    try:
        listed = json.loads(document)["keys"]
    except (TypeError, KeyError) as error:
        raise ValueError("not a JWK set") from error
    if not isinstance(listed, list):
        raise ValueError("not a JWK set")
    found: dict[tuple[str | None, str], Key] = {}
    for entry in listed:
        if isinstance(entry, dict) and entry.get("use", "sig") == "sig":
            try:
                key, algorithm = _public_key(entry)
            except (JoseError, ValueError, TypeError, KeyError):
                continue
            if entry.get("alg", algorithm) == algorithm:
                key_id = entry.get("kid")
                found[key_id if isinstance(key_id, str) else None, algorithm] = key
    return found


def fetch_key_set(url: str) -> bytes:
    """What the address serves: its head without a pause of FETCH_SECONDS, the rest before they are over in all.

    Raises:  OSError or HTTPException where it does not answer in time, ValueError where it is too long.
    """
    body = b""
    end = time.monotonic() + FETCH_SECONDS
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=FETCH_SECONDS) as answer:
            while len(body) <= FETCH_BYTES and (piece := answer.read1(FETCH_BYTES)):
                body += piece
                if time.monotonic() > end:
                    raise TimeoutError("the address takes too long")
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"the address answers with status {error.code}") from None
    if len(body) > FETCH_BYTES:
        raise ValueError("the key set is too long")
    return body


def keys_from(settings: Settings) -> Keys:
    """The keys that the settings name.

    Raises:  KeyConfigurationError saying what to set.
    """
    secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else ""
    given = [name for name, value in _given(settings, secret) if value]
    if not given:
        raise KeyConfigurationError(
            "no key to check tokens with: set GATEFOLD_JWT_SECRET, GATEFOLD_JWT_PUBLIC_KEY or GATEFOLD_JWT_JWKS_URL"
        )
    if len(given) > 1:
        raise KeyConfigurationError(f"{' and '.join(given)} are set: tokens are checked with one of them only")
    if secret:
        return OneKey(secret_key(secret), "HS256")
    if settings.jwt_public_key:
        return OneKey(*_pem_key(settings.jwt_public_key))
    url = settings.jwt_jwks_url or ""
    if not _ADDRESS(url):
        raise KeyConfigurationError(
            "GATEFOLD_JWT_JWKS_URL: an address begins with https:// or http:// and names a host, no user or password"
        )
    return KeySetAt(url)


def secret_key(secret: str) -> OctKey:
    """The HS256 key of a secret.

    Raises:  KeyConfigurationError for one that is too short to be safe or is a public key by mistake.
    """
    if len(secret.encode()) < SECRET_BYTES:
        raise KeyConfigurationError(f"GATEFOLD_JWT_SECRET: {SECRET_BYTES} bytes or more, please")
    if "-----BEGIN" in secret:
        raise KeyConfigurationError("GATEFOLD_JWT_SECRET: this is a PEM key; set GATEFOLD_JWT_PUBLIC_KEY")
    return OctKey.import_key(secret)


def _given(settings: Settings, secret: str) -> list[tuple[str, str]]:
    return [
        ("GATEFOLD_JWT_SECRET", secret),
        ("GATEFOLD_JWT_PUBLIC_KEY", settings.jwt_public_key or ""),
        ("GATEFOLD_JWT_JWKS_URL", settings.jwt_jwks_url or ""),
    ]


def _pem_key(text: str) -> tuple[Key, str]:
    pem = text.replace("\\n", "\n")  # as some environments write it on one line
    for kind in (RSAKey, ECKey):
        try:
            key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError):
            continue
        if key.is_private:
            raise KeyConfigurationError("GATEFOLD_JWT_PUBLIC_KEY: this is a private key; give its public half")
        try:
            return _public_key(key.as_dict(private=False))
        except ValueError as error:
            raise KeyConfigurationError(f"GATEFOLD_JWT_PUBLIC_KEY: {error}") from error
    raise KeyConfigurationError("GATEFOLD_JWT_PUBLIC_KEY: neither an RSA nor a P-256 public key in PEM")


def _public_key(entry: dict[str, Any]) -> tuple[Key, str]:
    match entry.get("kty"):
        case "RSA":
            rsa = RSAKey.import_key({name: entry[name] for name in ("kty", "n", "e")})
            if rsa.raw_value.key_size < RSA_BITS:
                raise ValueError(f"an RSA key of less than {RSA_BITS} bits")
            return rsa, "RS256"
        case "EC":
            if entry.get("crv") != "P-256":
                raise ValueError("an elliptic key for ES256 is on P-256")
            return ECKey.import_key({name: entry[name] for name in ("kty", "crv", "x", "y")}), "ES256"
        case _:
            raise ValueError("neither an RSA nor an elliptic key")
