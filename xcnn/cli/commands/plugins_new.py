"""`xcnn plugins new`: a plugin to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xcnn import scaffold
from xcnn.cli import console
from xcnn.host import Host


def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The command, or the name of the preprocessor.")],
    *,
    kind: Annotated[
        str,
        typer.Option("--kind", metavar="KIND", help=f"What to begin with: {', '.join(scaffold.KINDS)}."),
    ] = "attribution",
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="DIR", help="Folder to make. Default: xcnn-NAME.")
    ] = None,
) -> None:
    """Write a plugin that works: a distribution with one method, its tests and its README.

    attribution: a map for each picture and class. tiles: many small maps. model: what a model is, without a picture.
    preprocessor: how pixels become inputs, for --preprocess NAME.

    Example: xcnn plugins new energy
    """
    host = Host()
    root = context.find_root()
    commands = root.command.list_commands(root)  # type: ignore[attr-defined]
    taken = dict.fromkeys(commands, "xcnn") | {one: host.distribution(one) for one in host.listings}
    if kind == "preprocessor":
        taken = dict.fromkeys(host.preprocessors(extensions=False), "xcnn")
    taken |= {one.name: one.distribution for one in (*host.extensions, *host.sections)}
    name = name.removeprefix("xcnn-")  # of the distribution, which people call it by, too
    folder = scaffold.write(name, kind, Path(out) if out else None, taken=taken)
    console.answer(folder)
    console.say(f"next: cd {folder} && pip install -e '.[test]' && pytest && xcnn plugins check {name}")
