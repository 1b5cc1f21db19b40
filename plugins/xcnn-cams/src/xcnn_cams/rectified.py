"""What methods share that weigh each feature map by one number, by formulas for layers behind a rectifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xcnn.plugin import LayerExplainer, maths, panels

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from xcnn.plugin import Batch, Network, Panel

    Floats = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class Rectified(LayerExplainer):
    """Base of explainers that weigh feature maps and keep the positive part of the sum."""

    def weights(self, features: Floats, gradients: Floats) -> Floats:
        """Make the weights of the feature maps of a layer.

        Parameters
        ----------
        features, gradients : (n, h, w, k) float ndarray
            Activations of one layer, and the gradients of a score by them.

        Returns
        -------
        (n, k) float ndarray
        """
        raise NotImplementedError

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Sum the maps of each row and layer by their weights, and keep what is above zero."""
        found = network.layer_gradients(batch, self.layer)
        maps = {
            path: maths.positive(maths.weighted_sum(features, self.weights(features, gradients)))
            for path, (features, gradients) in found.items()
        }
        told = {path: list(map(_notes, features)) for path, (features, _) in found.items()}
        return panels(maps, sign="positive", unit="score", told=told)


def _notes(features: Floats) -> tuple[str, ...]:
    """Tell how many activations of one row are below zero, if any are."""
    below = float((features < 0).mean())
    words = "the formula is made for layers behind a ReLU, and a channel that all but cancels weighs too much"
    return (f"{below:.1%} of the activations are below zero: {words}",) if below else ()
