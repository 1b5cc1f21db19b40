"""The epochs of a training on a page: what explains an image after each of them, and what was logged."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from xcnn.report import cards, finding
from xcnn.report.words import metric, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.report.html import Pictures


def told(manifest: Mapping[str, Any]) -> dict[int, str]:
    """What was logged of each epoch that something is said of, in words."""
    said = {one["epoch"] for one in (*manifest["results"], *manifest["failures"]) if one.get("epoch")}
    logs = {one["epoch"]: one["logs"] for one in manifest.get("epochs", ())}
    return {
        number: " \N{MIDDLE DOT} ".join(
            plain(f"{name} {metric(value)}") for name, value in logs.get(number, {}).items()
        )
        for number in sorted(said)
    }


def blocks(
    results: Sequence[Mapping[str, Any]], titles: Mapping[str, str], pictures: Pictures, prefix: str
) -> list[dict[str, Any]]:
    """Arrange the results of one image, or of the model, epoch by epoch.

    Returns
    -------
    list of dict
        ``epoch`` is None for results of a trained model, which are one block; ``found`` is what an image is found by
        while that epoch is shown.
    """
    made = []
    for epoch, group in itertools.groupby(results, key=lambda result: result.get("epoch")):
        own = list(group)
        part = prefix if epoch is None else f"{prefix}-epoch-{epoch}"
        made.append(
            {
                "epoch": epoch,
                "found": {} if epoch is None or own[0]["image"] is None else finding.found(own),
                "id": part,
                "rows": cards.arranged(own, titles, pictures, part),
                "predictions": plain(own[0]["predictions"]),
                "explained": _explained(own),
            }
        )
    return made


def last(results: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The results of the last epoch: what an image is found by until another one is shown."""
    return [result for result in results if result.get("epoch") == results[-1].get("epoch")]


def _explained(results: Sequence[Mapping[str, Any]]) -> set[int]:
    """The classes among the predictions that are explained themselves, not as a part of a contrast."""
    forms = [result["target"]["coefficients"] for result in results if result["target"]]
    return {one["index"] for one in results[0]["predictions"] if one["coefficients"] in forms}
