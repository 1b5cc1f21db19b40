"""Occlusion: how far a score drops when a part of the picture is hidden."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from xcnn import maths
from xcnn.errors import OptionError
from xcnn.plugin import BUDGET, FILL, Attribution, Explainer, Labels, Option, Reference, Table, check_fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xcnn.plugin import Batch, Network, Panel

AT_A_TIME, PIXELS = 16, 2**20
"""How many inputs are scored at a time at most, and how many pixels they have in all: memory is bounded."""
SIDE, STEP = 5, 4
"""The default window is a fifth of the shorter side, and moves by a quarter of itself."""
ROUNDING = 2.0**-20
"""What may differ between two passes that should agree, as a share of the largest score."""


@dataclass(frozen=True, kw_only=True)
class Occlusion(Explainer):
    """Hide one part of the picture after another and measure how far the score drops.

    The value of a pixel is the mean drop over the windows that cover it; where it is below zero, hiding it raises the
    score. It shows regions as large as the window, and nothing where two parts each suffice alone. The second picture
    tells what the network sees instead, one cell for each window.
    """

    name: ClassVar[str] = "occlusion"
    title: ClassVar[str] = "Occlusion"
    source: ClassVar[Reference] = Reference(
        "Zeiler and Fergus",
        2014,
        "Visualizing and Understanding Convolutional Networks",
        "https://arxiv.org/abs/1311.2901",
    )

    window: Annotated[
        tuple[int, int] | None,
        Option(
            "What is hidden at a time, in pixels of the network's input; one number is a square. "
            "Default: a fifth of the shorter side.",
            metavar="HxW",
            separator="x",
            unit="px",
            minimum=1,
        ),
    ] = None
    stride: Annotated[
        tuple[int, int] | None,
        Option(
            "From one window to the next. Default: a quarter of the window.",
            metavar="HxW",
            separator="x",
            unit="px",
            minimum=1,
        ),
    ] = None
    fill: Annotated[str, FILL] = "mean"
    budget: Annotated[float | None, BUDGET] = None

    def __post_init__(self) -> None:
        """Check the fill, too."""
        super().__post_init__()
        check_fill(self.fill)

    def cost(self, network: Network) -> int:
        """One pass per window."""
        return self.windows(network.input_size).count

    def windows(self, size: tuple[int, int]) -> maths.Windows:
        """Place the windows over pictures of a size (height, width).

        Raises
        ------
        OptionError
            If the window is larger than that, or smaller than the stride.
        """
        side = max(1, round(min(size) / SIDE))
        window = self.window or (side, side)
        stride = self.stride or (max(1, window[0] // STEP), max(1, window[1] // STEP))
        spelled = "{}x{}".format
        if window[0] > size[0] or window[1] > size[1]:
            raise OptionError(
                f"--window is {spelled(*window)}, larger than the network's input of {spelled(*size)}",
                hint="choose a smaller window, or leave it out",
            )
        if stride[0] > window[0] or stride[1] > window[1]:
            raise OptionError(
                f"--stride is {spelled(*stride)}, but with windows of {spelled(*window)} that leaves pixels out",
                hint="choose a stride as large as the window at most",
            )
        return maths.Windows(size, window, stride)

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Score every window of an image once for all its targets."""
        height, width = batch.pixels.shape[1:3]
        windows = self.windows((height, width))
        network.predict(batch)
        return [row for image in range(batch.images) for row in self._rows(network, batch, image, windows)]

    def _rows(self, network: Network, batch: Batch, image: int, windows: maths.Windows) -> list[tuple[Panel, ...]]:
        """One tuple of panels per target of an image; what wins does not depend on the target: the first tells it."""
        assert batch.targets is not None  # noqa: S101 (predict fills them)
        targets = batch.targets[batch.rows_of(image)]
        # Alone: the scores of a batch differ in the last digits with its size, and drops are small differences.
        whole = network.scores(batch.inputs[image : image + 1], batch.points_of(image, 1))
        numbers: list[int] = []
        winners: list[int] = []
        drops: list[list[float]] = [[] for _ in targets]
        for some, scores in self._scored(network, batch, image, windows):
            numbers += some
            winners += scores.argmax(axis=1).tolist()
            for drop, target in zip(drops, targets, strict=True):
                drop.extend((target.of(whole) - target.of(scores)).tolist())
        partly = f"{len(numbers)} of {windows.count} windows within {self.budget or 0:g} s"
        notes = () if len(numbers) == windows.count else (partly,)
        nothing = ROUNDING * float(abs(whole).max())
        rows = [
            _attribution(values, notes, idle=max(map(abs, drop)) <= nothing)
            for values, drop in zip(windows.means(drops, numbers), drops, strict=True)
        ]
        # Maps of scores are told by their areas, not by the largest score.
        told = whole.shape[1] > 1 and (batch.areas is None or batch.points is not None)
        more = _winners(network, windows.spread(winners, numbers), winners, notes) if told else ()
        return [(row, *(more if number == 0 else ())) for number, row in enumerate(rows)]

    def _scored(
        self, network: Network, batch: Batch, image: int, windows: maths.Windows
    ) -> Iterator[tuple[list[int], Any]]:
        """Score the windows of an image, some at a time, until all are done or the time is used up."""
        picture = batch.inputs[image]
        # Inputs are prepared pixel by pixel, so a window can be filled after that.
        fill = batch.prepare(maths.filled(batch.pixels[image : image + 1], self.fill))[0]
        order, progress = windows.coarse_to_fine(), batch.progress_of(image, windows.count)
        most = max(1, min(AT_A_TIME, PIXELS // (windows.size[0] * windows.size[1])))
        budget = maths.Budget(self.budget)
        for done in range(0, len(order), most):
            if done and budget.spent(done):
                break
            some = order[done : done + most]
            inputs = windows.hidden(picture, fill, some)
            yield some, network.scores(inputs, batch.points_of(image, len(some)))
            progress(done + len(some))
        progress(windows.count)


def _attribution(values: Any, notes: tuple[str, ...], *, idle: bool) -> Attribution:
    """A map of mean drops; all zero where there is nothing but rounding."""
    values = values.astype("float32")
    if idle:
        values, notes = abs(values) * 0, (*notes, "no window changes the score")
    return Attribution(values, sign="signed", unit="score", notes=notes)


def _winners(network: Network, places: Any, winners: list[int], notes: tuple[str, ...]) -> tuple[Panel, ...]:
    """Tell which class has the highest score under each window, and how often."""
    counted = sorted(Counter(winners).items(), key=lambda one: (-one[1], one[0]))
    names = {index: network.label(index) for index, _ in counted}
    rows = tuple((names[index], times, f"{times / len(winners):.1%}") for index, times in counted)
    return (
        Labels(places, names, title="predicted class under each window", notes=notes),
        Table("how often each class wins", ("class", "windows", "share"), rows, notes=notes),
    )
