"""`gatefold campaign`: badges evaluated for many users at a set rate, and taken back where that was a mistake."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from services.cli import servers
from services.cli.campaign_shown import print_campaign, print_table, print_trial

if TYPE_CHECKING:
    from services.campaigns.sample import Trial
    from services.stores.campaigns import Campaign, Scope
    from services.stores.postgres import Connection

app = typer.Typer(
    help="Evaluate badges for many users at a set rate: start, watch, pause, cancel, take back.", no_args_is_help=True
)

Id = Annotated[str, typer.Argument(help="Its id, as `campaign list` shows it.", metavar="CAMPAIGN")]
Reason = Annotated[str, typer.Option(help="Why.")]
By = Annotated[str, typer.Option(help="Who does it; the account you are logged in with if left out.", metavar="NAME")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
MOST_REASON = 500


@app.command("start")
def start(
    reason: Reason,
    user: Annotated[str, typer.Option(help="All badges of this user.", metavar="U")] = "",
    badge: Annotated[str, typer.Option(help="This badge, for all users.", metavar="KEY")] = "",
    trigger: Annotated[str, typer.Option(help="The badges of this topic, for all users.", metavar="TOPIC")] = "",
    family: Annotated[str, typer.Option(help="The badges of this family, for all users.", metavar="FAMILY")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All badges, for all users.")] = False,
    notify: Annotated[
        Literal["none", "digest", "normal"], typer.Option(help="Tell users of nothing, of one award each, of all.")
    ] = "none",
    rate: Annotated[float, typer.Option(help="Users a second at most.", min=0.001, max=100_000)] = 100.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Evaluate a sample, begin nothing.")] = False,
    sample: Annotated[int, typer.Option(help="Users that --dry-run evaluates.", min=0)] = 100,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Evaluate badges for users who may have earned them long ago. Exit 1: another campaign is at work on one of them.

    The relay sends each user a `cron.sweep`; an award is dated with the day on which its rule was first met.

    Example: gatefold campaign start --family genre-tourist --reason "new badges" --dry-run
    """
    from services.campaigns import acts

    named: list[tuple[Scope, str]] = [("user", user), ("badge", badge), ("trigger", trigger), ("family", family)]
    chosen = [one for one in named if one[1]] + ([("all", "")] if everything else [])
    if len(chosen) != 1:
        raise typer.BadParameter("name one of --user, --badge, --trigger, --family, --all")
    _check_reason(reason)
    scope, value = chosen[0]
    if dry_run:
        print_trial(_run(lambda connection: _try(connection, scope, value, sample)), as_json)
        return

    async def work(connection: Connection) -> Campaign:
        from catalog.index import load_catalog

        return await acts.start(
            connection,
            load_catalog(),
            scope=scope,
            value=value,
            notify=notify,
            rate=rate,
            by=by or _account(),
            reason=reason,
        )

    print_campaign(_run(work), as_json)


@app.command("list")
def list_campaigns(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="The newest.")] = 50, as_json: AsJson = False
) -> None:
    """Show all campaigns, the newest first.

    Example: gatefold campaign list --json | jq -r '.[] | select(.state == "running") | .campaign_id'
    """
    from services.campaigns.shown import shown
    from services.stores import campaigns

    found = _run(lambda connection: campaigns.show(connection, None, limit))
    now = datetime.now(UTC)
    if as_json:
        typer.echo(json.dumps([shown(one, now) for one in found], ensure_ascii=False))
    else:
        print_table([shown(one, now) for one in found])


@app.command("show")
def show(campaign: Id, as_json: AsJson = False) -> None:
    """Show one campaign: how far it is, what it gave, when it will probably end.

    Example: gatefold campaign show 3f0c9c1e-6f0e-4a4b-8f57-2f0a4c6a5a10
    """
    from services.campaigns import acts

    print_campaign(_run(lambda connection: acts.one(connection, campaign)), as_json)


@app.command("pause")
def pause(campaign: Id, by: By = "", as_json: AsJson = False) -> None:
    """Send no more for now; what was sent is done."""
    from services.campaigns import acts

    print_campaign(_run(lambda connection: acts.pause(connection, campaign, by=by or _account())), as_json)


@app.command("resume")
def resume(campaign: Id, by: By = "", as_json: AsJson = False) -> None:
    """Go on with a paused campaign where it was."""
    from services.campaigns import acts

    print_campaign(_run(lambda connection: acts.resume(connection, campaign, by=by or _account())), as_json)


@app.command("cancel")
def cancel(campaign: Id, by: By = "", as_json: AsJson = False) -> None:
    """End a campaign; what it gave stands."""
    from services.campaigns import acts

    print_campaign(_run(lambda connection: acts.cancel(connection, campaign, by=by or _account())), as_json)


@app.command("rollback")
def rollback(
    campaign: Id,
    reason: Reason,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be revoked.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Revoke the awards that a campaign gave and that stand; a running one stops.

    They are not given again but by hand.

    Example: gatefold campaign rollback 3f0c9c1e-6f0e-4a4b-8f57-2f0a4c6a5a10 --reason "wrong rule" --dry-run
    """
    from services.campaigns import acts

    _check_reason(reason)
    awards, users = _run(lambda connection: acts.at_stake(connection, campaign))
    if dry_run:
        told = json.dumps({"dry_run": True, "awards": awards, "users": users})
        typer.echo(told if as_json else f"{awards:,} awards of {users:,} users would be revoked")
        return
    if not yes:
        servers.say(f"{awards:,} awards of {users:,} users will be revoked, and each told on badge.revoked", style="")
        if not sys.stdin.isatty() or not typer.confirm("revoke them?", err=True):
            servers.fail("nothing was done; --yes does it without asking")

    async def work(connection: Connection) -> Campaign:
        return await acts.rollback(connection, campaign, by=by or _account(), reason=reason)

    print_campaign(_run(work), as_json)


def _run(work: Callable[[Connection], Awaitable[Any]]) -> Any:
    """What the work answers; ends the command where it is not possible."""
    from services.campaigns.acts import Overlap, UnknownCampaign, WrongState
    from services.campaigns.scope import NothingToEarn, UnknownScope

    async def ask() -> Any:
        async with servers.postgres(servers.load_settings(), "campaign") as connection:
            return await work(connection)

    try:
        return servers.run(ask())
    except (UnknownCampaign, UnknownScope, NothingToEarn, WrongState, Overlap) as error:
        servers.fail(str(error))


async def _try(connection: Connection, scope: Scope, value: str, sample: int) -> Trial:
    from catalog.index import load_catalog
    from services.campaigns.sample import trial
    from services.campaigns.scope import target
    from services.worker.work import Knowledge

    catalog = load_catalog()
    wanted = await target(connection, catalog, scope, value)
    return await trial(connection, Knowledge(catalog, erasure_key=b"", owner="campaign"), wanted, sample)


def _check_reason(reason: str) -> None:
    if not 1 <= len(reason) <= MOST_REASON or "\x00" in reason:
        raise typer.BadParameter(f"1 to {MOST_REASON} characters", param_hint="--reason")


def _account() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
