"""Guided Grad-CAM: the pixels that excite a class, in the regions that raise its score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn import maths
from xcnn.plugin import REDUCE, LayerExplainer, Option, Reference, panels

if TYPE_CHECKING:
    from xcnn.plugin import Batch, Network, Panel


@dataclass(frozen=True, kw_only=True)
class GuidedGradCAM(LayerExplainer):
    """Multiply guided backpropagation by Grad-CAM, enlarged to the picture.

    Shows fine detail in the regions that raise the score of a class. The detail itself hardly depends on the class:
    guided backpropagation draws edges whatever the target.
    """

    name: ClassVar[str] = "guided-gradcam"
    title: ClassVar[str] = "Guided Grad-CAM"
    source: ClassVar[Reference] = Reference(
        "Selvaraju et al.", 2017, "Grad-CAM", "https://arxiv.org/abs/1610.02391", equations="1-2, section 3.2"
    )

    enlarge: Annotated[
        str,
        Option(
            "How the Grad-CAM grows to the size of the picture: bilinear, nearest.", choices=("bilinear", "nearest")
        ),
    ] = "bilinear"
    reduce: Annotated[str, REDUCE] = "max"

    def fits(self, network: Network) -> str | None:
        """It needs a layer with a map, and rectifiers."""
        return super().fits(network) or network.rectifiers().lacking

    def cost(self, network: Network) -> int:  # noqa: ARG002 (the same for every network)
        """A pass there and back for each of the two."""
        return 4

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Weigh the guided gradient of each channel by the enlarged map; then reduce the channels."""
        guided = network.input_gradients(batch, "guided")
        found = network.layer_gradients(batch, self.layer)
        maps = {}
        for path, (features, gradients) in found.items():
            regions = maths.gradcam(features, gradients)
            large = maths.enlarged(regions, guided.shape[1:3], nearest=self.enlarge == "nearest")
            maps[path] = maths.reduced(guided * large[..., None], self.reduce)
        notes = (network.rectifiers().words,)
        return panels(maps, sign=maths.sign_of(self.reduce), unit="gradient x Grad-CAM", fine=True, notes=notes)
