"""Grad-CAM++: gradients that weigh more where they are rare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xcnn.plugin import Reference
from xcnn_cams.rectified import Rectified

if TYPE_CHECKING:
    from xcnn_cams.rectified import Floats


@dataclass(frozen=True, kw_only=True)
class GradCAMPlusPlus(Rectified):
    """Weigh each feature map by its positive gradients, each by how much the map is needed there.

    Shows the regions that raise the score of a class, also where the object occurs several times: a map that is active
    in few places weighs no less than one that is active in many. Evidence against the class is left out twice, as
    gradients and in the sum.
    """

    name: ClassVar[str] = "gradcampp"
    title: ClassVar[str] = "Grad-CAM++"
    xcnn_api: ClassVar[str] = "1.0"
    source: ClassVar[Reference] = Reference(
        "Chattopadhyay et al.", 2018, "Grad-CAM++", "https://arxiv.org/abs/1710.11063", equations="7, 19"
    )

    def weights(self, features: Floats, gradients: Floats) -> Floats:
        """Sum the positive gradients of each channel, each by its alpha.

        With g the gradient of the score S at one position and A the features of the channel, equation 19 is
        ``alpha = g^2 / (2 g^2 + sum(A) g^3)``, which is ``1 / (2 + sum(A) g)``, and equation 7 is
        ``w = sum(alpha * relu(g))``.

        The paper explains Y = exp(S), whose gradient is exp(S) g: that factor is the same for all channels and would
        overflow, so it is left out, as in pytorch-grad-cam. Unlike there, nothing is added to the denominator: with its
        1e-6 the gradients behind a global average pooling, often below 1e-3, would weigh less than they do. A channel
        whose denominator is zero somewhere, which no layer behind a ReLU has, counts nothing there.

        References
        ----------
        Chattopadhyay et al., Grad-CAM++, WACV 2018, equations 7 and 19.
        """
        import numpy as np

        slopes = np.maximum(gradients, 0, dtype=np.float64)
        sums = features.sum(axis=(1, 2), keepdims=True, dtype=np.float64)
        below = 2 + sums * slopes
        return np.asarray(np.divide(slopes, below, out=np.zeros_like(slopes), where=below != 0).sum(axis=(1, 2)))
