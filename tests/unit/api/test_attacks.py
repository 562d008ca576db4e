"""Tokens that somebody made to be let in: whatever their header asks for, only our keys and our algorithm count."""

import base64
import contextlib
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from contracts.ids import is_user_id
from services.api.auth import Gate
from services.api.keys import KeySetAt, keys_from
from services.api.problems import UNAUTHORIZED, Problem
from services.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"
OURS, THEIRS = RSAKey.generate_key(2048, {"kid": "ours"}), RSAKey.generate_key(2048, {"kid": "theirs"})
PEM = OURS.as_pem(private=False)
# Made when the tests are collected, used when the others are done.
CLAIMS = {"sub": "alice", "aud": "gatefold", "iss": "gatefold", "exp": int(time.time()) + 86_400}


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


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "x", None, 7, [[]], ["alg"]])
@pytest.mark.parametrize("more", [{}, {"b64": False}])
@pytest.mark.parametrize("secret", [SECRET, "of somebody else"])
async def test_critical_headers_are_not_passed_over(crit: Any, more: dict[str, Any], secret: str) -> None:
    header = {"alg": "HS256", "crit": crit, **more}
    await refused(gate_of(jwt_secret=SECRET), with_hmac(header, secret.encode()))


@pytest.mark.parametrize("expires", ["9999999999", [9999999999], {"a": 1}, True, float("inf"), float("nan")])
async def test_an_end_that_is_no_number_never_comes(expires: Any) -> None:
    await refused(gate_of(jwt_secret=SECRET), with_hmac({"alg": "HS256"}, SECRET.encode(), CLAIMS | {"exp": expires}))


@pytest.mark.parametrize("user", ["", " ", "a b", "ann\0", "x" * 200, 7, None, ["ann"], "../ann", "'; drop table x"])
async def test_a_user_who_cannot_be(user: Any) -> None:
    await refused(gate_of(jwt_secret=SECRET), with_hmac({"alg": "HS256"}, SECRET.encode(), CLAIMS | {"sub": user}))


def key_set() -> Gate:
    """A gate whose keys come from an address: one RSA key, and one secret that has no business there."""
    secret = {"kty": "oct", "kid": "secret", "k": encoded(SECRET.encode())}
    document = json.dumps({"keys": [{**OURS.as_dict(private=False), "kid": "ours"}, secret]}).encode()
    keys = KeySetAt("https://keys.example", fetch=lambda url: document)
    return Gate(keys, audience="gatefold", issuer="gatefold")


def with_rsa(header: dict[str, Any], key: RSAKey) -> str:
    signed = f"{encoded(header)}.{encoded(CLAIMS)}"
    return f"{signed}.{encoded(JWSRegistry.algorithms['RS256'].sign(signed.encode(), key))}"


async def test_a_key_set_lets_in_who_holds_its_key() -> None:
    """Or the refusals below would prove nothing."""
    for kid in ({"kid": "ours"}, {}):
        assert (await key_set().identify(f"Bearer {with_rsa({'alg': 'RS256', **kid}, OURS)}")).user_id == "alice"


@pytest.mark.parametrize("kid", [*KIDS, "ours", "secret"])
async def test_a_key_set_is_not_talked_into_another_key(kid: Any) -> None:
    gate = key_set()
    await refused(gate, with_rsa({"alg": "RS256", "kid": kid}, THEIRS))
    secrets = (PEM, OURS.as_der(private=False), json.dumps(OURS.as_dict(private=False)).encode(), SECRET.encode(), b"")
    for alg in ("HS256", "RS256", "ES256"):
        for secret in secrets:
            await refused(gate, with_hmac({"alg": alg, "kid": kid}, secret))


def raw(claims: bytes, header: bytes = b'{"alg":"HS256"}') -> str:
    """Bytes as they are, signed with our secret."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    return f"{signed}.{encoded(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


async def test_of_two_members_of_one_name_the_last_counts_everywhere() -> None:
    """As RFC 7515 and 7519 allow: what would be bad is that two of us read it differently."""
    gate = gate_of(jwt_secret=SECRET)
    twice = json.dumps(CLAIMS).encode().replace(b'"sub": "alice"', b'"sub": "alice", "sub": "bob"')
    assert (await gate.identify(f"Bearer {raw(twice)}")).user_id == "bob"
    await refused(gate, raw(json.dumps(CLAIMS).encode(), b'{"alg": "HS256", "alg": "none"}'))
    await refused(gate, raw(json.dumps(CLAIMS).encode()[:-1] + b', "exp": 1}'))


@pytest.mark.parametrize("end", [b"1e400", b"-1", b"0", b"9" * 5000, b"1.5"])
async def test_an_end_that_is_past_or_beyond_numbers(end: bytes) -> None:
    claims = json.dumps(CLAIMS | {"exp": 1}).encode().replace(b'"exp": 1', b'"exp": ' + end)
    await refused(gate_of(jwt_secret=SECRET), raw(claims))


async def test_a_token_beyond_eight_kilobytes_is_not_looked_at() -> None:
    gate = gate_of(jwt_secret=SECRET)
    for padding, good in ((5_000, True), (6_500, False), (500_000, False)):
        token = raw(json.dumps(CLAIMS | {"x": "y" * padding}).encode())
        if good:
            assert (await gate.identify(f"Bearer {token}")).user_id == "alice"
        else:
            await refused(gate, token)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("sub", "aud", "iss", "exp", "nbf", "iat", "role", "roles", "jti")


@given(
    st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4),
    st.dictionaries(st.sampled_from(("kid", "typ", "cty", "crit", "b64", "zip", "enc", "jwk", "jku", "x5c")), JSON),
)
@example({"exp": 10**400}, {})
@example({"roles": [["admin"], {"admin": 1}]}, {"cty": "JWT"})
async def test_whatever_our_own_issuer_signs_is_an_identity_or_a_refusal(
    claims: dict[str, Any], header: dict[str, Any]
) -> None:
    token = with_hmac({"alg": "HS256", **header}, SECRET.encode(), CLAIMS | claims)
    who = None
    with contextlib.suppress(Problem):
        who = await gate_of(jwt_secret=SECRET).identify(f"Bearer {token}")
    assert who is None or (is_user_id(who.user_id) and who.user_id == claims.get("sub", "alice"))
