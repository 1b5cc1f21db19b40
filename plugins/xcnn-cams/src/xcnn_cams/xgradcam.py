"""XGrad-CAM: Grad-CAM whose weights keep the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xcnn.plugin import Reference
from xcnn_cams.rectified import Rectified

if TYPE_CHECKING:
    from xcnn_cams.rectified import Floats


@dataclass(frozen=True, kw_only=True)
class XGradCAM(Rectified):
    """Weigh each feature map by its gradients where it is active, and sum the positive part.

    Shows the regions that raise the score of a class. The weights come as near as they can to two axioms: removing a
    map changes the score by the sum of its part, and all parts sum to the score. Evidence against the class does not
    show.
    """

    name: ClassVar[str] = "xgradcam"
    title: ClassVar[str] = "XGrad-CAM"
    xcnn_api: ClassVar[str] = "1.0"
    source: ClassVar[Reference] = Reference(
        "Fu et al.", 2020, "Axiom-based Grad-CAM", "https://arxiv.org/abs/2008.02312"
    )

    def weights(self, features: Floats, gradients: Floats) -> Floats:
        """Average the gradients of each channel by its features: ``w = sum(g * A) / sum(A)``.

        A channel whose features sum to zero weighs nothing: a dead one has nothing to show. pytorch-grad-cam adds 1e-7
        to the sum, which comes to the same.

        References
        ----------
        Fu et al., Axiom-based Grad-CAM, BMVC 2020.
        """
        import numpy as np

        parts = (gradients * features).sum(axis=(1, 2), dtype=np.float64)
        sums = features.sum(axis=(1, 2), dtype=np.float64)
        return np.asarray(np.divide(parts, sums, out=np.zeros_like(parts), where=sums != 0))
