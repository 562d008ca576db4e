"""`gatefold api`: the read service."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from services.cli.servers import FOUND, WRONG_USAGE, fail, load_settings


def api(
    host: Annotated[str | None, typer.Option(help="Listen here.  [default: GATEFOLD_API_HOST]")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0 takes a free port.  [default: GATEFOLD_API_PORT]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the address as JSON and log JSON lines.")] = False,
) -> None:
    """Answer the HTTP API until SIGTERM or Ctrl-C.

    Needs one key for tokens: GATEFOLD_JWT_SECRET, GATEFOLD_JWT_PUBLIC_KEY or GATEFOLD_JWT_JWKS_URL.
    PostgreSQL may come later: until then answers are 503.

    Examples:

        gatefold api

        gatefold api --port 0 --json
    """
    settings = load_settings()
    update: dict[str, object] = {}
    if host is not None:
        update["api_host"] = host
    if port is not None:
        update["api_port"] = port
    if as_json:
        update["log_json"] = True
    settings = settings.model_copy(update=update)

    from services.api.keys import KeyConfigurationError
    from services.api.main import serve

    def started(url: str) -> None:
        if as_json:
            typer.echo(json.dumps({"url": url}))

    try:
        serve(settings, started=started)
    except KeyConfigurationError as error:
        fail(str(error), WRONG_USAGE)
    except ValueError as error:
        fail(str(error), WRONG_USAGE)
    except OSError as error:
        fail(f"cannot listen on {settings.api_host}:{settings.api_port}: {error.strerror or error}", FOUND)
