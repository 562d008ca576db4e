"""One log for our lines and the libraries', without floods; health and metrics beside it."""

import asyncio
import io
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from services import logs, metrics
from services.logs import RepeatFilter


@pytest.fixture(autouse=True)
def _root_logger_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def line(name: str, text: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "", 0, text, arguments, None)


def test_repeated_lines_of_chatty_libraries_are_left_out_and_counted() -> None:
    now = 0.0
    kept = RepeatFilter(lines=2, window_seconds=10, clock=lambda: now)
    passed = [kept.filter(line("aiokafka.conn", "node %s is away at 0x%x", n, n)) for n in range(50)]
    assert passed == [True, True] + [False] * 48
    assert kept.filter(line("aiokafka.conn", "something else"))
    now = 10.0
    last = line("aiokafka.conn", "node %s is away at 0x%x", 3, 3)
    assert kept.filter(last)
    assert last.getMessage() == "node 3 is away at 0x3 (48 more like this in 10 s)"


def test_our_own_lines_are_never_left_out() -> None:
    kept = RepeatFilter(lines=1)
    assert all(kept.filter(line("services.relay.main", "same")) for _ in range(20))


def test_libraries_are_heard_when_something_is_wrong() -> None:
    out = io.StringIO()
    logs.configure(process="x", as_json=True, level="INFO", stream=out)
    logging.getLogger("aiokafka.client").info("all is well")
    logging.getLogger("services.worker.consumer").info("[^Worker]: Starting...")
    logging.getLogger("aiokafka.client").warning("a broker is away")
    logs.configure(process="x", as_json=True, level="DEBUG", stream=out)
    logging.getLogger("aiokafka.client").info("details")
    said = [json.loads(text)["event"] for text in out.getvalue().splitlines()]
    assert said == ["a broker is away", "details"]


def test_json_lines_hold_ours_and_the_libraries() -> None:
    out = io.StringIO()
    logs.configure(process="relay", as_json=True, level="info", stream=out)
    logs.logger("services.x").info("published", count=3)
    logging.getLogger("asyncio").warning("slow %s", "callback")
    logs.logger("services.x").debug("not said")
    ours, theirs = [json.loads(text) for text in out.getvalue().splitlines()]
    assert (ours["event"], ours["count"], ours["level"], ours["process"]) == ("published", 3, "info", "relay")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("slow callback", "warning", "asyncio")


def test_text_has_no_colours_where_nobody_sees_them(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    logs.configure(process="x", as_json=False, level="INFO", stream=out)
    logs.logger("a").info("plain", key="value")
    assert "plain" in out.getvalue()
    assert "\x1b" not in out.getvalue()
    monkeypatch.setenv("FORCE_COLOR", "1")
    logs.configure(process="x", as_json=False, level="INFO", stream=out)
    logs.logger("a").info("in colour")
    assert "\x1b" in out.getvalue()


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="GATEFOLD_LOG_LEVEL"):
        logs.configure(process="x", as_json=False, level="LOUD")


async def test_health_answers_even_when_the_loop_is_stuck() -> None:
    async def ready() -> metrics.Answer:
        return True, {"lag": 0}

    def get(path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{endpoint.port}{path}", timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    endpoint = metrics.serve_http("127.0.0.1", 0, health=lambda: (False, {"why": "stuck"}), ready=ready)
    try:
        assert get("/healthz") == (503, b'{"ok": false, "why": "stuck"}')
        status, body = await asyncio.to_thread(get, "/readyz")
        assert (status, json.loads(body)) == (200, {"ok": True, "lag": 0})
        status, body = get("/readyz")
        assert (status, json.loads(body)["ok"]) == (503, False)
        assert b"gatefold_relay_published_total" in get("/metrics")[1]
        assert get("/else")[0] == 404
    finally:
        await asyncio.to_thread(endpoint.close)


def test_metric_names_and_labels_are_ours_and_closed() -> None:
    from prometheus_client import REGISTRY

    ours = [metric for metric in REGISTRY.collect() if metric.name.startswith("gatefold_")]
    assert len(ours) >= 10
    for metric in ours:
        assert metric.documentation.endswith("."), metric.name
        for sample in metric.samples:
            assert not {"user", "user_id", "subject"} & set(sample.labels)


async def test_a_taken_port_is_an_error_or_gives_way_to_any_other() -> None:
    def fine() -> tuple[bool, dict[str, str]]:
        return True, {}

    first = metrics.serve_http("127.0.0.1", 0, health=fine, ready=fine)
    with pytest.raises(metrics.CannotListen, match=f"cannot listen on 127.0.0.1:{first.port}: "):
        metrics.serve_http("127.0.0.1", first.port, health=fine, ready=fine)
    second = metrics.serve_http("127.0.0.1", first.port, health=fine, ready=fine, or_any=True)
    assert second.port not in (0, first.port)
    for endpoint in (first, second):
        await asyncio.to_thread(endpoint.close)
