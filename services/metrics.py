"""Every metric, with its type and meaning, and the port that shows them.

Names begin with `gatefold_`, units are seconds, rows, records and bytes, labels come from closed sets: never a user id.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias, get_args

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

from contracts.events.rejection import Stage
from services.logs import logger

# --- relay -----------------------------------------------------------------------------------------------------------

RELAY_LEADER = Gauge("gatefold_relay_leader", "1 while this relay is the one that publishes, 0 while it stands by.")
RELAY_PUBLISHED = Counter("gatefold_relay_published_total", "Messages that Kafka acknowledged.", ["topic"])
RELAY_REFUSED = Counter("gatefold_relay_refused_total", "Messages that Kafka refused for good.", ["topic"])
RELAY_RETRIES = Counter(
    "gatefold_relay_retries_total", "Rounds given up because a server was away.", ["server"]
)  # kafka, postgres
RELAY_ROUND_SECONDS = Histogram(
    "gatefold_relay_round_seconds",
    "From reading outbox rows to deleting the acknowledged ones.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30),
)
OUTBOX_UNSENT = Gauge("gatefold_outbox_unsent_rows", "Messages waiting for Kafka; the leader reports, others say 0.")
OUTBOX_FAILED = Gauge("gatefold_outbox_failed_rows", "Messages that Kafka refused; the leader reports, others say 0.")
OUTBOX_OLDEST_SECONDS = Gauge(
    "gatefold_outbox_oldest_unsent_seconds", "Age of the oldest message waiting; the leader reports, others say 0."
)
NEWS_UNTOLD = Gauge("gatefold_news_untold", "News of the catalogue whose owners were not all told yet.")
NEWS_SWEEPS = Counter("gatefold_news_sweeps_total", "Users who were sent a sweep because the catalogue changed.")
CAMPAIGNS = Gauge("gatefold_campaigns", "Campaigns that run or take awards back.")
CAMPAIGN_SWEEPS = Counter("gatefold_campaign_sweeps_total", "Users who were sent a sweep by a campaign.")
CAMPAIGN_REVOKED = Counter("gatefold_campaign_revoked_total", "Awards that rollbacks of campaigns took back.")
HOLDERS_SECONDS = Gauge("gatefold_holders_count_seconds", "What the last count of badge holders took.")

# --- scheduler -------------------------------------------------------------------------------------------------------

SCHEDULER_LEADER = Gauge("gatefold_scheduler_leader", "1 while this scheduler is the one that works, else 0.")
CRON_RUNS = Counter(
    "gatefold_cron_runs_total", "Runs of the scheduler's jobs by what became of them.", ["name", "result"]
)
CRON_RESULTS = ("done", "failed")
CRON_SUCCEEDED = Gauge(
    "gatefold_cron_last_success_timestamp_seconds", "When a job last succeeded; 0 where it never did.", ["name"]
)
CRON_SECONDS = Histogram(
    "gatefold_cron_run_seconds",
    "From the beginning of a run to its end, pauses and interruptions included.",
    ["name"],
    buckets=(0.1, 1, 10, 60, 600, 3600, 4 * 3600, 12 * 3600, 86400),
)

ALARM = Gauge("gatefold_alarm", "1 while an alarm stands; the leader reports.", ["kind", "subject"])
_shown: set[tuple[str, str]] = set()


def show_alarms(standing: Iterable[tuple[str, str]]) -> None:
    """Show the alarms that stand, by kind and subject, and no other."""
    now = set(standing)
    for name in _shown - now:
        ALARM.remove(*name)
    for name in now - _shown:
        ALARM.labels(*name).set(1)
    _shown.clear()
    _shown.update(now)


# --- graph lane ------------------------------------------------------------------------------------------------------

GRAPH_DUE = Gauge("gatefold_graph_due_rows", "Users who are due to be measured, in all lanes together.")
GRAPH_OLDEST_SECONDS = Gauge("gatefold_graph_oldest_due_seconds", "For how long the first of them has been due.")
GRAPH_EVALUATED = Counter("gatefold_graph_evaluated_total", "Due users by what became of them.", ["fate"])
GRAPH_FATES = ("measured", "unknown", "gone", "changed", "no_graph")
GRAPH_FAILURES = Counter("gatefold_graph_failures_total", "Attempts that failed and are made again.", ["server"])
GRAPH_SERVERS = ("neo4j", "postgres", "kafka", "measuring")
GRAPH_SECONDS = Histogram(
    "gatefold_graph_seconds",
    "From claiming a user to the commit of what was measured.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
GRAPH_BREAKER = Gauge("gatefold_graph_breaker", "1 while Neo4j is left alone because it does not answer.")

# --- live streams ----------------------------------------------------------------------------------------------------

LIVE_STREAMS = Gauge("gatefold_live_streams", "Streams that are open in this api process.")
LIVE_ENDED = Counter("gatefold_live_ended_total", "Streams that ended, by why.", ["why"])
LIVE_ENDINGS = ("left", "slow", "over", "shutdown")
LIVE_DIGESTS = Counter("gatefold_live_digests_total", "Digests of new awards that streams were sent.")
LIVE_LISTENING = Gauge("gatefold_live_listening", "1 while this api process reads badge.awarded for its streams.")
LIVE_LAG_SECONDS = Gauge("gatefold_live_lag_seconds", "Age of the newest message of badge.awarded when it was read.")

# --- notifier --------------------------------------------------------------------------------------------------------

NOTIFIER_READ = Counter("gatefold_notifier_read_total", "Messages of badge.awarded by what became of them.", ["fate"])
NOTIFIER_READ_FATES = ("new", "duplicate", "quiet", "invalid")
NOTICES = Counter("gatefold_notices_total", "Attempts to deliver a notice by what became of them.", ["fate"])
NOTICE_FATES = ("sent", "again", "dead", "empty")
NOTICES_WAITING = Gauge("gatefold_notices_waiting", "Notices that are gathered or wait for an attempt.")
NOTICES_OLDEST_SECONDS = Gauge("gatefold_notices_oldest_due_seconds", "For how long the first of them has been due.")
NOTICES_DEAD = Gauge("gatefold_notices_dead", "Notices on the dead list.")
NOTIFIER_SECONDS = Histogram(
    "gatefold_notifier_attempt_seconds",
    "What one attempt to deliver took.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)

# --- worker ----------------------------------------------------------------------------------------------------------

EVENTS = Counter("gatefold_events_total", "Records by what became of them.", ["topic", "fate"])
FATES = ("processed", "duplicate", "dead", "skipped")  # skipped: delivered again by Kafka
CONFLICTING = Counter("gatefold_conflicting_duplicates_total", "Duplicates with other data than the first.", ["topic"])
DEAD = Counter("gatefold_dead_letters_total", "Records that could not be accepted, by stage reached.", ["stage"])
AWARDED = Counter("gatefold_awards_total", "Awards given and told, by family of the badge.", ["family"])
EVALUATIONS = Counter("gatefold_evaluations_timed_total", "Evaluations of badges that were timed.", ["family"])
EVALUATION_SECONDS = Counter("gatefold_evaluation_seconds_total", "What these evaluations took.", ["family"])
EVALUATION_BUDGET = Gauge("gatefold_evaluation_budget_seconds", "What one evaluation may take on average.")
DRIFT = Counter("gatefold_drift_total", "Counters that a sweep found wrong and repaired.")
BUNDLE_SECONDS = Histogram(
    "gatefold_bundle_seconds",
    "From a bundle's bytes to its commit.",
    ["topic"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
BUNDLE_RETRIES = Counter("gatefold_bundle_retries_total", "Attempts that failed and were made again.", ["error"])
LAG = Gauge("gatefold_lag_records", "Records of the assigned partitions that are not processed yet.", ["topic"])
EVENT_AGE_SECONDS = Gauge("gatefold_event_age_seconds", "Age of the newest event of the last bundle, at its commit.")
ASSIGNED = Gauge("gatefold_assigned_partitions", "Partitions that this worker has.")
BRAKE = Gauge("gatefold_brake", "1 while a flood of dead letters keeps this worker from consuming.")
HOLES = Counter("gatefold_holes_total", "Offsets that the log no longer held when they were due.", ["topic"])


def begin_at_zero(topics: Iterable[str], families: Iterable[str]) -> None:
    """Show a worker's counters from its start: of a series that appears with its first event, alarms miss that one."""
    for topic in topics:
        for fate in FATES:
            EVENTS.labels(topic, fate)
        CONFLICTING.labels(topic)
        HOLES.labels(topic)
    for stage in get_args(Stage):
        DEAD.labels(stage)
    for family in families:
        AWARDED.labels(family)
        EVALUATIONS.labels(family)
        EVALUATION_SECONDS.labels(family)


