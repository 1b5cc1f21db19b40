"""The command ``xcnn lrp``: the score, shared out among the pixels layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn.plugin import Attribution, Explainer, Option, Reference
from xcnn_lrp.rules import EPSILON, GAMMA, LOST, NAMES, rule

if TYPE_CHECKING:
    import numpy as np

    from xcnn.plugin import Batch, GradientRule, Network, Panel, Target

HALF = 0.5
"""The share of the score below which a note says what it rests on instead."""


@dataclass(frozen=True, kw_only=True)
class LRP(Explainer):
    """Share the score out among the pixels, layer by layer, by what each adds to the layer above.

    Pixels with positive values speak for the class, those with negative values against it; together they make up the
    score, less what biases and the stabiliser take. The sum is stated. It says nothing about what a changed picture
    would score.
    """

    name: ClassVar[str] = "lrp"
    title: ClassVar[str] = "Layer-wise relevance propagation"
    source: ClassVar[Reference] = Reference(
        "Bach et al.",
        2015,
        "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation",
        "https://doi.org/10.1371/journal.pone.0130140",
        equations="56, 58",
    )

    rule: Annotated[
        str,
        Option(
            "How layers share: epsilon, by contribution; gamma, those for the sum count more; zplus, those alone; "
            "composite, by the distance from black and white at the first layer, gamma at convolutions, epsilon at "
            "dense layers.",
            choices=NAMES,
        ),
    ] = "composite"
    epsilon: Annotated[
        float,
        Option(
            "Stabiliser, as a share of the root mean square of a layer's outputs: more takes noise and relevance away.",
            minimum=0,
        ),
    ] = EPSILON
    gamma: Annotated[float, Option("How much more contributions for the sum count.", minimum=0)] = GAMMA

    def fits(self, network: Network) -> str | None:
        """It needs a word for every op between the scores and the pixels."""
        return network.lacks(self._rule())

    def cost(self, network: Network) -> int:  # noqa: ARG002 (the same for every network)
        """A pass there, and one back; with gamma and zplus every layer runs once more."""
        return 2 if self.rule == "epsilon" else 3

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Compute the relevance of each row's pixels, summed over the colours."""
        relevance = network.input_gradients(batch, self._rule()).sum(axis=-1)
        rows = zip(relevance, batch.targets or (), strict=True)
        return [(self._panel(values, target),) for values, target in rows]

    def _rule(self) -> GradientRule:
        return rule(self.rule, epsilon=self.epsilon, gamma=self.gamma)

    def _panel(self, values: np.ndarray, target: Target) -> Attribution:
        """State how much of the score arrived at the pixels."""
        total = float(values.sum(dtype="float64"))
        share = f" ({total / target.score + 0.0:.1%})" if target.score else ""
        sums = f"relevance sums to {total:.4g} of the score {target.score:.4g}{share}"
        notes = [f"{sums}; the rest went to {LOST[self.rule]}"]
        if abs(total) < HALF * abs(target.score):
            notes.append("most of the score rests on biases and not on pixels: the map shows how the rest is shared")
        return Attribution(
            values, sign="signed", unit="relevance", residual=total - target.score, notes=tuple(notes), fine=True
        )
