"""Tokens that somebody made to be let in: whatever their header asks for, only our keys and our algorithm count."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from services.api.auth import Gate
from services.api.keys import keys_from
from services.api.problems import UNAUTHORIZED, Problem
from services.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"
OURS, THEIRS = RSAKey.generate_key(2048, {"kid": "ours"}), RSAKey.generate_key(2048, {"kid": "theirs"})
PEM = OURS.as_pem(private=False)
CLAIMS = {"sub": "alice", "aud": "gatefold", "iss": "gatefold", "exp": int(time.time()) + 600}


def gate_of(**settings: Any) -> Gate:
    return Gate(keys_from(Settings(**settings)), audience="gatefold", issuer="gatefold")


def encoded(value: Any) -> str:
    return (
        base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode().rstrip("=")
    )


def with_hmac(header: dict[str, Any], secret: bytes, claims: Any = CLAIMS) -> str:
    """Signed by hand: a library refuses to take a public key for a secret."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


async def refused(gate: Gate, token: str) -> None:
    with pytest.raises(Problem) as caught:
        await gate.identify(f"Bearer {token}")
    assert caught.value.kind is UNAUTHORIZED


async def test_what_is_made_by_hand_here_is_a_token() -> None:
    """Or the refusals below would prove nothing."""
    gate = gate_of(jwt_secret=SECRET)
    assert (await gate.identify(f"Bearer {with_hmac({'alg': 'HS256'}, SECRET.encode())}")).user_id == "alice"


@pytest.mark.parametrize("secret", [PEM, PEM.strip(), OURS.as_der(private=False), b""])
@pytest.mark.parametrize("alg", ["HS256", "RS256"])
async def test_a_public_key_is_no_secret(secret: bytes, alg: str) -> None:
    await refused(gate_of(jwt_public_key=PEM.decode()), with_hmac({"alg": alg}, secret))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", " ", "hs256", "HS256 "])
@pytest.mark.parametrize("gate", [gate_of(jwt_secret=SECRET), gate_of(jwt_public_key=PEM.decode())])
async def test_no_algorithm_but_ours(gate: Gate, alg: str) -> None:
    for signature in ("", "e30", encoded(b"\0" * 32)):
        await refused(gate, f"{encoded({'alg': alg})}.{encoded(CLAIMS)}.{signature}")
    await refused(gate, with_hmac({"alg": alg}, SECRET.encode()))


KIDS = [
    "../../../../dev/null",
    "/dev/null",
    "' or '1'='1",
    "' union select 'secret' --",
    "https://elsewhere.example/keys",
    "theirs",
    "x" * 4096,
    "",
    "\0",
    7,
    None,
    ["ours"],
    {"kid": "ours"},
]


@pytest.mark.parametrize("kid", KIDS)
async def test_a_key_id_names_one_of_our_keys_or_nothing(kid: Any) -> None:
    for secret in (b"", b"null", SECRET.encode()[:8]):
        await refused(gate_of(jwt_secret=SECRET), with_hmac({"alg": "HS256", "kid": kid}, secret))
    signed = f"{encoded({'alg': 'RS256', 'kid': kid})}.{encoded(CLAIMS)}"
    signature = JWSRegistry.algorithms["RS256"].sign(signed.encode(), THEIRS)
    await refused(gate_of(jwt_public_key=PEM.decode()), f"{signed}.{encoded(signature)}")


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": THEIRS.as_dict(private=False)},
        {"jku": "https://elsewhere.example/keys"},
        {"x5u": "https://elsewhere.example/certificate"},
        {"x5c": [encoded(THEIRS.as_der(private=False))]},
    ],
    ids=lambda header: next(iter(header)),
)
async def test_a_token_brings_no_key_of_its_own(header: dict[str, Any]) -> None:
    signed = f"{encoded({'alg': 'RS256', 'typ': 'JWT', **header})}.{encoded(CLAIMS)}"
    signature = JWSRegistry.algorithms["RS256"].sign(signed.encode(), THEIRS)
    await refused(gate_of(jwt_public_key=PEM.decode()), f"{signed}.{encoded(signature)}")


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "x", None])
async def test_critical_headers_are_not_passed_over(crit: Any) -> None:
    header = {"alg": "HS256", "crit": crit, "b64": False}
    await refused(gate_of(jwt_secret=SECRET), with_hmac(header, SECRET.encode()))


@pytest.mark.parametrize("expires", ["9999999999", [9999999999], {"a": 1}, True, float("inf"), float("nan")])
async def test_an_end_that_is_no_number_never_comes(expires: Any) -> None:
    await refused(gate_of(jwt_secret=SECRET), with_hmac({"alg": "HS256"}, SECRET.encode(), CLAIMS | {"exp": expires}))


@pytest.mark.parametrize("user", ["", " ", "a b", "ann\0", "x" * 200, 7, None, ["ann"], "../ann", "'; drop table x"])
async def test_a_user_who_cannot_be(user: Any) -> None:
    await refused(gate_of(jwt_secret=SECRET), with_hmac({"alg": "HS256"}, SECRET.encode(), CLAIMS | {"sub": user}))
