"""`gatefold`: the command line, assembled from one module per group; heavy imports wait until a command runs."""

from __future__ import annotations

import typer

from services.cli import (
    alarms,
    api,
    award,
    campaign,
    catalog,
    catalogue,
    cron,
    dead_letters,
    demo,
    dry_run,
    emit,
    explain,
    export,
    graph,
    import_,
    look,
    migrate,
    missing,
    notifier,
    prune,
    recount,
    relay,
    scheduler,
    simulate,
    stack,
    status,
    token,
    topics,
    up,
    wait,
    what_if,
    why,
    worker,
)

app = typer.Typer(
    name="gatefold",
    help="Badges for record collectors: events in, awards out, every verdict explained.\n\n"
    "Settings are GATEFOLD_* variables. Exit codes: 0 done, 1 found something wrong, 2 wrong usage, "
    "69 a server is unreachable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)

app.command("demo", rich_help_panel="Start here")(demo.demo)
app.command("up", rich_help_panel="Start here")(up.up)
app.add_typer(stack.app, name="stack", rich_help_panel="Start here")
app.add_typer(worker.app, name="worker", rich_help_panel="Processes")
app.command("relay", rich_help_panel="Processes")(relay.relay)
app.command("scheduler", rich_help_panel="Processes")(scheduler.scheduler)
app.add_typer(graph.app, name="graph", rich_help_panel="Processes")
app.add_typer(notifier.app, name="notifier", rich_help_panel="Processes")
app.command("api", rich_help_panel="Processes")(api.api)
app.command("migrate", rich_help_panel="Set up")(migrate.migrate)
app.command("topics", rich_help_panel="Set up")(topics.topics)
app.command("emit", rich_help_panel="Events in")(emit.emit)
app.command("import", rich_help_panel="Events in")(import_.import_file)
app.add_typer(campaign.app, name="campaign", rich_help_panel="Operate")
app.add_typer(catalogue.app, name="catalogue", rich_help_panel="Operate")
app.command("status", rich_help_panel="Operate")(status.status)
app.command("wait", rich_help_panel="Operate")(wait.wait)
app.command("recount", rich_help_panel="Operate")(recount.recount)
app.command("prune", rich_help_panel="Operate")(prune.prune)
app.add_typer(cron.app, name="cron", rich_help_panel="Operate")
app.add_typer(dead_letters.app, name="dead-letters", rich_help_panel="Operate")
app.add_typer(award.app, name="award", rich_help_panel="Operate")
app.command("explain", rich_help_panel="Look")(explain.explain)
app.command("why", rich_help_panel="Look")(why.why)
app.command("missing", rich_help_panel="Look")(missing.missing)
app.command("what-if", rich_help_panel="Try")(what_if.what_if)
app.command("dry-run", rich_help_panel="Try")(dry_run.dry_run)
app.command("simulate", rich_help_panel="Try")(simulate.simulate)
app.command("feed", rich_help_panel="Look")(look.feed)
app.command("history", rich_help_panel="Look")(look.history)
app.command("holders", rich_help_panel="Look")(look.holders)
app.command("alarms", rich_help_panel="Look")(alarms.alarms)
app.command("token", rich_help_panel="Look")(token.token)
app.add_typer(export.app, name="export", rich_help_panel="Look")
app.add_typer(catalog.app, name="catalog", rich_help_panel="Look")


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
