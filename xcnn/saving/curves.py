"""The losses and metrics of a training: as run.json tells them, and as curves over its epochs."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.plugin import Curve, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_VALUES = 10
"""Of a metric that has one for each class, say, so many are told."""
VALIDATION = "val_"
"""How Keras begins the name of what it measured on the data for validation."""


def record(epoch: int, logs: Mapping[str, Any]) -> dict[str, Any]:
    """Tell an epoch as run.json does: what Keras logged of it, as far as it is numbers."""
    numbers: dict[str, float | None] = {}
    for name, value in logs.items():
        with suppress(TypeError, ValueError):
            values = np.asarray(value, np.float64)
            for at, one in enumerate(values.ravel()[:MOST_VALUES]):
                numbers[f"{name}[{at}]" if values.ndim else str(name)] = float(one) if math.isfinite(one) else None
    return {"epoch": epoch, "logs": numbers}


def sections(
    epochs: Sequence[Mapping[str, Any]], run: Mapping[str, Any], values: Callable[[str], np.ndarray]
) -> tuple[list[tuple[str, Section]], list[str]]:
    """Draw each quantity over the epochs, that of the training and that of the validation together."""
    del run, values
    names = list(dict.fromkeys(name for one in epochs for name in one["logs"]))
    quantities: dict[str, list[str]] = {}
    for name in names:
        quantities.setdefault(name.removeprefix(VALIDATION), []).append(name)
    panels = tuple(_curve(quantity, of, epochs) for quantity, of in quantities.items())
    return ([("Keras", Section("Training", "", panels))] if panels else []), []


def _curve(quantity: str, names: Sequence[str], epochs: Sequence[Mapping[str, Any]]) -> Curve:
    # The steps of a curve count from 0, epochs from 1: what was not logged is a gap.
    series = {name: np.full(epochs[-1]["epoch"] + 1, np.nan, np.float32) for name in names}
    for one in epochs:
        for name in names:
            value = one["logs"].get(name)
            series[name][one["epoch"]] = np.nan if value is None else value
    return Curve(quantity, series, "epoch", quantity)
