"""KernelSHAP: the Shapley values of superpixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from xcnn.plugin import Reference
from xcnn_perturb.perturbation import Segmenting

if TYPE_CHECKING:
    from xcnn_perturb.masking import Plan


@dataclass(frozen=True, kw_only=True)
class KernelSHAP(Segmenting):
    """Share the score out among the superpixels: the Shapley value of each.

    A value is what a superpixel adds to the score, on average over all orders in which the picture can be uncovered.
    The values sum to the score of the picture less that of what hides it. With few superpixels all coalitions are
    scored and the values are exact; else they are estimates.
    """

    name: ClassVar[str] = "kernelshap"
    title: ClassVar[str] = "KernelSHAP"
    source: ClassVar[Reference] = Reference(
        "Lundberg and Lee",
        2017,
        "A unified approach to interpreting model predictions",
        "https://arxiv.org/abs/1705.07874",
        equations="theorem 2",
    )

    def over(self, labels: Any) -> Plan:
        """Draw coalitions by the Shapley kernel."""
        from xcnn_perturb.superpixels import Shapley

        return Shapley(labels, self.samples)
