"""`gatefold token`: a token for demos and tests."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from services.cli.servers import WRONG_USAGE, fail, load_settings


def token(
    user: Annotated[str, typer.Argument(help="User id.", metavar="USER")],
    role: Annotated[str | None, typer.Option(help='Value of the claim `role`; "admin" opens /api/admin.')] = None,
    hours: Annotated[float, typer.Option(min=0.001, max=87600, help="Until it expires.")] = 24.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Print a bearer token for USER, signed with GATEFOLD_JWT_SECRET. For demos and tests.

    Examples:

        gatefold token alice

        curl -H "Authorization: Bearer $(gatefold token alice)" http://127.0.0.1:8100/api/user/achievements
    """
    settings = load_settings()

    from services.api.keys import KeyConfigurationError
    from services.api.tokens import mint

    try:
        minted = mint(settings, user, role=role, hours=hours)
    except (KeyConfigurationError, ValueError) as error:
        fail(str(error), WRONG_USAGE)
    typer.echo(json.dumps({"token": minted, "user": user, "hours": hours}) if as_json else minted)
