"""What an image can be found by: its classes, its confidence, what is doubtful and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.report.words import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def found(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Describe an image by the attributes that the search of the page reads."""
    first = results[0]
    predictions, image = first["predictions"], first["image"]
    top = predictions[0] if predictions else None
    probability = top["probability"] if top else None
    labels = [result["target"]["label"] for result in results if result["target"]]
    noted = image["notes"] or any(panel["notes"] for result in results for panel in result["panels"])
    truth = first.get("truth", image.get("truth"))
    told = {
        "name": image["path"],
        "labels": " | ".join(dict.fromkeys(map(str, labels))),
        "pred": top["label"] if top else "",
        "conf": "" if probability is None else f"{probability:.6f}",
        "seconds": f"{sum(result['seconds'] for result in results):.4f}",
        "warn": "yes" if noted else "",
        "wrong": "yes" if first.get("wrong", truth is not None and top is not None and _wrong(truth, top)) else "",
        "truth": "" if truth is None else _words(truth),
    }
    return {key: str(value) for key, value in plain(told).items()}


def _words(truth: Any) -> str:
    return str(truth.get("label") or truth.get("index")) if isinstance(truth, dict) else str(truth)


def _wrong(truth: Any, top: Mapping[str, Any]) -> bool:
    """Whether the most probable class is another one than the true one, by its number where there is one."""
    if isinstance(truth, dict):
        truth = truth.get("index") if truth.get("index") is not None else truth.get("label")
    return (
        bool(truth != top["index"]) if isinstance(truth, int) else str(truth).casefold() != str(top["label"]).casefold()
    )
