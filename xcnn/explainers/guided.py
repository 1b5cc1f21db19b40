"""Guided backpropagation: saliency that only rises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xcnn.explainers.saliency import Ruled
from xcnn.plugin import Reference


@dataclass(frozen=True, kw_only=True)
class Guided(Ruled):
    """Show the gradient of the score with every negative part dropped on the way.

    At each ReLU that was on, what arrives from above goes down only where it is positive: sharp edges that excite the
    score. They depend little on the class, so compare classes before reading anything into them.
    """

    name: ClassVar[str] = "guided"
    title: ClassVar[str] = "Guided backpropagation"
    source: ClassVar[Reference] = Reference(
        "Springenberg et al.", 2015, "Striving for Simplicity", "https://arxiv.org/abs/1412.6806"
    )
    rule: ClassVar[str] = "guided"
