"""Saliency: how much the score changes with each pixel. Also the base of its variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn import maths
from xcnn.plugin import Explainer, Option, Reference, panels

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

    reduce: Annotated[
        str,
        Option(
            "How the colour channels become one map: max, the largest magnitude; mean, the mean magnitude; l2, the "
            "root of the sum of squares; signed, the sum with its sign.",
            choices=("max", "mean", "l2", "signed"),
        ),
    ] = "max"

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Compute the gradients of each row's score and reduce their channels."""
        maps = {"": maths.reduced(network.input_gradients(batch, self.rule), self.reduce)}
        return panels(
            maps,
            sign="signed" if self.reduce == "signed" else "positive",
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
        found = network.rectifiers()
        others = ", ".join(f"{count} {name}" for name, count in found.others.items()) or "no non-linearity at all"
        return None if found.covered else f"it acts on ReLUs and this model has none: {others}"

    def notes(self, network: Network) -> tuple[str, ...]:
        """Tell what the rule acted on."""
        return (network.rectifiers().words,)
