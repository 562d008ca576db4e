"""The Helm chart: rendered where helm can be had, and always held against settings, ports and its own values."""

import json
import os
import re
import shutil
import subprocess
from typing import Any

import jsonschema_rs
import pytest
import yaml

from services.settings import Settings
from tests.unit.deploy.names import DEPLOY, SETTINGS, commands, read

CHART = DEPLOY / "chart"
TEMPLATES = {path.name: path.read_text(encoding="utf-8") for path in sorted((CHART / "templates").iterdir())}
VALUES: dict[str, Any] = read("chart/values.yaml")  # type: ignore[assignment]
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
HELM = os.environ.get("HELM") or shutil.which("helm")
needs_helm = pytest.mark.skipif(HELM is None, reason="helm is not installed: HELM names it")


def test_the_values_are_as_their_schema_says() -> None:
    jsonschema_rs.validate(SCHEMA, VALUES)
    for wrong in ({"existingSecret": ""}, {"kafka": {**VALUES["kafka"], "partitions": 0}}, {"unknown": 1}):
        with pytest.raises(jsonschema_rs.ValidationError):
            jsonschema_rs.validate(SCHEMA, VALUES | wrong)


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_name_values_and_settings_that_exist(name: str) -> None:
    for path in re.findall(r"\.Values\.([\w.]+)", TEMPLATES[name]):
        value: Any = VALUES
        for part in path.split("."):
            if part.startswith("GATEFOLD_"):
                assert part in SETTINGS
                break
            assert part in value, path
            value = value[part]
    assert set(re.findall(r"GATEFOLD_\w+", TEMPLATES[name])) <= SETTINGS


def test_ports_and_commands_are_those_of_the_processes() -> None:
    (ports,) = re.findall(r"dict ((?:\"\w+\" \d+ ?)+)", TEMPLATES["processes.yaml"])
    settings = Settings()
    assert dict(re.findall(r"\"(\w+)\" (\d+)", ports)) == {
        "api": str(settings.api_port),
        "worker": str(settings.worker_port),
        "relay": str(settings.relay_port),
        "scheduler": str(settings.scheduler_port),
        "graph": str(settings.graph_port),
        "notifier": str(settings.notifier_port),
    }
    (jobs,) = re.findall(r"list ((?:\"\w+\" ?)+)", TEMPLATES["jobs.yaml"])
    assert {*re.findall(r"\w+", jobs), "api", "worker", "relay", "scheduler", "graph", "notifier"} <= commands()


def rendered(*arguments: str) -> dict[tuple[str, str], dict[str, Any]]:
    done = subprocess.run(
        [str(HELM), "template", "badges", str(CHART), "--kube-version", "1.31", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout) if one}


@needs_helm
def test_helm_finds_nothing_wrong() -> None:
    done = subprocess.run([str(HELM), "lint", "--strict", str(CHART)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_helm
def test_what_helm_makes_of_it() -> None:
    found = rendered(
        *("--set", "monitoring.enabled=true", "--set", "kafka.topicPrefix=eu.", "--set", "notifier.enabled=true")
    )
    for process in ("worker", "relay", "scheduler", "api", "graph", "notifier"):
        pod = found["Deployment", f"badges-{process}"]["spec"]["template"]
        (container,) = pod["spec"]["containers"]
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "startup")} == {"/healthz"}
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert all("secretKeyRef" in one["valueFrom"] for one in container["env"] if "value" not in one)
        assert {one["name"] for one in container["env"]} <= SETTINGS
        assert {one["name"]: one["mountPath"] for one in container["volumeMounts"]} == {"tmp": "/tmp"}
        budget = found["PodDisruptionBudget", f"badges-{process}"]["spec"]
        assert budget["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    scaled = found["ScaledObject", "badges-worker"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == "badges-worker"
    assert scaled["maxReplicaCount"] <= VALUES["kafka"]["partitions"]
    assert scaled["triggers"][0]["metadata"]["consumerGroup"] == "eu.gatefold"
    assert "replicas" not in found["Deployment", "badges-worker"]["spec"]
    assert found["PrometheusRule", "badges"]["spec"] == read("prometheus/alerts.yaml")
    for job in ("migrate", "topics"):
        assert "pre-upgrade" in found["Job", f"badges-{job}"]["metadata"]["annotations"]["helm.sh/hook"]
    without = rendered("--set", "keda.enabled=false", "--set", "graph.enabled=false")
    assert not {("Deployment", "badges-graph"), ("Deployment", "badges-notifier")} & without.keys()
    assert without["Deployment", "badges-worker"]["spec"]["replicas"] == 2
    assert not [kind for kind, _ in without if kind in ("ScaledObject", "PrometheusRule", "NetworkPolicy")]


@needs_helm
def test_a_network_policy_without_peers_lets_nobody_in() -> None:
    """`ingress: [{from: []}]` would let in everybody."""
    closed = rendered("--set", "networkPolicy.enabled=true")["NetworkPolicy", "badges"]["spec"]
    assert closed["policyTypes"] == ["Ingress"]
    assert "ingress" not in closed
    peer = "networkPolicy.from[0].podSelector.matchLabels.app"
    opened = rendered("--set", "networkPolicy.enabled=true", "--set", f"{peer}=proxy")["NetworkPolicy", "badges"][
        "spec"
    ]
    assert opened["ingress"][0]["from"] == [{"podSelector": {"matchLabels": {"app": "proxy"}}}]
