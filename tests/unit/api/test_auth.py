"""Which tokens open the gate, and what the others are told."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.api.auth import MOST_SEEN, SEEN_SECONDS, Gate, Identity
from services.api.keys import OneKey, keys_from, secret_key
from services.api.problems import FORBIDDEN, UNAUTHORIZED, Problem
from services.settings import Settings

NOW = 1_700_000_000
SECRET = "0123456789abcdef0123456789abcdef"
RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
GOOD: dict[str, Any] = {"sub": "alice", "aud": "gatefold", "iss": "gatefold", "exp": NOW + 60}


def gate_of(**settings: Any) -> Gate:
    return Gate(keys_from(Settings(**settings)), audience="gatefold", issuer="gatefold", clock=lambda: NOW)


HS = gate_of(jwt_secret=SECRET)


def token(key: Any = None, alg: str = "HS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
    merged = {name: value for name, value in (GOOD | claims).items() if value is not None}
    return jwt.encode({"alg": alg, **(header or {})}, merged, key or secret_key(SECRET), algorithms=[alg])


def by_hand(header: Any, claims: Any = GOOD, signature: bytes = b"") -> str:
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    return ".".join((part(json.dumps(header).encode()), part(json.dumps(claims).encode()), part(signature)))


async def refusal(gate: Gate, authorization: str | None) -> Problem:
    with pytest.raises(Problem) as caught:
        await gate.identify(authorization)
    assert caught.value.kind is UNAUTHORIZED
    assert caught.value.headers["WWW-Authenticate"].startswith('Bearer realm="gatefold"')
    return caught.value


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_good_token(scheme: str) -> None:
    assert await HS.identify(f"{scheme} {token()}") == Identity("alice", frozenset())


async def test_audience_may_be_a_list_and_roles_too() -> None:
    sent = token(aud=["other", "gatefold"], role="admin", roles=["editor", {"x": 1}, 3])
    assert await HS.identify(f"Bearer {sent}") == Identity("alice", frozenset({"admin", "editor"}))


@pytest.mark.parametrize("authorization", [None, ""])
async def test_missing_token_gets_a_bare_challenge(authorization: str | None) -> None:
    problem = await refusal(HS, authorization)
    assert problem.detail == "A bearer token is missing."
    assert problem.headers["WWW-Authenticate"] == 'Bearer realm="gatefold"'


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "Basic YTpi", token()])
async def test_not_a_bearer_header(authorization: str) -> None:
    assert (await refusal(HS, authorization)).detail == "The Authorization header is not `Bearer <JWT>`."


@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ({"exp": NOW}, "The token has expired."),
        ({"exp": NOW - 1}, "The token has expired."),
        ({"exp": None}, "The token lacks: exp."),
        ({"exp": "soon"}, "The token's exp is not what it must be."),
        ({"exp": True}, "The token's exp is not what it must be."),
        ({"nbf": NOW + 1}, "The token's nbf is not what it must be."),
        ({"aud": "other"}, "The token's aud is not what it must be."),
        ({"aud": None}, "The token lacks: aud."),
        ({"iss": "other"}, "The token's iss is not what it must be."),
        ({"iss": ["gatefold"]}, "The token's iss is not what it must be."),
        ({"iss": None, "aud": None}, "The token lacks: aud, iss."),
        ({"sub": None}, "The token lacks: sub."),
        ({"sub": 7}, "The token's sub is not what it must be."),
        ({"sub": "a b"}, "The token's sub is not a user id."),
        ({"sub": "alice\n"}, "The token's sub is not a user id."),
        ({"sub": "x" * 65}, "The token's sub is not a user id."),
    ],
)
async def test_claims(claims: dict[str, Any], detail: str) -> None:
    problem = await refusal(HS, f"Bearer {token(**claims)}")
    assert problem.detail == detail
    assert f'error="invalid_token", error_description="{detail}"' in problem.headers["WWW-Authenticate"]


async def test_issuer_whose_clock_is_ahead() -> None:
    assert (await HS.identify(f"Bearer {token(iat=NOW + 5)}")).user_id == "alice"


async def test_other_secret() -> None:
    other = OctKey.import_key("f" * 32)
    assert (await refusal(HS, f"Bearer {token(other)}")).detail == "The token's signature is wrong."


async def test_claims_changed_under_a_good_signature() -> None:
    head, _, signature = token().split(".")
    forged = by_hand({}, GOOD | {"sub": "bob"}).split(".")[1]
    assert (await refusal(HS, f"Bearer {head}.{forged}.{signature}")).detail == "The token's signature is wrong."


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS384", "RS256", ""])
async def test_other_algorithms_are_refused(alg: str) -> None:
    assert (await refusal(HS, f"Bearer {by_hand({'alg': alg})}")).detail == "The token's algorithm is not HS256."


async def test_public_key_is_never_a_secret() -> None:
    """The classic confusion: HS256 with the text of the public key as the secret."""
    pem = RSA.as_pem(private=False)
    gate = gate_of(jwt_public_key=pem.decode())
    forged = jwt.encode({"alg": "HS256"}, GOOD, secret_key("x" * 32))
    assert (await refusal(gate, f"Bearer {forged}")).detail == "The token's algorithm is not RS256."
    assert (await refusal(gate, f"Bearer {by_hand({'alg': 'none'})}")).detail == "The token's algorithm is not RS256."


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (EC, "ES256")])
async def test_public_keys(key: RSAKey | ECKey, alg: str) -> None:
    one_line = key.as_pem(private=False).decode().replace("\n", "\\n")
    for pem in (key.as_pem(private=False).decode(), one_line):
        assert (await gate_of(jwt_public_key=pem).identify(f"Bearer {token(key, alg)}")).user_id == "alice"
    other = RSAKey.generate_key(2048) if alg == "RS256" else ECKey.generate_key("P-256")
    gate = gate_of(jwt_public_key=one_line)
    assert (await refusal(gate, f"Bearer {token(other, alg)}")).detail == "The token's signature is wrong."


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "a.b.c",
        "....",
        "é.b.c",
        "e30.e30.e30",
        by_hand([]),
        by_hand({"alg": 5}),
        "[" * 5000 + ".e30.",
        by_hand({"alg": "HS256"}) + "." + "A" * 9000,
    ],
)
async def test_rubbish(text: str) -> None:
    assert (await refusal(HS, f"Bearer {text}")).detail == "The token is not a valid JWT."


async def test_payload_that_is_no_object() -> None:
    """Signed with our key, and still no set of claims."""
    from joserfc.jws import serialize_compact

    for payload in (b"[]", b"7", b"\xff", b"{"):
        sent = serialize_compact({"alg": "HS256"}, payload, secret_key(SECRET))
        assert (await refusal(HS, f"Bearer {sent}")).detail == "The token is not a valid JWT."


async def test_critical_headers_we_do_not_know() -> None:
    assert (await refusal(HS, f"Bearer {by_hand({'alg': 'HS256', 'crit': ['x'], 'x': 1})}")).kind is UNAUTHORIZED


def test_role_that_is_missing() -> None:
    Identity("alice", frozenset({"admin"})).require("admin")
    with pytest.raises(Problem) as caught:
        Identity("alice", frozenset({"editor"})).require("admin")
    assert caught.value.kind is FORBIDDEN


async def test_key_of_another_kind_in_the_set() -> None:
    """Whatever a key source hands out, a token of another algorithm does not pass."""
    gate = Gate(OneKey(RSA, "ES256"), audience="gatefold", issuer="gatefold", clock=lambda: NOW)
    assert (await refusal(gate, f"Bearer {token(EC, 'ES256')}")).detail == "The token is not a valid JWT."


async def test_a_token_that_was_seen_is_good_until_it_ends_and_no_longer_than_a_while() -> None:
    now = [float(NOW)]
    keys = keys_from(Settings(jwt_secret=SECRET))
    gate = Gate(keys, audience="gatefold", issuer="gatefold", clock=lambda: now[0])
    short, long = token(exp=NOW + 5), token(exp=NOW + 3600)
    for sent in (short, long, short, long):
        assert (await gate.identify(f"Bearer {sent}")).user_id == "alice"
    now[0] += 5
    assert (await refusal(gate, f"Bearer {short}")).detail == "The token has expired."
    assert (await gate.identify(f"Bearer {long}")).user_id == "alice"
    gate._keys = keys_from(Settings(jwt_secret="another-secret-which-nobody-knows"))
    assert (await gate.identify(f"Bearer {long}")).user_id == "alice"
    now[0] += SEEN_SECONDS
    assert (await refusal(gate, f"Bearer {long}")).detail == "The token's signature is wrong."


async def test_what_was_seen_takes_bounded_memory() -> None:
    gate = gate_of(jwt_secret=SECRET)
    for number in range(50):
        gate._seen |= {f"filler-{number}-{at}": (Identity("x", frozenset()), 0.0) for at in range(MOST_SEEN // 40)}
        assert (await gate.identify(f"Bearer {token(jti=str(number))}")).user_id == "alice"
    assert len(gate._seen) <= MOST_SEEN * 1.1
