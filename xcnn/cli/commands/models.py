"""`xcnn models`: the models that can be asked for by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from xcnn.cli import console

if TYPE_CHECKING:
    from xcnn.plugin import NamedModel

BYTES = 4
"""Of a weight in a weights file."""
MEGA = 1e6


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
                "parameters": model.parameters or None,
                "preprocessing": model.preprocessing.summary,
                "preprocess": model.preprocessing.name,
                "licence": model.licence,
                "state": _state(model),
                "download_mb": _megabytes(model),
            }
            for model in known.values()
        ]
        console.answer_json({"schema_version": 1, "models": rows})
        return
    console.table(
        ("name", "input", "licence", "parameters", "preprocess", ""),
        [
            (
                model.name,
                "{}x{}".format(*model.size),
                model.licence,
                f"{model.parameters / MEGA:.1f} M" if model.parameters else "?",
                model.preprocessing.name,
                _state_in_words(model),
            )
            for model in known.values()
        ],
    )
    console.say("licences are those of the weights; with preprocess none a model rescales pixels itself")
    if host.extensions and not load:
        names = ", ".join(dict.fromkeys(listing.distribution for listing in host.extensions))
        console.say(f"extensions may bring more ({names}): xcnn models --load")


def _state(model: NamedModel) -> str:
    """Whether it comes with a package, is in Keras's cache, or must be downloaded first."""
    if model.build is None:
        return "embedded"
    return "cached" if model.cached else "to download"


def _megabytes(model: NamedModel) -> int | None:
    """About how much there is to download."""
    return round(model.parameters * BYTES / MEGA) if model.parameters and not model.cached else None


def _state_in_words(model: NamedModel) -> str:
    state, size = _state(model), _megabytes(model)
    if state == "embedded":
        return f"{state}: {model.summary}"
    return f"{state}, {size} MB" if size else state
