"""Integrated gradients: the score's change from a baseline, shared out among the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from xcnn import maths
from xcnn.plugin import BUDGET, Attribution, Explainer, Option, Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from xcnn.plugin import Batch, Network, Panel

COARSER = 8
"""With a budget, an eighth of the steps comes first."""
TOLERATED = 0.05
"""The completeness gap, relative to the score's change, from which on more steps are advised."""


@dataclass(frozen=True, kw_only=True)
class IntegratedGradients(Explainer):
    """Share the change of a class score from a baseline out among the pixels.

    The attributions sum to the score of the picture less that of the baseline, up to a gap that is stated. They depend
    on the baseline: what is like it gets nothing.
    """

    name: ClassVar[str] = "integrated"
    title: ClassVar[str] = "Integrated gradients"
    source: ClassVar[Reference] = Reference(
        "Sundararajan et al.",
        2017,
        "Axiomatic Attribution for Deep Networks",
        "https://arxiv.org/abs/1703.01365",
        equations="1",
    )

    steps: Annotated[
        int, Option("Places on the way from the baseline to the picture (Gauss-Legendre).", minimum=1, maximum=1000)
    ] = 50
    baseline: Annotated[
        str,
        Option(
            "Where the way begins: black, blur (the picture blurred), or mean (its mean colour).",
            choices=("black", "blur", "mean"),
        ),
    ] = "black"
    budget: Annotated[float | None, BUDGET] = None

    def cost(self, network: Network) -> int:  # noqa: ARG002 (the same for every network)
        """Two passes per step, and the scores of the picture and the baseline."""
        return 2 * self.steps + 2

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Compute equation 1 for each row, summed over the channels."""
        network.predict(batch)
        baselines = batch.prepare(maths.filled(batch.pixels, self.baseline))
        floor = network.scores(baselines, batch.points)
        rows: list[tuple[Panel, ...]] = []
        for image in range(batch.images):
            start, end = baselines[image], batch.inputs[image]
            steps, gradients = self._gradients(
                start, end, batch.slopes_of(image, network), batch.progress_of(image, self.steps)
            )
            for target, gradient in zip((batch.targets or ())[batch.rows_of(image)], gradients, strict=True):
                values = ((end - start) * gradient).sum(axis=-1)
                change = target.score - float(target.of(floor[image : image + 1])[0])
                rows.append((self._panel(values.astype("float32"), float(values.sum()), change, steps),))
        return rows

    def _gradients(self, start: Any, end: Any, slopes: Any, told: Callable[[int], None]) -> tuple[int, Any]:
        """The mean gradient on the way, and how many places it was taken at: twice as many while the time lasts."""
        if self.budget is None:
            path = maths.straight_path(start, end, self.steps)
            return self.steps, maths.accumulated(path, slopes, heard=told)
        budget, done, steps = maths.Budget(self.budget), 0, max(1, self.steps // COARSER)
        while True:
            gradients = maths.accumulated(maths.straight_path(start, end, steps), slopes)
            done += steps
            told(min(done, self.steps - 1))
            finer = min(2 * steps, self.steps)
            if steps == self.steps or budget.spent(done, finer):
                told(self.steps)
                return steps, gradients
            steps = finer

    def _panel(self, values: Any, total: float, change: float, steps: int) -> Attribution:
        """State how far the attributions are from the score's change."""
        gap = total - change
        relative = f" ({abs(gap / change):.1%})" if change else ""
        note = (
            f"the attributions sum to {total:.4g}; from the {self.baseline} baseline the score changes by "
            f"{change:.4g}: a gap of {gap:.2g}{relative}"
        )
        wide = abs(gap) > TOLERATED * abs(change)
        advice = (f"the gap is wide: raise --steps above {steps}",) if wide else ()
        fewer = (f"{steps} of {self.steps} steps within {self.budget or 0:g} s",) if steps < self.steps else ()
        return Attribution(values, sign="signed", unit="score", residual=gap, notes=(note, *advice, *fewer), fine=True)
