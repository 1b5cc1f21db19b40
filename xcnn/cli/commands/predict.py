"""`xcnn predict`: what a model takes pictures for."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from xcnn.cli import console
from xcnn.cli.display import Display
from xcnn.cli.looks import PredictOptions
from xcnn.cli.screen import Screen
from xcnn.cli.signals import StoppedError, Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = """Predict pictures: the best classes as a table, and each picture with its label drawn on.

Example: xcnn predict efficientnet-lite0 photo.jpg"""
KINDS = (PredictOptions, Display)


def run(options: PredictOptions, display: Display, _: dict[str, str]) -> None:
    """Predict, write the pictures, and print the table."""
    from xcnn import execution, inputs, prediction
    from xcnn.host import Host
    from xcnn.io import places

    out = options.out or str(places.default_folder("predict"))
    watch = Watch(Path(out), patient=False, json=display.json)
    screen = Screen(display, watch=watch)
    screen.starting(options.model)
    try:
        with ExitStack() as stack:
            given = inputs.given(options.images, options.from_file, stack)
            stack.enter_context(watch)
            pictures = execution.expanded(given, options)
            found = prediction.predict(options, pictures, host=Host(), out=out, events=screen)
    except KeyboardInterrupt:
        raise StoppedError("interrupted: nothing was written") from None
    finally:
        screen.close()
    if display.json:
        console.answer_json(found | {"folder": out})
    else:
        if not display.quiet:
            console.table(("picture", "index", "class", "score", "probability"), _cells(found["results"]))
        console.answer(out)
    if found["failures"]:
        raise typer.Exit(1)


def _cells(results: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (
            result["path"] if rank == 0 else "",
            str(one["index"]),
            console.shortened(one["label"]),
            f"{one['score']:.4g}",
            one["notes"][0] if one["probability"] is None and one["notes"] else console.percent(one["probability"]),
        )
        for result in results
        for rank, one in enumerate(result["best"])
    ]
