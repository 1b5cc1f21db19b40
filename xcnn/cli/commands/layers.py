"""`xcnn layers`: the layers an explainer can be pointed at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.cli import console
from xcnn.cli.looks import LayersOptions
from xcnn.cli.signals import Watch
from xcnn.errors import OptionError, XcnnError

if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = """List the layers of a model in execution order, with the paths that --layer takes.

Without --trace the file alone is read, in about half a second: paths, kinds, parameters, and shapes where the file
states them.

Example: xcnn layers model.keras --trace"""
KINDS = (LayersOptions,)


def run(options: LayersOptions, _: dict[str, str]) -> None:
    """Print the layers."""
    from xcnn import opening
    from xcnn.host import Host
    from xcnn.network import sketch

    if options.spatial and options.all:
        raise OptionError("--spatial and --all contradict each other", hint="choose one")
    host = Host()
    runs = options.trace or bool(options.plot)
    checked = opening.check(options.model, options, host, hashed=runs)
    if runs or checked.file is None:
        with Watch(None, patient=False, json=options.json):
            network = checked.open()
            rows = [_row(layer, spatial=layer.spatial) for layer in network.layers()]
            picks = _picks(network, host)
            name = network.name
    else:
        rows = [_row(entry, spatial=entry.spatial) for entry in sketch.sketch(checked.file)]
        picks, name = [], checked.file.path.name
    shown = [row for row in rows if _wanted(row, options)]
    if options.plot:
        _plot(options, rows, picks, name)
    if options.json:
        console.answer_json(
            {"schema_version": 1, "model": name, "traced": bool(picks), "picks": picks, "layers": shown}
        )
        return
    _print(shown, picks)
    if not rows:
        console.say("the file does not tell the layers of this model, whose class is not Keras's: --trace")
    elif not picks and not runs:
        console.say("from the file alone; every shape and what each explainer looks at: --trace")


def _row(layer: Any, *, spatial: bool | None) -> dict[str, Any]:
    return {
        "path": layer.path,
        "kind": layer.kind,
        "shape": list(layer.shape),
        "parameters": layer.parameters,
        "activation": layer.activation,
        "leaf": layer.leaf,
        "spatial": spatial,
    }


def _wanted(row: dict[str, Any], options: LayersOptions) -> bool:
    from xcnn.network import layers

    if options.spatial:
        return bool(row["spatial"])
    return options.all or row["kind"] not in layers.IDLE


def _picks(network: Any, host: Any) -> list[dict[str, str]]:
    """The layer that each built-in explainer looks at by itself, and why; or why it can't."""
    found = []
    for name, kind in host.builtin.items():
        try:
            explainer = kind()
            reason = explainer.fits(network)
            choice = None if reason else explainer.picks(network)
        except XcnnError as error:
            reason, choice = error.message, None
        if choice:
            found.append({"explainer": name, "path": choice.value, "reason": choice.reason})
        elif reason:
            found.append({"explainer": name, "path": "", "reason": reason})
    return found


def _print(rows: Sequence[dict[str, Any]], picks: Sequence[dict[str, str]]) -> None:
    picked: dict[str, list[str]] = {}
    for pick in picks:
        picked.setdefault(pick["path"], []).append(pick["explainer"])
    console.table(
        ("path", "kind", "output", "parameters", "activation", ""),
        [
            (
                "  " * row["path"].count("/") + row["path"],
                row["kind"],
                "x".join("?" if side is None else str(side) for side in row["shape"]) or "-",
                "" if not row["parameters"] else f"{row['parameters']:,}",
                row["activation"],
                ", ".join(picked.get(row["path"], [])),
            )
            for row in _as_tree(rows)
        ],
    )
    if rows and not any(row["spatial"] is not False for row in rows):
        console.say("no layer has a map; all layers: --all")
    for pick in picks:
        console.say(f"{pick['explainer']}: {pick['path'] + ', ' if pick['path'] else ''}{pick['reason']}")


def _as_tree(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put each container before what is inside it; a trace has it behind."""
    found: list[dict[str, Any]] = []
    for row in rows:
        place = len(found)
        while place and found[place - 1]["path"].startswith(row["path"].partition("[")[0] + "/"):
            place -= 1
        found.insert(place, row)
    return found


def _plot(options: LayersOptions, rows: Sequence[dict[str, Any]], picks: Sequence[dict[str, str]], name: str) -> None:
    from pathlib import Path

    from xcnn.io import artifacts
    from xcnn.render import architecture

    assert options.plot is not None  # noqa: S101 (asked for)
    drawn = architecture.architecture(
        [
            architecture.Row(row["path"], row["kind"], tuple(row["shape"]), row["parameters"] or 0, row["leaf"])
            for row in rows
        ],
        title=name,
        default=next((pick["path"] for pick in picks if pick["path"]), ""),
    )
    artifacts.write_alone(Path(options.plot), drawn)
    console.say(f"drawn: {options.plot}")
