"""RISE: which pixels are kept in the masked pictures whose scores are high."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from xcnn.plugin import Option, Reference, maths
from xcnn_perturb.perturbation import Perturbation

if TYPE_CHECKING:
    from xcnn_perturb.masking import Plan


@dataclass(frozen=True, kw_only=True)
class RISE(Perturbation):
    """Hide the picture behind random smooth masks and average them, each weighed by its score.

    The value of a pixel is the mean score of masked pictures that keep it, less the mean score of all: above zero,
    keeping it raises the score. It is the published map less a constant; that one is of probabilities: --on
    probability. Shows regions about as large as a cell of the grid, with a grain that falls with the root of the
    samples.
    """

    name: ClassVar[str] = "rise"
    title: ClassVar[str] = "RISE"
    source: ClassVar[Reference] = Reference(
        "Petsiuk, Das and Saenko",
        2018,
        "RISE: Randomized Input Sampling for Explanation of Black-box Models",
        "https://arxiv.org/abs/1806.07421",
        equations="6",
    )

    grid: Annotated[int, Option("Cells of the grid along each side.", minimum=2, maximum=64)] = 7
    keep: Annotated[float, Option("The probability that a cell is kept.", minimum=0.05, maximum=0.95)] = 0.5

    def plan(self, pixels: Any) -> tuple[Plan, Any]:
        """Draw grids."""
        from xcnn_perturb.grids import Grids

        return Grids(pixels.shape[:2], self.grid, self.keep), maths.filled(pixels, self.fill)
