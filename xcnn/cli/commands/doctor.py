"""`xcnn doctor`: whether a model can be explained, by what, and what was guessed about it."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from xcnn.cli import console
from xcnn.cli.looks import DoctorOptions
from xcnn.cli.signals import Watch
from xcnn.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xcnn.inputs import Piped

HELP = """Tell what a model is, what had to be guessed, which explainers work on it and which don't, and why.

With pictures, the best classes under each preprocessing stand side by side, so that a wrong one is seen.

Example: xcnn doctor model.h5 photo.jpg"""
KINDS = (DoctorOptions,)


def run(options: DoctorOptions, _: dict[str, str]) -> None:
    """Examine a model and print what was found."""
    from xcnn import inputs

    with ExitStack() as stack:
        given = inputs.given(options.images, options.from_file, stack)
        stack.enter_context(Watch(None, patient=False, json=options.json))
        found = _examined(options, given)
    if options.json:
        console.answer_json(found)
        return
    for heading, lines in _sections(found):
        for number, line in enumerate(lines):
            console.answer(f"{heading if number == 0 else '':<14}{line}".rstrip())
    for picture in found["predictions"]:
        console.answer("")
        console.answer(picture["path"])
        _table(picture["under"])
    if options.write:
        console.say(f"written: {found['written']}")


def _examined(options: DoctorOptions, given: Sequence[str | Piped]) -> dict[str, Any]:
    from xcnn import diagnosis, execution, inputs, opening
    from xcnn.host import Host
    from xcnn.io import images
    from xcnn.io.reading import Reading

    host = Host()
    how = Reading.of(vars(options))
    paths = execution.expanded(given, options) if given or options.from_file else []
    checked = opening.check(options.model, options, host)
    if options.write and (checked.named or checked.file is None):
        raise OptionError("--write puts a file beside the model, and this one has no file", hint="leave --write out")
    pictures = [images.read(one.file, how, name=one.name) for one in map(inputs.named, paths)]
    if not options.json:
        console.say(f"opening {checked.told(options.model)} ...")
    network = checked.open(pictures[0].size if pictures else None)
    pictures = [images.fitted(picture, network.input_size, checked.fit) for picture in pictures]
    found = diagnosis.examine(network, pictures, host)
    if options.write:
        found["written"] = str(diagnosis.write(network, checked, options))
    return found


def _sections(found: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    model, layers = found["model"], found["layers"]
    yield "model", [model["name"], *([f"sha256 {model['sha256']}"] if model["sha256"] else [])]
    inputs = ", ".join(f"{one['name']} {_shape(one['shape'])}" for one in model["inputs"])
    outputs = ", ".join(f"{name}{' (explained)' if name == model['output'] else ''}" for name in model["outputs"])
    yield "input", [f"{inputs}; pictures are resized to {_shape(model['input_size'])}"]
    several = f"; outputs: {outputs}" if len(model["outputs"]) > 1 else ""
    size = f", for each of {_shape(model['output_size'])} positions" if model["output_size"] else ""
    classes = f"{model['classes']} class{'' if model['classes'] == 1 else 'es'}"
    yield "output", [f"{model['head']}, {classes}{size}{several}", f"scores: {model['score']}"]
    yield "size", [f"{model['parameters']:,} parameters, {layers['all']} layers, {layers['spatial']} with a map"]
    mode = model["preprocessing"]
    yield "preprocessing", [f"{mode['name']}: {mode['summary']}", mode["reason"]]
    if model["notes"]:
        yield "notes", model["notes"]
    yield "explainers", [_explainer(one) for one in found["explainers"]]
    pooling, rectifiers = model["pooling"], model["rectifiers"]
    yield (
        "pooled head",
        [f"{'yes' if pooling['layer'] else 'no'}: {pooling['reason']} (what class activation maps need)"],
    )
    yield "rectifiers", [_rectifiers(rectifiers)]
    if found["warnings"]:
        yield "WARNINGS", found["warnings"]


def _shape(sides: Sequence[int | None]) -> str:
    return "x".join("?" if side is None else str(side) for side in sides) or "one number"


def _explainer(one: dict[str, Any]) -> str:
    if not one["works"]:
        return f"{one['name']}: no, {one['reason']}"
    at = f" at {one['layer']['path']}, {one['layer']['reason']};" if one["layer"] else ""
    if "seconds_per_picture" not in one:
        return f"{one['name']}: yes,{at} needs no picture"
    memory = math.ceil(one["memory_bytes"] / 2**20)
    time = _seconds(one["seconds_per_picture"])
    return f"{one['name']}: yes,{at} about {time} a picture, up to {memory:,} MB for 16 at once"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _rectifiers(counts: dict[str, Any]) -> str:
    others = ", ".join(f"{count} {name}" for name, count in counts["others"].items())
    number = counts["covered"] or "none"
    rest = f"; other non-linearities: {others}" if others else ", and no other non-linearity"
    return f"{number}{rest} (what guided backpropagation acts on)"


def _table(under: Sequence[dict[str, Any]]) -> None:
    """One column per preprocessing, the best classes below each other; a star marks the one that is used."""
    headings = [f"{one['preprocessing']}{'*' if one['decided'] else ''}" for one in under]
    rows = [[_guess(one["best"][rank]) for one in under] for rank in range(len(under[0]["best"]))]
    console.table(headings, rows)


def _guess(one: dict[str, Any], most: int = 24) -> str:
    label = one["label"] if len(one["label"]) <= most else one["label"][: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return f"{label} {one['score']:.3g}" if one["probability"] is None else f"{label} {one['probability']:.0%}"
