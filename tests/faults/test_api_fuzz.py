"""Row 34: the read service asked by somebody who knows its description, and means no good."""

import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import hypothesis
import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from joserfc import jwt
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS

from catalog.index import load_catalog
from services.api.keys import secret_key
from services.api.problems import MEDIA_TYPE
from services.api.tokens import mint
from services.settings import Settings
from tests.conftest import SECRET
from tests.integration.awards import award
from tests.integration.test_api_process import running

OTHER = "another-secret-which-nobody-ought-to-know"
LIST = "/api/user/achievements"
# Not among them: that valid data are accepted (no description says which cursors we gave), and asking again without a
# token (we do that ourselves).
WANTED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)
# 413 as well: what is wrong may be too large, too.
REFUSED = {"checks": {"negative_data_rejection": {"expected-statuses": ["4xx"]}}}
GOOD = ("ann", "bob", "root")
EARNED = list(load_catalog().badges)[:25]
START = datetime(2024, 1, 1, tzinfo=UTC)

Proof = Callable[..., None]


def mark(user: str) -> str:
    """What stands in every award of a user, and nowhere else."""
    return f"mark-of-{user}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def address(database: str) -> AsyncIterator[str]:
    """The process `gatefold api`, with two users who have earned something."""
    connection = await asyncpg.connect(database)
    for user in ("ann", "bob"):
        for at, key in enumerate(EARNED):
            when = START + timedelta(minutes=at)
            await award(connection, user, key, mark(user), when, {"x": mark(user)})
    await connection.close()
    settings = {"postgres_url": database, "jwt_secret": SECRET, "api_rate_address": "", "api_rate_user": ""}
    async with running(**settings) as (_, url):
        yield url


def tokens() -> dict[str, str | None]:
    """By what is right or wrong with it; those of ann and bob are good, and that of root for operators too."""
    settings, now = Settings(jwt_secret=SECRET), int(time.time())
    claims = {"sub": "ann", "aud": "gatefold", "iss": "gatefold", "exp": now + 3600}

    def signed(secret: str = SECRET, **changes: Any) -> str:
        return jwt.encode({"alg": "HS256"}, claims | changes, secret_key(secret))

    ann = mint(settings, "ann")
    head, body, signature = ann.split(".")
    return {
        "ann": ann,
        "bob": mint(settings, "bob"),
        "root": mint(settings, "root", role="admin"),
        "missing": None,
        "expired": signed(exp=now - 1),
        "of another issuer": signed(iss="elsewhere"),
        "for another audience": signed(aud="elsewhere"),
        "signed by another": signed(OTHER),
        "unsigned": f"eyJhbGciOiJub25lIn0.{body}.",
        "signature cut": f"{head}.{body}.{signature[:-4]}",
        "of nobody": signed(sub=""),
        "rubbish": "x",
    }


class Fuzz:
    """Cases of one seed, and how many there were."""

    def __init__(self, url: str, seed: int) -> None:
        self._url, self._seed = url, seed
        self._session = requests.Session()
        document = self._session.get(f"{url}/openapi.json", timeout=10).json()
        del document["paths"]["/api/user/stream"]  # has no end
        for methods in document["paths"].values():
            for operation in methods.values():
                operation.pop("security", None)  # tokens are our part
        self._schema = schemathesis.openapi.from_dict(document, config=schemathesis.Config.from_dict(REFUSED))
        self._checks = CHECKS.get_by_names(list(WANTED))
        self._tokens = tokens()
        self.seen: Counter[str] = Counter()

    def run(self, number: int) -> None:
        """So many cases, right and wrong alike; what takes no parameters is asked once with each token."""
        operations = [result.ok() for result in self._schema.get_all_operations()]
        rich = [one for one in operations if one.query or one.path_parameters or one.body]
        for operation in operations:
            if operation not in rich:
                self._of(operation, GenerationMode.POSITIVE, len(self._tokens))
        # Hypothesis stops early where it finds nothing new to try: another seed then does.
        while (left := number - sum(self.seen.values())) > 0:
            for operation in rich:
                for mode in GenerationMode:
                    self._of(operation, mode, -(-left // (2 * len(rich))))
            self._seed += 1

    def _of(self, operation: Any, mode: GenerationMode, number: int) -> None:
        secured = operation.path.startswith("/api")

        @hypothesis.seed(self._seed)
        @hypothesis.settings(
            max_examples=number,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(generation_mode=mode), st.sampled_from(sorted(self._tokens)))
        def one(case: Case, who: str) -> None:
            self.ask(case, who, secured=secured)

        one()

    def ask(self, case: Case, who: str, *, secured: bool) -> None:
        """One request, and everything that must hold of its answer."""
        token = self._tokens[who]
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        case.headers.pop("Authorization", None)
        answer = case.call(base_url=self._url, headers=headers, session=self._session)
        self.seen[f"{who}: {answer.status_code // 100}xx" if secured else "open"] += 1
        content = answer.content.decode()
        for user in ("ann", "bob"):
            assert who in (user, "root") or mark(user) not in content, f"{who} was told of {user}"
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == [MEDIA_TYPE]
        if secured and who not in GOOD:
            # 413: what is too large is refused before anybody asks who sent it.
            assert answer.status_code in (401, 405, 413), f"a token {who} was answered with {answer.status_code}"
            return
        if case.operation.path.startswith("/api/admin") and who != "root":
            assert answer.status_code in (403, 405, 413), f"{who} was answered with {answer.status_code}"
        case.validate_response(answer, checks=self._checks)


def paged(url: str, user: str, other: str) -> list[str]:
    """Every award of a user, following the cursors; with each of them the other one sees nothing of it."""

    def page(who: str, cursor: str) -> dict[str, Any]:
        query = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
        answer = requests.get(
            f"{url}{LIST}", params=query, headers={"Authorization": f"Bearer {tokens()[who]}"}, timeout=10
        )
        assert answer.status_code == 200
        assert {mark(user), mark(other)} & set(re.findall(r"mark-of-\w+", answer.text)) == {mark(who)}
        found: dict[str, Any] = answer.json()
        return found

    cursor, found = "", []
    while cursor is not None:
        mine = page(user, cursor)
        page(other, cursor)
        found += [award["id"] for award in mine["achievements"]]
        cursor = mine["next_cursor"]
    return found


@pytest.mark.parametrize("number", [2_000, pytest.param(20_000, marks=pytest.mark.long)])
def test_row_34_the_api_asked_by_a_fuzzer(address: str, seed: int, number: int, proof: Proof) -> None:
    fuzz = Fuzz(address, seed)
    fuzz.run(number)
    for user, other in (("ann", "bob"), ("bob", "ann")):
        assert sorted(paged(address, user, other)) == sorted(EARNED)
    asked = sum(fuzz.seen.values())
    assert asked >= number
    for who in tokens():
        good = fuzz.seen[f"{who}: 2xx"]
        assert bool(good) == (who in GOOD), f"{who}: {good} answers"
    proof(34, "the API asked by a fuzzer with tokens of twelve kinds", cases=asked, violations=0)
