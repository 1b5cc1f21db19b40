"""`xcnn models`: the models that can be asked for by name."""

from __future__ import annotations

from typing import Annotated

import typer

from xcnn.cli import console


def models(
    *,
    load: Annotated[
        bool, typer.Option("--load", metavar="", help="Also import extensions and list their models.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """List the models that can be asked for by name.

    Example: xcnn models
    """
    from xcnn.host import Host

    host = Host()
    known = host.models(extensions=load)
    if as_json:
        rows = [
            {
                "name": model.name,
                "summary": model.summary,
                "size": list(model.size),
                "preprocessing": model.preprocessing.summary,
                "licence": model.licence,
            }
            for model in known.values()
        ]
        console.answer_json({"schema_version": 1, "models": rows})
        return
    console.table(
        ("name", "input", "licence", ""),
        [(model.name, "{}x{}".format(*model.size), model.licence, model.summary) for model in known.values()],
    )
    if host.extensions and not load:
        names = ", ".join(dict.fromkeys(listing.distribution for listing in host.extensions))
        console.say(f"extensions may bring more ({names}): xcnn models --load")
