"""What run.json says about one result: its image, target and truth, and the names of its files."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xcnn.plugin import Failure, Image, Result, Target
    from xcnn.values import Class


def image(image: Image, source: str) -> dict[str, Any]:
    """Tell an image, whose picture is in the file `source`."""
    return {
        "path": image.path,
        "sha256": image.sha256,
        "height": image.size[0],
        "width": image.size[1],
        "notes": list(image.notes),
        "file": source,
    }


def target(target: Target) -> dict[str, Any]:
    """Tell a target."""
    return {
        "index": target.index,
        "label": target.label,
        "score": target.score,
        "probability": target.probability,
        "coefficients": [list(pair) for pair in target.coefficients],
    }


def truth(result: Result) -> dict[str, Any]:
    """What a user says of the image; nothing where nothing is said."""
    return {} if result.truth is None else true_class(result.truth, result.predictions[0].index)


def true_class(truth: Class, predicted: int) -> dict[str, Any]:
    """Tell what an image shows, and whether the class `predicted` is another."""
    return {"truth": asdict(truth), "wrong": truth.index != predicted}


def epoch(of: Result | Failure) -> dict[str, Any]:
    """After which epoch of a training; nothing where the model is trained."""
    return {} if of.epoch is None else {"epoch": of.epoch}


def failure(failure: Failure) -> dict[str, Any]:
    """Tell a failure."""
    return {key: value for key, value in asdict(failure).items() if key != "epoch"} | epoch(failure)


def note(panels: Sequence[dict[str, Any]], target: Target | None) -> None:
    """Say what must be known of a score beside each map, and once where there is none."""
    maps = [panel for panel in panels if panel["kind"] == "map"] or list(panels[:1])
    for panel in maps if target else ():
        panel["notes"] = [*(target.notes if target else ()), *panel["notes"]]


def texts(value: Any) -> Iterator[str]:
    """Every text in nested data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts(one)


def files(result: Mapping[str, Any]) -> list[str]:
    """The names of the files of a record, but for the picture that was explained."""
    return [*result["files"].values(), *(name for panel in result["panels"] for name in panel["files"].values())]


def first_part(name: str) -> str:
    """What the files of one image, or of the model, have in common."""
    return name.partition(".")[0]


def moved(result: Mapping[str, Any], names: Mapping[str, str], image: Mapping[str, Any] | None) -> dict[str, Any]:
    """Tell a result of an earlier run again, with other names of its files and without what is judged anew."""

    def renamed(files: Mapping[str, str]) -> dict[str, str]:
        return {what: names[name] for what, name in files.items()}

    panels = [{**panel, "files": renamed(panel["files"])} for panel in result["panels"]]
    told = {key: value for key, value in result.items() if key not in {"trust", "truth", "wrong"}}
    return {**told, "image": image, "panels": panels, "files": renamed(result["files"])}
