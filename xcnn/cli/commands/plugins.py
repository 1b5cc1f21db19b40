"""`xcnn plugins`: what is installed, from metadata alone; with --load, whether it works."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xcnn.cli import bridge, console
from xcnn.cli.commands import plugins_check, plugins_new
from xcnn.host import Host
from xcnn.listings import EXPLAINERS

if TYPE_CHECKING:
    from xcnn.listings import Listing

app = typer.Typer(cls=bridge.Group, invoke_without_command=True, rich_markup_mode="rich", add_completion=False)


@app.callback()
def plugins(
    context: typer.Context,
    *,
    load: Annotated[
        bool, typer.Option("--load", metavar="", help="Import each in a process of its own and time it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """List installed plugins, from metadata alone; make a new one, or check one.

    Example: xcnn plugins --load
    """
    if context.invoked_subcommand is not None:
        return
    host = Host()
    rows = [_row(listing, load=load) for listing in host.every]
    if as_json:
        console.answer_json({"schema_version": 1, "plugins": rows})
        return
    if not rows:
        only = os.environ.get("XCNN_PLUGINS")
        console.say(
            "no plugin is installed; make one with: xcnn plugins new NAME"
            if only is None
            else f"XCNN_PLUGINS lets none in: it is {only!r}"
        )
        return
    headings = ("command", "distribution", "version", "", *(("import",) if load else ()))
    # A distribution says what it is once, beside the first of what it has.
    rows.sort(key=lambda row: row["distribution"])
    first = {row["distribution"]: row for row in reversed(rows)}
    console.table(headings, [_cells(row, load=load, first=row is first[row["distribution"]]) for row in rows])


def _row(listing: Listing, *, load: bool) -> dict[str, Any]:
    from xcnn import importing  # it starts processes, which --help does not need

    cost = asdict(importing.of_entry(listing.group, listing.name, listing.value)) if load else {}
    return asdict(listing) | {"clashes": list(listing.clashes)} | cost


def _cells(row: dict[str, Any], *, load: bool, first: bool) -> list[str]:
    about = f"CLASH with {', '.join(row['clashes'])}" if row["clashes"] else row["summary"] if first else ""
    name = row["name"] if row["group"] == EXPLAINERS else f"({row['name']}, an extension)"
    return [name, row["distribution"], row["version"], about, *([_imported(row)] if load else [])]


def _imported(row: dict[str, Any]) -> str:
    if row["error"]:
        return f"FAILED: {row['error']}"
    heavy = f", imports {', '.join(row['heavy'])}" if row["heavy"] else ""
    printed = ", PRINTS to standard output" if row["printed"] else ""
    return f"{row['seconds'] * 1000:.0f} ms{heavy}{printed}"


app.command("new", cls=bridge.Command)(plugins_new.new)
app.command("check", cls=bridge.Command)(plugins_check.check)
