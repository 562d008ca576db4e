"""Which keys the settings give, and how a key set is read and read again."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from http.client import BadStatusLine
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from services.api import keys
from services.api.keys import (
    REFRESH_SECONDS,
    RETRY_SECONDS,
    KeyConfigurationError,
    KeyNotFoundError,
    KeySetAt,
    KeysUnavailableError,
    keys_from,
    keys_of,
)
from services.settings import Settings

RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
PEM = RSA.as_pem(private=False).decode()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "no key to check tokens with: set GATEFOLD_JWT_SECRET"),
        ({"jwt_secret": ""}, "no key to check tokens with"),
        ({"jwt_secret": "x" * 31}, "32 bytes or more"),
        ({"jwt_secret": PEM}, "this is a PEM key"),
        ({"jwt_secret": "x" * 32, "jwt_public_key": PEM}, "GATEFOLD_JWT_SECRET and GATEFOLD_JWT_PUBLIC_KEY are set"),
        ({"jwt_public_key": "x"}, "neither an RSA nor a P-256 public key"),
        ({"jwt_public_key": RSA.as_pem(private=True).decode()}, "this is a private key"),
        ({"jwt_public_key": ECKey.generate_key("P-384").as_pem(private=False).decode()}, "on P-256"),
        ({"jwt_jwks_url": "file:///etc/keys.json"}, "begins with https:// or http://"),
        ({"jwt_jwks_url": "https://me:sekret@keys.example/set"}, "no user or password"),
        ({"jwt_jwks_url": "https://keys.example:sekret/set"}, "names a host"),
        ({"jwt_jwks_url": "https://keys.example/set?of=me&by sekret"}, "names a host"),
        ({"jwt_jwks_url": "https://"}, "names a host"),
    ],
)
def test_settings_without_a_usable_key(settings: dict[str, str], said: str) -> None:
    with pytest.raises(KeyConfigurationError, match=said) as caught:
        keys_from(Settings(**settings))
    assert "sekret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "https://keys.example/set?a=b", "https://[::1]:1/x", "http://k-1.example_x"]
)
def test_addresses_of_key_sets(url: str) -> None:
    assert isinstance(keys_from(Settings(jwt_jwks_url=url)), KeySetAt)


@pytest.mark.filterwarnings("ignore:.*key.*:UserWarning")
def test_short_rsa_key() -> None:
    with pytest.raises(KeyConfigurationError, match="less than 2048 bits"):
        keys_from(Settings(jwt_public_key=RSAKey.generate_key(1024).as_pem(private=False).decode()))


def test_what_is_configured_fixes_the_algorithm() -> None:
    assert keys_from(Settings(jwt_secret="x" * 32)).algorithms == ("HS256",)
    assert keys_from(Settings(jwt_public_key=PEM)).algorithms == ("RS256",)
    assert keys_from(Settings(jwt_public_key=EC.as_pem(private=False).decode())).algorithms == ("ES256",)
    assert keys_from(Settings(jwt_jwks_url="https://keys.example")).algorithms == ("RS256", "ES256")


def entry(key: Any, **more: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **more}


def key_set(*entries: Any) -> bytes:
    return json.dumps({"keys": entries}).encode()


def test_keys_of_passes_over_what_signs_no_tokens() -> None:
    secret = OctKey.generate_key(256).as_dict(private=True)
    document = key_set(
        entry(RSA, kid="r"),
        entry(EC, kid="e", use="sig", alg="ES256"),
        {**secret, "kid": "secret"},
        entry(OKPKey.generate_key("Ed25519"), kid="okp"),
        entry(ECKey.generate_key("P-384"), kid="p384"),
        entry(RSA, kid="enc", use="enc"),
        entry(RSA, kid="other", alg="RS512"),
        {"kty": "RSA", "kid": "broken"},
        "x",
    )
    assert set(keys_of(document)) == {("r", "RS256"), ("e", "ES256")}


@pytest.mark.parametrize("document", [b"", b"<html>", b"[]", b"{}", b'{"keys": 3}', b"7"])
def test_not_a_key_set(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json and we say it differently
        keys_of(document)


class Source:
    """A key set that can change and fail; counts how often it was read."""

    def __init__(self, *entries: Any) -> None:
        self.answer: bytes | Exception = key_set(*entries)
        self.reads = 0
        self.now = 0.0

    def fetch(self, url: str) -> bytes:
        self.reads += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def keys(self) -> KeySetAt:
        return KeySetAt("https://keys.example", fetch=self.fetch, clock=lambda: self.now)


async def thumbprint(keys: KeySetAt, key_id: str | None, algorithm: str = "RS256") -> str:
    return (await keys.find(key_id, algorithm)).thumbprint()


async def test_key_set_is_read_once_and_again_when_old() -> None:
    source = Source(entry(RSA, kid="r"))
    keys = source.keys()
    for _ in range(3):
        assert await thumbprint(keys, "r") == RSA.thumbprint()
    assert source.reads == 1
    source.now = REFRESH_SECONDS
    await keys.find("r", "RS256")
    assert source.reads == 2


async def test_unknown_key_id_reads_again_but_not_all_the_time() -> None:
    source = Source(entry(RSA, kid="r"))
    keys = source.keys()
    await keys.find("r", "RS256")
    source.answer = key_set(entry(RSA, kid="r"), entry(EC, kid="new"))
    with pytest.raises(KeyNotFoundError):
        await keys.find("new", "ES256")
    assert source.reads == 1
    source.now = RETRY_SECONDS
    assert await thumbprint(keys, "new", "ES256") == EC.thumbprint()
    for guess in range(50):
        with pytest.raises(KeyNotFoundError):
            await keys.find(f"guess{guess}", "RS256")
    assert source.reads == 2


async def test_key_id_of_another_algorithm() -> None:
    with pytest.raises(KeyNotFoundError):
        await Source(entry(RSA, kid="r")).keys().find("r", "ES256")


async def test_without_a_key_id_the_only_key_of_the_algorithm_is_meant() -> None:
    keys = Source(entry(RSA, kid="r"), entry(EC, kid="e")).keys()
    assert await thumbprint(keys, None) == RSA.thumbprint()
    two = Source(entry(RSA, kid="r"), entry(RSAKey.generate_key(2048), kid="s")).keys()
    with pytest.raises(KeyNotFoundError):
        await two.find(None, "RS256")


@pytest.mark.parametrize(
    "failure", [lambda: OSError("away"), TimeoutError, lambda: BadStatusLine("x"), lambda: ValueError("html")]
)
async def test_while_it_is_away_the_keys_read_last_stay_good(failure: Callable[[], Exception]) -> None:
    source = Source(entry(RSA, kid="r"))
    keys = source.keys()
    source.answer = failure()
    with pytest.raises(KeysUnavailableError):
        await keys.find("r", "RS256")
    with pytest.raises(KeysUnavailableError):
        await keys.find("r", "RS256")
    assert source.reads == 1
    source.answer = key_set(entry(RSA, kid="r"))
    source.now = RETRY_SECONDS
    assert await thumbprint(keys, "r") == RSA.thumbprint()
    source.answer = failure()
    source.now += REFRESH_SECONDS
    assert await thumbprint(keys, "r") == RSA.thumbprint()
    assert source.reads == 3


@pytest.mark.parametrize("head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"])
def test_an_address_that_speaks_slowly_is_not_listened_to_for_long(
    head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then is never silence: only the clock ends it."""
    monkeypatch.setattr(keys, "FETCH_SECONDS", 0.3)
    piece = b"1\r\n \r\n" if b"chunked" in head else b" "
    given_up = threading.Event()

    def drip(server: socket.socket) -> None:
        client, _ = server.accept()
        with client, contextlib.suppress(OSError):
            client.recv(4096)
            client.sendall(head)
            for _ in range(100):
                if given_up.wait(0.05):
                    break
                client.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        start = time.monotonic()
        with pytest.raises(OSError, match="takes too long"):
            keys.fetch_key_set(f"http://127.0.0.1:{server.getsockname()[1]}")
        assert time.monotonic() - start < 2
        given_up.set()
        thread.join()
