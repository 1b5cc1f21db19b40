"""Grad-CAM: the regions of a layer that raise one class score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn import maths
from xcnn.plugin import LayerExplainer, Option, Reference, panels

if TYPE_CHECKING:
    from xcnn.plugin import Batch, Network, Panel


@dataclass(frozen=True, kw_only=True)
class GradCAM(LayerExplainer):
    """Weigh each feature map of a layer by its mean gradient and sum the positive part.

    Shows the regions that raise the score of a class, at the resolution of the layer: not edges, and not evidence
    against the class, which the final ReLU drops as in the paper.
    """

    name: ClassVar[str] = "gradcam"
    title: ClassVar[str] = "Grad-CAM"
    source: ClassVar[Reference] = Reference(
        "Selvaraju et al.", 2017, "Grad-CAM", "https://arxiv.org/abs/1610.02391", equations="1-2"
    )

    rule: Annotated[
        str,
        Option(
            "What ReLUs between the layer and the score hand down: plain, the gradient; guided and deconv, as those "
            "explainers do.",
            choices=("plain", "guided", "deconv"),
        ),
    ] = "plain"

    def fits(self, network: Network) -> str | None:
        """It needs a layer with a map, and what its rule needs."""
        return super().fits(network) or network.lacks(self.rule)

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Compute equation 2 for each row and layer."""
        found = network.layer_gradients(batch, self.layer, self.rule)
        maps = {path: maths.gradcam(features, gradients) for path, (features, gradients) in found.items()}
        ruled = () if self.rule == "plain" else (network.rectifiers().words, "the rule acts behind the layer only")
        return panels(maps, sign="positive", unit="score", notes=ruled)
