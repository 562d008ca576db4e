"""What the service says of itself: OpenAPI, and the page made of it."""

from __future__ import annotations

import json
import re

import httpx

from services.api.admin_trials import DryRunBody, SimulateBody
from services.api.models.achievements import AchievementDetail, AchievementList, ProgressList, Summary
from services.api.models.health import Health, Ready
from services.api.models.missing import MissingList
from services.api.models.problem import ProblemBody
from services.api.models.shares import Shared, SharedList
from services.api.models.trials import DryRun, Simulation, WhatIf
from services.api.models.why import Why
from services.api.problems import KINDS
from services.api.shares import ShareBody
from services.trial.what_if import Change
from tests.integration.api.world import LIST, PROGRESS, SUMMARY

BODIES = {model.__name__: model for model in (Change, DryRunBody, ShareBody, SimulateBody)}


async def test_openapi_has_an_example_of_every_answer_and_they_fit_the_models(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    stream = document["paths"].pop("/api/user/stream")["get"]  # has no end, and so no model
    assert "event: awarded\ndata: " in stream["responses"]["200"]["content"]["text/event-stream"]["example"]
    models = {
        ("get", LIST): AchievementList,
        ("get", PROGRESS): ProgressList,
        ("get", SUMMARY): Summary,
        ("get", f"{LIST}/{{achievement_id}}"): AchievementDetail,
        ("get", f"{LIST}/{{achievement_id}}/missing"): MissingList,
        ("get", f"{LIST}/{{achievement_id}}/why"): Why,
        ("post", f"{LIST}/what-if"): WhatIf,
        ("get", "/api/user/shares"): SharedList,
        ("post", "/api/user/shares"): Shared,
        ("delete", "/api/user/shares/{token}"): None,
        ("get", "/api/admin/users/{user_id}/achievements/{achievement_id}/why"): Why,
        ("post", "/api/admin/dry-run"): DryRun,
        ("post", "/api/admin/simulate"): Simulation,
        ("get", "/healthz"): Health,
        ("get", "/readyz"): Ready,
    }
    found = {(method, path): one for path, methods in document["paths"].items() for method, one in methods.items()}
    assert set(found) == set(models)
    for (method, path), model in models.items():
        operation = found[method, path]
        answers = operation["responses"]
        if model is None:
            assert "content" not in answers["204"]
        else:
            model.model_validate(answers["200"]["content"]["application/json"]["example"])
        for status, answer in answers.items():
            if int(status) >= 400:
                content = answer["content"]["application/problem+json"]
                assert ProblemBody.model_validate(content["example"]).status == int(status)
        assert ("security" in operation) == path.startswith("/api/")
        if (body := operation.get("requestBody")) is not None:
            content = body["content"]["application/json"]
            BODIES[content["schema"]["$ref"].rpartition("/")[2]].model_validate(content["example"])
    schemas = document["components"]["schemas"]
    used = json.dumps(document).split('"#/components/schemas/')[1:]
    assert {part.split('"')[0] for part in used} <= set(schemas)


async def test_docs_is_one_page_that_loads_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert set(re.findall("(?:href|src)=([^ >]*)", answer.text)) == {'"/openapi.json"'}
    for loading in ("<script", "<link", "url(", "@import"):
        assert loading not in answer.text
    assert "GET /api/user/achievements/progress" in answer.text
    for kind in KINDS:
        assert f'id="{kind.slug}"' in answer.text
