"""Saliency, how much the score changes with each pixel, and its variants with other rules at rectifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn import maths
from xcnn.plugin import REDUCE, Explainer, Reference, panels

if TYPE_CHECKING:
    from xcnn.plugin import Batch, Network, Panel

UNIT = "score per input unit"


@dataclass(frozen=True, kw_only=True)
class Saliency(Explainer):
    """Show the gradient of the score by the pixels.

    Bright pixels are those whose smallest change moves the score most, up or down. The map is fine and noisy, says
    nothing about large changes, and vanishes where the network is saturated.
    """

    name: ClassVar[str] = "saliency"
    title: ClassVar[str] = "Saliency"
    source: ClassVar[Reference] = Reference(
        "Simonyan et al.", 2014, "Deep Inside Convolutional Networks", "https://arxiv.org/abs/1312.6034", "3"
    )
    rule: ClassVar[str] = "plain"
    """What rectifiers hand down: see `Network.input_gradients`."""

    reduce: Annotated[str, REDUCE] = "max"

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Compute the gradients of each row's score and reduce their channels."""
        maps = {"": maths.reduced(network.input_gradients(batch, self.rule), self.reduce)}
        return panels(
            maps,
            sign=maths.sign_of(self.reduce),
            unit=UNIT,
            fine=True,
            notes=self.notes(network),
        )

    def notes(self, network: Network) -> tuple[str, ...]:  # noqa: ARG002 (for subclasses)
        """Say what a reader must know about the map."""
        return ()


class Ruled(Saliency):
    """Base of saliency with another rule at the rectifiers of the network."""

    def fits(self, network: Network) -> str | None:
        """It needs a rectifier."""
        return network.rectifiers().lacking

    def notes(self, network: Network) -> tuple[str, ...]:
        """Tell what the rule acted on."""
        return (network.rectifiers().words,)


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


@dataclass(frozen=True, kw_only=True)
class Deconv(Ruled):
    """Trace the score back as a deconvolutional network does.

    At each ReLU what arrives from above goes down where it is positive, whether the ReLU was on or off: patterns that
    the network looks for, less tied to this picture than those of guided backpropagation.
    """

    name: ClassVar[str] = "deconv"
    title: ClassVar[str] = "Deconvolutional network"
    source: ClassVar[Reference] = Reference(
        "Zeiler & Fergus",
        2014,
        "Visualizing and Understanding Convolutional Networks",
        "https://arxiv.org/abs/1311.2901",
    )
    rule: ClassVar[str] = "deconv"
