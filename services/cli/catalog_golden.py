"""`gatefold catalog golden`: whether the badges come to the same as before for the demo's collectors."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def golden(
    write: Annotated[bool, typer.Option("--write", help="Renew the committed file: the changes are meant.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
) -> None:
    """Play the demo's collectors in memory and compare what each badge comes to with catalog/golden.txt.

    Needs no server. Every line that differs is shown, as it was (-) and as it is (+); exit 1 if there are any.

    Examples:

        gatefold catalog golden

        gatefold catalog golden --write && git diff catalog/golden.txt
    """
    from catalog.index import load_catalog
    from services.demo.golden import RENEW, difference, lines_of, path

    file = path()
    before = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    after = lines_of(load_catalog())
    found = difference(before, after)
    if write and found:
        file.write_text("\n".join(after) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(json.dumps({"lines": len(after), "difference": found, "written": write and bool(found)}, indent=2))
    else:
        for line in found:
            typer.echo(line)
        typer.echo(f"{len(after)} lines, {len(found)} changes" + (", written" if write and found else ""))
        if found and not write:
            typer.echo(f"If that is meant, say so with `{RENEW}`.")
    if found and not write:
        raise typer.Exit(1)
