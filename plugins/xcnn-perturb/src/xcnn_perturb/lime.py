"""LIME: a linear model of the score near a picture, over its superpixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from xcnn.plugin import Reference
from xcnn_perturb.perturbation import Segmenting

if TYPE_CHECKING:
    from xcnn_perturb.masking import Plan


@dataclass(frozen=True, kw_only=True)
class LIME(Segmenting):
    """Hide random superpixels and fit a line to the scores.

    The value of a superpixel is what it adds to the score near this picture, where showing or hiding it is all that
    matters; below zero, it lowers the score. Superpixels that only count together share what they add, and the note
    tells how much of the score a line explains at all.
    """

    name: ClassVar[str] = "lime"
    title: ClassVar[str] = "LIME"
    source: ClassVar[Reference] = Reference(
        "Ribeiro, Singh and Guestrin",
        2016,
        '"Why should I trust you?": explaining the predictions of any classifier',
        "https://arxiv.org/abs/1602.04938",
    )

    def over(self, labels: Any) -> Plan:
        """Draw superpixels with even chances."""
        from xcnn_perturb.superpixels import Linear

        return Linear(labels)
