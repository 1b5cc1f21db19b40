"""The deconvolutional network: the score traced back through ReLUs that look at the signal alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xcnn.explainers.saliency import Ruled
from xcnn.plugin import Reference


@dataclass(frozen=True, kw_only=True)
class Deconv(Ruled):
    """Trace the score back as a deconvolutional network does.

    At each ReLU what arrives from above goes down where it is positive, whether the ReLU was on or off: patterns that
    the network looks for, less tied to this picture than those of guided backpropagation.
    """

    name: ClassVar[str] = "deconv"
    title: ClassVar[str] = "Deconvnet"
    source: ClassVar[Reference] = Reference(
        "Zeiler & Fergus",
        2014,
        "Visualizing and Understanding Convolutional Networks",
        "https://arxiv.org/abs/1311.2901",
    )
    rule: ClassVar[str] = "deconv"
