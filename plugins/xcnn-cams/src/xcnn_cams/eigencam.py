"""Eigen-CAM: the pattern that most of a layer's channels share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn.plugin import LayerExplainer, Option, Reference, maths, panels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from xcnn.plugin import Batch, Network, Panel


@dataclass(frozen=True, kw_only=True)
class EigenCAM(LayerExplainer):
    """Project a layer's features on their first principal component.

    Shows where the layer is active most, in the mix of channels that is strongest on this picture. It knows no class:
    all targets of a picture share one map, and what it shows need not have to do with the prediction.
    """

    name: ClassVar[str] = "eigencam"
    title: ClassVar[str] = "Eigen-CAM"
    xcnn_api: ClassVar[str] = "1.0"
    source: ClassVar[Reference] = Reference(
        "Muhammad and Yeasin", 2020, "Eigen-CAM", "https://arxiv.org/abs/2008.00299"
    )
    per_target: ClassVar[bool] = False

    centre: Annotated[
        bool,
        Option("Take the mean of each channel away first, as pytorch-grad-cam does; the paper does not."),
    ] = False

    def cost(self, network: Network) -> int:  # noqa: ARG002 (the same for every network)
        """One pass, whatever the targets."""
        return 1

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Keep the positive part of the projection of each image and layer."""
        import numpy as np

        found = network.activations(batch.inputs, self.layer)
        maps = {
            path: np.stack([maths.positive(projection(image, centre=self.centre)) for image in features])
            for path, features in found.items()
        }
        return panels(maps, sign="positive", unit="activation")


def projection(features: NDArray[np.floating], *, centre: bool = False) -> NDArray[np.floating]:
    """Compute ``A v`` for the first right singular vector v of the features A, one row per position.

    A singular vector has no sign of its own. Here the projection agrees with the magnitude of the activations: over all
    positions their product is above zero, so that what is high is active. Where it is zero, the largest value is
    positive. pytorch-grad-cam takes the sign that its linear algebra happens to give, so that its map may show the
    background instead, and centres the channels.

    Parameters
    ----------
    features : (h, w, k) float ndarray
        Activations of one layer on one picture.
    centre : bool
        Take the mean of each channel away first: then it shows what varies most instead of what is strongest.

    Returns
    -------
    (h, w) float ndarray

    References
    ----------
    Muhammad and Yeasin, Eigen-CAM, IJCNN 2020.
    """
    import numpy as np

    height, width, channels = features.shape
    values = features.reshape(-1, channels).astype(np.float64)
    active = np.abs(values).sum(axis=1)
    if centre:
        values -= values.mean(axis=0)
    # The singular vectors of a matrix are the eigenvectors of its smaller product with itself; the largest comes last.
    if len(values) > channels:
        found = values @ np.linalg.eigh(values.T @ values)[1][:, -1]
    else:
        squares, vectors = np.linalg.eigh(values @ values.T)
        found = vectors[:, -1] * np.sqrt(max(squares[-1], 0))
    lean = found @ active or found[np.abs(found).argmax()]
    return np.reshape(-found if lean < 0 else found, (height, width))
