"""`xcnn layers`: the layers an explainer can be pointed at."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from xcnn.cli import console


def layers(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model file, or a name from: xcnn models.")],
    *,
    everything: Annotated[
        bool, typer.Option("--all", metavar="", help="Also layers without a map, such as Dense.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """List the layers of a model in execution order, with the paths that --layer takes.

    Example: xcnn layers model.keras
    """
    from xcnn import opening
    from xcnn.errors import LayerError
    from xcnn.host import Host

    network = opening.check(model, opening.AUTO, Host()).open()
    rows = [layer for layer in network.layers() if everything or layer.spatial]
    try:
        chosen = network.default_layer()
    except LayerError:
        chosen = None
    if as_json:
        console.answer_json(
            {
                "schema_version": 1,
                "model": network.name,
                "default_layer": asdict(chosen) if chosen else None,
                "layers": [asdict(layer) | {"spatial": layer.spatial} for layer in rows],
            }
        )
        return
    console.table(
        ("path", "kind", "output", ""),
        [
            (
                layer.path,
                layer.kind,
                "x".join("?" if side is None else str(side) for side in layer.shape) or "-",
                "default" if chosen and layer.path == chosen.value else "" if layer.leaf else "contains others",
            )
            for layer in rows
        ],
    )
    if not rows:
        console.say("no layer has a map; all layers: --all")
    if chosen:
        console.say(f"default: {chosen.value}, {chosen.reason}")
