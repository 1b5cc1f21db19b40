"""What methods share that run the network once for each channel of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from xcnn.plugin import BUDGET, Attribution, LayerExplainer, Option, maths

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from xcnn.plugin import Batch, Network, Panel, Target

    Floats = NDArray[np.floating]
    Channels = NDArray[np.intp]

AT_A_TIME, VALUES = 16, 2**22
"""How many inputs are scored at a time at most, and how many numbers they have in all: memory is bounded."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One layer on one picture. ``features`` is (h, w, k)."""

    network: Network
    batch: Batch
    image: int
    path: str
    features: Floats

    @property
    def picture(self) -> NDArray[np.float32]:
        """(height, width, c): what the network received."""
        found: NDArray[np.float32] = self.batch.inputs[self.image]
        return found


@dataclass(frozen=True, kw_only=True)
class Trials(LayerExplainer):
    """Base of explainers that try each channel, weigh it by what comes of it, and sum the positive part."""

    unit: ClassVar[str]
    """Of the maps."""
    ranked: ClassVar[str]
    """Which channels are tried first, in words."""

    top_channels: Annotated[int, Option("How many channels are tried; 0 for all.", minimum=0)] = 0
    budget: Annotated[float | None, BUDGET] = None

    def strengths(self, features: Floats) -> Floats:
        """Rank the channels of (h, w, k) features by (k,) numbers; trials of channels that have zero are all alike."""
        raise NotImplementedError

    def tried(self, subject: Subject, some: Channels) -> Floats:
        """Tell what comes of each of some channels, (channels, classes)."""
        raise NotImplementedError

    def weights(self, outcomes: Floats) -> Floats:
        """Make weights of the outcomes for one target, each (channels,)."""
        raise NotImplementedError

    def cost(self, network: Network) -> int:
        """One pass per channel."""
        every = network.layer(self.picks(network).value).shape[-1] or 0
        return min(self.top_channels or every, every) * max(1, len(self.layer))

    def explain(self, network: Network, batch: Batch) -> list[tuple[Panel, ...]]:
        """Try the channels of each layer once for all targets of an image."""
        network.predict(batch)
        found = network.activations(batch.inputs, self.layer)
        rows: list[tuple[Panel, ...]] = []
        for image in range(batch.images):
            subjects = [Subject(network, batch, image, path, stack[image]) for path, stack in found.items()]
            rows += self._rows(subjects, (batch.targets or ())[batch.rows_of(image)])
        return rows

    def _rows(self, subjects: list[Subject], targets: tuple[Target, ...]) -> list[tuple[Panel, ...]]:
        """One tuple of panels per target of an image, one panel for each layer."""
        plans = [self._plan(subject.features) for subject in subjects]
        progress = subjects[0].batch.progress_of(subjects[0].image, sum(needed for _, needed in plans))
        seconds = None if self.budget is None else self.budget / len(subjects)
        begun, layers = 0, []
        for subject, (order, needed) in zip(subjects, plans, strict=True):
            outcomes: list[Floats] = []
            for part in _parts(needed, size=max(subject.picture.size, subject.features.size), seconds=seconds):
                outcomes += list(self.tried(subject, order[part]))
                progress(begun + len(outcomes))
            begun += needed
            if len(outcomes) == needed:
                outcomes += outcomes[-1:] * (len(order) - needed)
            layers.append(self._panels(subject, order, outcomes, targets))
        progress(begun)
        return list(zip(*layers, strict=True))

    def _plan(self, features: Floats) -> tuple[Channels, int]:
        """The channels in the order in which they are tried, and how many of them need a trial of their own."""
        strengths = self.strengths(features)
        # Stable: of equal channels the first comes first.
        order = (-strengths).argsort(kind="stable")[: self.top_channels or None]
        alive = int((strengths[order] > 0).sum())
        return order, min(alive + 1, len(order))

    def _panels(
        self, subject: Subject, order: Channels, outcomes: list[Floats], targets: tuple[Target, ...]
    ) -> list[Panel]:
        """The maps of one layer, one per target."""
        import numpy as np

        tried, every = len(outcomes), subject.features.shape[-1]
        note = f"{tried} of {every} channels were tried" + (f", those {self.ranked}" if tried < every else "")
        note += "" if tried == len(order) else f": no more within {self.budget or 0:g} s"
        maps = subject.features[..., order[:tried]]
        sums = [maps @ self.weights(target.of(np.stack(outcomes))) for target in targets]
        return [
            Attribution(
                maths.positive(total).astype("float32"),
                sign="positive",
                unit=self.unit,
                layer=subject.path,
                notes=(note,),
            )
            for total in sums
        ]


def _parts(count: int, *, size: int, seconds: float | None) -> Iterator[slice]:
    """Divide trials of `size` numbers each into parts, until all are done or the time is used up."""
    most = max(1, min(AT_A_TIME, VALUES // size))
    budget = maths.Budget(seconds)
    for done in range(0, count, most):
        if done and budget.spent(done):
            break
        yield slice(done, min(done + most, count))
