"""Ablation-CAM: what a score loses when one channel of a layer is silenced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn.plugin import Option, Reference
from xcnn_cams.trials import Trials

if TYPE_CHECKING:
    from xcnn_cams.trials import Channels, Floats, Subject


@dataclass(frozen=True, kw_only=True)
class AblationCAM(Trials):
    """Weigh each feature map by the drop of the score without it, and sum the positive part.

    Shows the regions that the score rests on. No gradient is taken: the network behind the layer runs once for each
    channel that is active. Evidence against the class, channels whose absence raises the score, is taken off.
    """

    name: ClassVar[str] = "ablationcam"
    title: ClassVar[str] = "Ablation-CAM"
    xcnn_api: ClassVar[str] = "1.0"
    source: ClassVar[Reference] = Reference(
        "Desai and Ramaswamy", 2020, "Ablation-CAM", "https://doi.org/10.1109/WACV45572.2020.9093360"
    )
    unit: ClassVar[str] = "score x activation"
    ranked: ClassVar[str] = "with the largest mean activation"

    top_channels: Annotated[
        int,
        Option("How many channels are tried, those with the largest mean activation; 0 for all.", minimum=0),
    ] = 0

    def strengths(self, features: Floats) -> Floats:
        """Rank channels by their mean magnitude: to silence a dead one changes nothing."""
        import numpy as np

        return np.asarray(np.abs(features).mean(axis=(0, 1), dtype=np.float64))

    def tried(self, subject: Subject, some: Channels) -> Floats:
        """Compute what the scores lose, ``y - y_k``, when each channel is set to zero."""
        import numpy as np

        count = len(some) + 1
        # The first is left as it is, so that both scores are computed alike.
        edited = np.repeat(subject.features[np.newaxis], count, axis=0)
        edited[np.arange(1, count), ..., some] = 0
        inputs = np.broadcast_to(subject.picture, (count, *subject.picture.shape))
        points = subject.batch.points_of(subject.image, count)
        scores = subject.network.scores(inputs, points, replace={subject.path: edited})
        return scores[:1] - scores[1:]

    def weights(self, outcomes: Floats) -> Floats:
        """Take the drops as they are, ``w = y - y_k``.

        The paper and pytorch-grad-cam divide them by y. That is the same for all channels; it would turn the map around
        where the score is below zero and blow it up where a contrast is near zero. Where a layer goes below zero
        pytorch-grad-cam sets channels to 1e7 below its minimum instead of to zero: that is not what the paper says, and
        not done here.
        """
        return outcomes