def begin_graph_at_zero(families: Iterable[str]) -> None:
    """The same for the counters of a graph lane."""
    for fate in GRAPH_FATES:
        GRAPH_EVALUATED.labels(fate)
    for server in GRAPH_SERVERS:
        GRAPH_FAILURES.labels(server)
    for family in families:
        AWARDED.labels(family)


def begin_notifier_at_zero() -> None:
    """The same for the counters of a notifier."""
    for fate in NOTIFIER_READ_FATES:
        NOTIFIER_READ.labels(fate)
    for fate in NOTICE_FATES:
        NOTICES.labels(fate)


# --- health and metrics over HTTP ------------------------------------------------------------------------------------

Answer: TypeAlias = "tuple[bool, Mapping[str, Any]]"
READY_SECONDS = 3.0


class CannotListen(Exception):
    """The port for metrics and health is not to be had."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A running health and metrics server: `port` is the bound one."""

    port: int
    _server: ThreadingHTTPServer
    _thread: threading.Thread

    def close(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()


def serve_http(
    host: str,
    port: int,
    *,
    health: Callable[[], Answer],
    ready: Callable[[], Answer | Awaitable[Answer]],
    or_any: bool = False,
) -> Endpoint:
    """Serve /metrics, /healthz and /readyz from a thread, so that a stuck event loop is seen and not suffered.

    Shape:   `health` runs in the thread and must only look; `ready` may be a coroutine function, it then runs in the
             loop that called `serve_http` and counts as "not ready" when that takes longer than READY_SECONDS.
             `or_any`: where the port is taken, any free one will do.
    Raises:  CannotListen where the port is taken.
    """
    try:
        loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
    except RuntimeError:
        loop = None

    def ask(question: Callable[[], Answer | Awaitable[Answer]]) -> Answer:
        try:
            answer = question()
            if isinstance(answer, tuple):
                return answer
            if loop is None:
                raise RuntimeError("a coroutine needs the loop that serve_http was called in")

            async def wait(pending: Awaitable[Answer]) -> Answer:
                return await pending

            future = asyncio.run_coroutine_threadsafe(wait(answer), loop)
            try:
                return future.result(READY_SECONDS)
            except TimeoutError:
                future.cancel()
                return False, {"error": f"no answer within {READY_SECONDS:g} s"}
        except Exception as error:
            return False, {"error": f"{type(error).__name__}: {error}"}

    class Handler(BaseHTTPRequestHandler):
        server_version = "gatefold"
        sys_version = ""
        timeout = 10

        def do_GET(self) -> None:
            path = self.path.split("?", 1)[0]
            if path == "/metrics":
                self._send(200, CONTENT_TYPE_LATEST, generate_latest())
            elif path in ("/healthz", "/readyz"):
                good, facts = ask(health if path == "/healthz" else ready)
                body = json.dumps({"ok": good, **facts}, default=str).encode()
                self._send(200 if good else 503, "application/json", body)
            else:
                self._send(404, "text/plain; charset=utf-8", b"/metrics, /healthz or /readyz\n")

        def _send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Probes are no news."""

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        if not or_any:
            raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="health", daemon=True)
    thread.start()
    bound = int(server.server_address[1])
    logger(__name__).info("health and metrics", url=f"http://{host}:{bound}", paths="/healthz /readyz /metrics")
    return Endpoint(bound, server, thread)
