"""LayerCAM: each activation by its own positive gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xcnn.plugin import LayerExplainer, Reference, maths, panels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from xcnn.plugin import Batch, Network, Panel


@dataclass(frozen=True, kw_only=True)
class LayerCAM(LayerExplainer):
    """Weigh each activation by its own gradient where that is positive, and sum over the channels.

    Shows where a layer holds evidence for a class, position by position: unlike Grad-CAM it stays in place in early
    layers, whose maps are finer. Evidence against the class does not show.
    """

    name: ClassVar[str] = "layercam"
    title: ClassVar[str] = "LayerCAM"
    xcnn_api: ClassVar[str] = "1.0"
    source: ClassVar[Reference] = Reference(
        "Jiang et al.",
        2021,
        "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization",
        "https://doi.org/10.1109/TIP.2021.3089943",
    )

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Compute the map of each row and layer."""
        found = network.layer_gradients(batch, self.layer)
        maps = {path: weighted(features, gradients) for path, (features, gradients) in found.items()}
        return panels(maps, sign="positive", unit="score")


def weighted(features: NDArray[np.floating], gradients: NDArray[np.floating]) -> NDArray[np.floating]:
    """Compute ``M = relu(sum over k of relu(g_k) * A_k)`` at each position, (n, h, w).

    The same as pytorch-grad-cam's. Before it joins several layers the paper scales early ones by
    ``tanh(2 M / max(M))``; here each layer has a picture of its own, and nothing is scaled.

    Parameters
    ----------
    features, gradients : (n, h, w, k) float ndarray
        Activations of one layer, and the gradients of a score by them.

    References
    ----------
    Jiang et al., LayerCAM, IEEE Transactions on Image Processing 2021.
    """
    return maths.positive((maths.positive(gradients) * features).sum(axis=-1))
