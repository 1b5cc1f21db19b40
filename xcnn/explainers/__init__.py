"""The built-in explainers, one file each, registered through the same hook that plugins use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xcnn.explainers.deconv import Deconv
from xcnn.explainers.gradcam import GradCAM
from xcnn.explainers.guided import Guided
from xcnn.explainers.saliency import Saliency
from xcnn.plugin import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from xcnn.plugin import Explainer


@hookimpl
def xcnn_explainers() -> Iterable[type[Explainer]]:
    """Return the built-in explainers in the order of the help."""
    return (GradCAM, Saliency, Guided, Deconv)
