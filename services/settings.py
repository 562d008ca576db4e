"""Everything that can be set, in one typed class: `GATEFOLD_<NAME>` in the environment."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services import addresses


class Settings(BaseSettings):
    """What a process needs to know. Durations carry their unit in the name.

    Raises:  pydantic.ValidationError naming the variable that is wrong.
    """

    model_config = SettingsConfigDict(env_prefix="GATEFOLD_", extra="ignore", frozen=True, hide_input_in_errors=True)

    postgres_url: Annotated[str, AfterValidator(addresses.postgres)] = Field(
        "postgresql://postgres@127.0.0.1:5432/gatefold", description="PostgreSQL 15 or newer."
    )
    postgres_admin_url: Annotated[str, AfterValidator(addresses.postgres)] | None = Field(
        None, description="The same database for what /api/admin writes, with the role gatefold_admin; else as above."
    )
    kafka_url: str = Field(
        "kafka://127.0.0.1:9092", pattern="^[^@]*$", description="Bootstrap servers, comma separated."
    )
    neo4j_url: Annotated[str, AfterValidator(addresses.neo4j)] = Field(
        "bolt://127.0.0.1:7687", description="Neo4j, for the graph lane alone; as bolt://user:password@host:port."
    )

    topic_prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9._-]{0,64}$", description="Put before every topic and group name."
    )
    topic_partitions: Annotated[int, Field(ge=1, le=1024)] = Field(
        8, description="Of every input topic alike, so that partition n of all of them is with one worker."
    )
    topic_replication: Annotated[int, Field(ge=1, le=9)] = Field(1, description="Copies of each partition.")

    group: str = Field("gatefold", description="Consumer group of the workers.")
    bundle_records: Annotated[int, Field(ge=1, le=2000)] = Field(
        1000, description="Records in a bundle at most, that is in one transaction."
    )
    bundle_bytes: Annotated[int, Field(ge=10_000)] = Field(
        1_500_000, description="Bytes in a transaction at most, unless one record is larger: pages are heavy."
    )
    worker_lanes: Annotated[int, Field(ge=1, le=16)] = Field(
        4, description="Bundles in flight at once, of different partitions, each over a connection of its own."
    )
    session_seconds: Annotated[float, Field(ge=1, le=50)] = Field(
        20.0, description="Silence after which a worker counts as dead and its partitions go to others."
    )
    brake_in_a_row: Annotated[int, Field(ge=1)] = Field(
        50, description="Dead letters in a row after which workers stop: see the brake in docs/operations.md."
    )
    brake_percent: Annotated[float, Field(gt=0, le=100)] = Field(
        5.0, description="Dead letters among the last 1,000 records after which workers stop; 100 switches this off."
    )
    evaluation_budget_seconds: Annotated[float, Field(gt=0)] = Field(
        0.0005, description="What one evaluation of a badge may take on average before its family is an alarm."
    )
    scratch: str = Field(
        default_factory=lambda: str(Path(tempfile.gettempdir()) / "gatefold"),
        description="Where Faust may put files; nothing in it matters.",
    )
    worker_host: str = Field("127.0.0.1", description="Where the worker serves /metrics, /healthz and /readyz.")
    worker_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8101, description="0 takes a free port; left unset, a free port serves where this one is taken."
    )
    relay_host: str = Field("127.0.0.1", description="Where the relay serves /metrics, /healthz and /readyz.")
    relay_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8102, description="0 takes a free port; left unset, a free port serves where this one is taken."
    )
    relay_batch: Annotated[int, Field(ge=1, le=5000)] = Field(500, description="Messages in flight at most.")
    holders_seconds: Annotated[float, Field(gt=0)] = Field(
        60.0, description="Pause between counts of badge holders; never less than 20 times what a count takes."
    )

    news_rate: Annotated[float, Field(gt=0)] = Field(
        100.0, description="Users a second at most that are swept because the catalogue has changed."
    )

    scheduler_host: str = Field("127.0.0.1", description="Where the scheduler serves /metrics, /healthz and /readyz.")
    scheduler_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8104, description="0 takes a free port; left unset, a free port serves where this one is taken."
    )
    cron_hour: Annotated[int, Field(ge=0, le=23)] = Field(0, description="Hour, in UTC, from which daily jobs are due.")
    cron_rate: Annotated[float, Field(gt=0)] = Field(
        100.0, description="Users a second at most that the scheduler tells of an anniversary or sweeps."
    )
    prune_identities_days: Annotated[int, Field(ge=15)] = Field(
        30, description="Identities of events are kept for so many days: more than records are in the topics."
    )
    prune_letters_days: Annotated[int, Field(ge=1)] = Field(
        90, description="Dead letters that were sent again are kept for so many days."
    )

    graph_host: str = Field("127.0.0.1", description="Where the graph lane serves /metrics, /healthz and /readyz.")
    graph_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8103, description="0 takes a free port; left unset, a free port serves where this one is taken."
    )
    graph_processes: Annotated[int, Field(ge=1, le=64)] = Field(
        2, description="Collections that one lane measures at a time, each in a process of its own."
    )
    graph_query_seconds: Annotated[float, Field(gt=0, le=600)] = Field(
        10.0, description="What Neo4j may take for the collaborations of one collection."
    )

    notifier_host: str = Field("127.0.0.1", description="Where the notifier serves /metrics, /healthz and /readyz.")
    notifier_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8105, description="0 takes a free port; left unset, a free port serves where this one is taken."
    )
    notifier_group: str = Field("gatefold-notifier", description="Consumer group of the notifiers.")
    notifier_webhook_url: Annotated[SecretStr, AfterValidator(addresses.web)] | None = Field(
        None, description="Where notices are posted; http or https."
    )
    notifier_secret: SecretStr | None = Field(None, description="Signs webhooks: 32 bytes or more.")
    notifier_smtp_url: Annotated[SecretStr, AfterValidator(addresses.smtp)] | None = Field(
        None, description="Instead of webhooks a server for mails: smtp://user:password@host:port, or smtps://."
    )
    notifier_mail_from: str = Field("", description="Sender of mails.")
    notifier_mail_to: str = Field("", description="Address of a user's mails, as {user_id}@users.example.")
    notifier_page: str = Field("", description="The page that mails point to; empty: none.")
    notifier_quiet_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        5.0, description="What a user earns within so many seconds of each other is one notice; at most 12 times that."
    )
    notifier_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        16, description="Attempts to deliver a notice, over some five hours; then it is dead."
    )
    notifier_seconds: Annotated[float, Field(gt=0, le=60)] = Field(10.0, description="What one attempt may take.")

    api_host: str = Field("127.0.0.1", description="Where the read service listens.")
    api_port: Annotated[int, Field(ge=0, le=65535)] = Field(8100, description="0 takes a free port.")
    api_rate_address: Annotated[str, AfterValidator(addresses.rate)] = Field(
        "1200/minute", description="Requests of one address to one api process, as `20/second`; empty: no limit."
    )
    api_rate_user: Annotated[str, AfterValidator(addresses.rate)] = Field(
        "600/minute", description="Requests with one user's tokens to one api process; empty: no limit."
    )
    api_kept_bytes: Annotated[int, Field(ge=0)] = Field(
        32_000_000, description="Answers that one api process keeps in case they are asked for again; 0: none."
    )
    api_streams: Annotated[int, Field(ge=0)] = Field(2000, description="Open streams of one api process at most.")
    api_streams_user: Annotated[int, Field(ge=1)] = Field(
        6, description="Of them one user's at most: browsers open no more to one host over HTTP/1."
    )
    api_rate_share: Annotated[str, AfterValidator(addresses.rate)] = Field(
        "120/minute", description="Requests of one address for what is shared, to one api process; empty: no limit."
    )
    api_public_url: Annotated[str, AfterValidator(addresses.site)] | None = Field(
        None, description="Where visitors reach the api, as https://badges.example; else as they asked."
    )
    embed_origins: Annotated[str, AfterValidator(addresses.sites)] = Field(
        "", description="Sites that may frame and read shared profiles, as https://app.example, comma separated."
    )
    api_proxies: str = Field(
        "127.0.0.1", description="Addresses of proxies whose X-Forwarded-For tells who asks, comma separated."
    )
    jwt_secret: SecretStr | None = Field(None, description="HS256 secret, 32 bytes or more.")
    jwt_public_key: str | None = Field(None, description="RS256 or ES256 public key, PEM.")
    jwt_jwks_url: str | None = Field(None, description="Where the key set lives, instead of a key.")
    jwt_audience: str = Field("gatefold", description="`aud` that a token must name.")
    jwt_issuer: str = Field("gatefold", description="`iss` that a token must name.")

    pages_secure: bool = Field(
        True, description="The session cookie goes over TLS and to this machine only; false allows plain HTTP."
    )
    pages_origins: str = Field(
        "",
        description="Origins of other sites whose forms may sign a user in, as https://app.example, comma separated.",
    )

    erasure_key: SecretStr = Field(
        SecretStr("gatefold"), description="Keys the hash that a deleted user leaves. Set it once, never change it."
    )
    log_json: bool = Field(False, description="One JSON object per log line instead of text.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @property
    def bootstrap(self) -> str:
        """Kafka's servers as clients want them: `host:port,host:port`."""
        return ",".join(part.strip().split("://", 1)[-1].rstrip("/") for part in self.kafka_url.split(","))

    def topic(self, name: str) -> str:
        """Name of the Kafka topic that carries events of type `name`."""
        return self.topic_prefix + name


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
