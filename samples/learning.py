"""Learning curves as an explainer: what Keras wrote down while a model was trained, in the report of that model."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import common
import numpy as np

from xcnn.plugin import Curve, ModelExplainer, Option


@dataclass(frozen=True, kw_only=True)
class Learning(ModelExplainer):
    """Show accuracy and loss over the epochs, as they were and smoothed."""

    name: ClassVar[str] = "learning"
    title: ClassVar[str] = "Learning curves"

    history: Annotated[str, Option("The file that keras.callbacks.CSVLogger wrote.", metavar="FILE")] = "learning.csv"
    smooth: Annotated[float, Option("The weight of what was before.", minimum=0, maximum=0.99)] = 0.6

    def explain(self, network: Any, *, rng: Any, progress: Any) -> tuple[Curve, ...]:  # noqa: ARG002 (it is all there)
        """Read the numbers of each epoch."""
        with Path(self.history).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        curves = []
        for quantity in ("accuracy", "loss"):
            series = {}
            for key, who in ((quantity, "training"), (f"val_{quantity}", "held out")):
                values = [float(row[key]) for row in rows]
                for name, line in ((who, common.averaged(values, self.smooth)), (f"{who}, raw", values)):
                    series[name] = np.array([np.nan, *line], np.float32)  # the first epoch ends at 1
            curves.append(Curve(quantity, series, x="epoch", y=quantity))
        return tuple(curves)
