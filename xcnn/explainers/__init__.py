"""The built-in explainers, one file each, registered through the same hook that plugins use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xcnn.explainers.activations import Activations
from xcnn.explainers.cam import CAM
from xcnn.explainers.filters import Filters
from xcnn.explainers.gradcam import GradCAM
from xcnn.explainers.guided_gradcam import GuidedGradCAM
from xcnn.explainers.integrated import IntegratedGradients
from xcnn.explainers.kernels import Kernels
from xcnn.explainers.occlusion import Occlusion
from xcnn.explainers.saliency import Deconv, Guided, Saliency
from xcnn.explainers.smoothgrad import SmoothGrad
from xcnn.plugin import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xcnn.plugin import BaseExplainer


@hookimpl
def xcnn_explainers() -> Iterable[type[BaseExplainer]]:
    """Return the built-in explainers in the order of the help."""
    return (
        GradCAM,
        CAM,
        GuidedGradCAM,
        Saliency,
        Guided,
        Deconv,
        SmoothGrad,
        IntegratedGradients,
        Occlusion,
        Activations,
        Filters,
        Kernels,
    )
