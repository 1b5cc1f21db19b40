"""HiResCAM: what each position of a layer contributes to a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xcnn.plugin import LayerExplainer, Reference, panels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from xcnn.plugin import Batch, Network, Panel


@dataclass(frozen=True, kw_only=True)
class HiResCAM(LayerExplainer):
    """Multiply each activation by its own gradient, and sum over the channels.

    Signed: positions that speak for the class and against it. Behind the last convolution of a network that ends in one
    linear layer, with pooling or without, the map sums to the score less the bias; elsewhere it is a first-order
    estimate. Right before global average pooling it is Grad-CAM without the ReLU.
    """

    name: ClassVar[str] = "hirescam"
    title: ClassVar[str] = "HiResCAM"
    xcnn_api: ClassVar[str] = "1.0"
    source: ClassVar[Reference] = Reference(
        "Draelos and Carin",
        2020,
        "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
        "https://arxiv.org/abs/2011.08891",
    )

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Compute the map of each row and layer, and tell what it sums to."""
        found = network.layer_gradients(batch, self.layer)
        maps = {path: contributions(features, gradients) for path, (features, gradients) in found.items()}
        told = {
            path: [
                (f"the map sums to {values.sum(dtype='float64'):.4g}; the score is {target.score:.4g}",)
                for values, target in zip(stack, batch.targets or (), strict=True)
            ]
            for path, stack in maps.items()
        }
        return panels(maps, sign="signed", unit="score", told=told)


def contributions(features: NDArray[np.floating], gradients: NDArray[np.floating]) -> NDArray[np.floating]:
    """Compute ``M = sum over k of g_k * A_k`` at each position, (n, h, w).

    As in the paper there is no ReLU; pytorch-grad-cam applies one.

    Parameters
    ----------
    features, gradients : (n, h, w, k) float ndarray
        Activations of one layer, and the gradients of a score by them.

    References
    ----------
    Draelos and Carin, Use HiResCAM instead of Grad-CAM, 2020.
    """
    import numpy as np

    return np.asarray((gradients * features).sum(axis=-1))
