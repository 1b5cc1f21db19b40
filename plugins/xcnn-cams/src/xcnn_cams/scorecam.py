"""Score-CAM: what the network makes of the picture under each feature map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn.plugin import Option, Reference, check_fill, maths
from xcnn_cams.trials import Trials

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from xcnn_cams.trials import Channels, Floats, Subject


@dataclass(frozen=True, kw_only=True)
class ScoreCAM(Trials):
    """Weigh each feature map by the score of the picture that it lets through, and sum the positive part.

    Shows the regions that by themselves give the class a high score. No gradient is taken: the network runs once for
    each channel, on the picture times the enlarged map. Evidence against the class does not show, and with --on
    probability all channels weigh about the same.
    """

    name: ClassVar[str] = "scorecam"
    title: ClassVar[str] = "Score-CAM"
    xcnn_api: ClassVar[str] = "1.0"
    source: ClassVar[Reference] = Reference(
        "Wang et al.", 2020, "Score-CAM, algorithm 1", "https://arxiv.org/abs/1910.01279"
    )
    unit: ClassVar[str] = "activation"
    ranked: ClassVar[str] = "whose maps vary most"

    top_channels: Annotated[
        int, Option("How many channels are tried, those whose maps vary most; 0 for all, as in the paper.", minimum=0)
    ] = 64
    fill: Annotated[
        str,
        Option(
            "What the picture fades to where a map is low: zero, what the network receives becomes zero, as in the "
            "paper; mean (the picture's mean colour), gray, black, blur or a colour like #8090a0."
        ),
    ] = "zero"
    enlarge: Annotated[
        str,
        Option(
            "How maps grow to the size of the picture: bilinear, between the middles of their cells; corners, between "
            "the corners of the picture, as pytorch-grad-cam does.",
            choices=("bilinear", "corners"),
        ),
    ] = "bilinear"

    def __post_init__(self) -> None:
        """Check the fill, too."""
        super().__post_init__()
        check_fill(self.fill, "zero")

    def strengths(self, features: Floats) -> Floats:
        """Rank channels by how much their maps vary: one with the same value everywhere hides the whole picture."""
        import numpy as np

        flat = np.ptp(features, axis=(0, 1)) == 0
        return np.where(flat, 0, features.std(axis=(0, 1), dtype=np.float64))

    def tried(self, subject: Subject, some: Channels) -> Floats:
        """Score the picture under each map."""
        shown = masks(subject.features[..., some], subject.picture.shape[:2], corners=self.enlarge == "corners")
        masked = subject.picture * shown
        if self.fill != "zero":
            hidden = maths.filled(subject.batch.pixels[[subject.image]], self.fill)
            # Preprocessing works pixel by pixel, so the picture can fade after it.
            masked += subject.batch.prepare(hidden) * (1 - shown)
        return subject.network.scores(masked, subject.batch.points_of(subject.image, len(some)))

    def weights(self, outcomes: Floats) -> Floats:
        """Compute ``w = softmax(S)`` over the channels.

        The paper's S is the increase of the score over that of an empty picture, which is the same for all channels and
        cancels.
        """
        import numpy as np

        raised = np.exp(outcomes - outcomes.max(), dtype=np.float64)
        return np.asarray(raised / raised.sum())


def masks(features: Floats, size: tuple[int, int], *, corners: bool = False) -> NDArray[np.float32]:
    """Enlarge each map and stretch it to 0..1: ``H = s(Up(A))``.

    The paper's code enlarges between the middles of cells, pytorch-grad-cam between the corners of the picture, and
    adds 1e-8 to the range; here a map of one value becomes all zero.

    Parameters
    ----------
    features : (h, w, k) float ndarray
        Activations of one layer on one picture.
    size : (int, int)
        Height and width of the input.
    corners : bool
        Put the outermost values at the ends of the picture instead of into the middles of their cells.

    Returns
    -------
    (k, height, width, 1) float32 ndarray

    References
    ----------
    Wang et al., Score-CAM, CVPR workshops 2020, algorithm 1.
    """
    import numpy as np

    maps = features.transpose(2, 0, 1)
    large = _stretched(maps, size) if corners else maths.enlarged(maps, size)
    low, high = large.min(axis=(1, 2), keepdims=True), large.max(axis=(1, 2), keepdims=True)
    found = np.divide(large - low, high - low, out=np.zeros_like(large), where=high > low)
    return np.asarray(found[..., np.newaxis], np.float32)


def _stretched(maps: Floats, size: tuple[int, int]) -> Floats:
    """Resample (n, h, w) maps along straight lines so that their corners are those of the picture."""
    import numpy as np

    down, across = (
        # A hat of width one around each old value.
        np.maximum(0, 1 - np.abs(np.linspace(0, old - 1, new)[:, np.newaxis] - np.arange(old)))
        for old, new in zip(maps.shape[1:], size, strict=True)
    )
    return np.asarray(down @ maps @ across.T)
