"""Alarms and dashboard: every query asks for what there is, every alarm fires when it must and is explained."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deploy.names import DEPLOY, grouped, read, samples, series

RULES: list[dict[str, Any]] = read("prometheus/alerts.yaml")["groups"][0]["rules"]  # type: ignore[index]
CASES: list[dict[str, Any]] = read("prometheus/alerts.test.yaml")["tests"]  # type: ignore[index]
PANELS = json.loads((DEPLOY / "grafana/dashboards/gatefold.json").read_text(encoding="utf-8"))["panels"]
QUERIES = [rule["expr"] for rule in RULES] + [target["expr"] for panel in PANELS for target in panel["targets"]]
OPERATIONS = (DEPLOY.parent / "docs/operations.md").read_text(encoding="utf-8")
PROMTOOL = os.environ.get("PROMTOOL") or shutil.which("promtool")


@pytest.mark.parametrize("query", QUERIES)
def test_every_query_asks_for_what_there_is(query: str) -> None:
    known, asked = samples(), series(query)
    assert asked
    for name, labels in asked.items():
        assert name in known, name
        assert labels <= known[name], name
    assert grouped(query) <= set().union(*(known[name] for name in asked))


def test_panels_do_not_lie_on_each_other() -> None:
    taken = {
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y): panel["title"]
        for panel in PANELS
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    }
    assert len(taken) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in PANELS)
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alarm_is_explained_and_has_cases_of_both_kinds(rule: dict[str, Any]) -> None:
    path, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert path == "docs/operations.md"
    assert re.search(rf"^### {rule['alert']}$", OPERATIONS, re.MULTILINE)
    assert anchor == rule["alert"].lower()
    expected = [
        bool(tried["exp_alerts"])
        for case in CASES
        for tried in case["alert_rule_test"]
        if tried["alertname"] == rule["alert"]
    ]
    assert set(expected) == {False, True}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: PROMTOOL names it")
def test_alarms_fire_when_they_must(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(PROMTOOL), "test", "rules", str(DEPLOY / "prometheus/alerts.test.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done = subprocess.run(
        [str(PROMTOOL), "check", "config", str(DEPLOY / "prometheus/prometheus.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
