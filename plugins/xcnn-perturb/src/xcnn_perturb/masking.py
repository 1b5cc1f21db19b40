"""Masked pictures and their scores: drawn one by one from numbered streams, scored many at a time."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from xcnn.plugin import maths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xcnn.plugin import Batch, Network, Target
    from xcnn_perturb.estimates import Estimated

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]

AT_A_TIME, PIXELS = 16, 2**20
"""How many pictures are scored at a time at most, and how many pixels they have in all: memory is bounded."""


class Plan(Protocol):
    """How the masks of one picture are drawn, what they keep of it, and what becomes of their scores."""

    width: int
    """How many numbers tell a mask."""
    together: int
    """How many masks are drawn together."""
    most: int | None
    """How many masks there are when all of them are taken; None when they are drawn at random."""
    flat: bool
    """Whether the map consists of regions of one value."""

    def drawn(self, number: int, rng: np.random.Generator) -> Integers:
        """Draw the masks of one group, (together, width): all that a mask depends on, as whole numbers."""

    def kept(self, draws: Integers) -> Floats:
        """Tell which share of each pixel masks keep: (n, h, w) float32, 0..1, of (n, width) draws."""

    def estimated(self, found: Scored, parts: int) -> Estimated:
        """Estimate the values of each target, `parts` times from different samples."""

    def painted(self, values: Floats) -> Floats:
        """Turn the values of one estimate into a map, (h, w)."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Masks and what the network says of the picture under them.

    ``draws`` is (n, width), ``scores`` (targets, n) float64; ``whole`` and ``hidden`` are (targets,): the scores of the
    picture itself and of what hides it. The first ``earlier`` of them are those of an earlier run.
    """

    draws: Integers
    scores: Floats
    whole: Floats
    hidden: Floats
    earlier: int = 0

    @property
    def count(self) -> int:
        """How many masks there are."""
        return len(self.draws)

    def spread(self, row: int) -> float:
        """How far at most the scores of one target are from that of the picture."""
        return float(np.abs(np.r_[self.scores[row], self.hidden[row]] - self.whole[row]).max())

    def state(self, row: int) -> dict[str, NDArray[np.generic]]:
        """What a later run needs to go on for one target: masks are drawn again, scores are not.

        A mark of each mask tells whether it was drawn the same way.
        """
        return {"scores": self.scores[row], "masks": marks(self.draws)}


class Masked:
    """One picture of a batch under masks: what a network says of it.

    Parameters
    ----------
    network : Network
        The network.
    batch : Batch
        After a pass: with its targets.
    image : int
        Which picture.
    hidden : (h, w, 3 or 4) float32 ndarray
        What is seen where a mask keeps nothing, in pixels.
    """

    def __init__(self, network: Network, batch: Batch, image: int, hidden: Floats) -> None:
        self._network, self._batch, self._image = network, batch, image
        self._hidden = hidden
        self._seen = batch.pixels[image].astype(np.float32) - hidden
        self.targets: tuple[Target, ...] = (batch.targets or ())[batch.rows_of(image)]
        self.largest = float(np.abs(np.asarray(batch.scores)[image]).max())

    @property
    def most(self) -> int:
        """How many masked pictures are in memory at a time."""
        pixels = int(self._hidden[..., 0].size)
        return max(1, min(AT_A_TIME, PIXELS // pixels))

    def ends(self) -> Floats:
        """Score the picture itself and what hides it: (2, targets) float64.

        The scores of the batch differ by rounding with the number of pictures in it; these don't.
        """
        both = np.zeros((2, *self._hidden.shape[:2]), np.float32)
        both[0] = 1
        return self.scores(both).T

    def scores(self, kept: Floats) -> Floats:
        """Score the picture under masks, (n, h, w): (targets, n) float64."""
        # In pixels, as the fill is: the preparation of the input comes after.
        pictures = kept[..., np.newaxis] * self._seen
        pictures += self._hidden  # in place: large arrays take longer to be made than to be changed
        inputs = self._batch.prepare(pictures)
        scores = self._network.scores(inputs, self._batch.points_of(self._image, len(kept)))
        return np.array([target.of(scores) for target in self.targets], np.float64)


def base(rng: np.random.Generator) -> tuple[int, ...]:
    """Take from the random numbers of a picture what tells all its streams apart from those of others."""
    return tuple(int(number) for number in rng.integers(2**32, size=4))


def drawn(plan: Plan, start: int, stop: int, base: Sequence[int]) -> Integers:
    """Draw the masks with the numbers from `start` to `stop`, (n, width).

    Each group of masks has a stream of its own, so that a mask depends on its number alone, not on how many there are.
    """
    rows = []
    for number in range(start // plan.together, -(-stop // plan.together)):
        group = plan.drawn(number, np.random.default_rng([*base, number]))
        first = number * plan.together
        rows.append(group[max(start - first, 0) : stop - first])
    return np.concatenate(rows) if rows else np.zeros((0, plan.width), np.int64)


def marks(draws: Integers) -> NDArray[np.uint32]:
    """One number for each mask, (n,): equal for equal masks."""
    return np.array([zlib.crc32(row.tobytes()) for row in draws], np.uint32)


def groups(count: int, plan: Plan, parts: int) -> Integers:
    """Tell which of `parts` estimates each of `count` masks belongs to, (count,): in turn, pairs together."""
    return np.arange(count) // plan.together % parts


def scored(
    masked: Masked,
    plan: Plan,
    *,
    base: Sequence[int],
    count: int,
    seconds: float | None = None,
    earlier: Sequence[Mapping[str, NDArray[np.generic]]] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Scored:
    """Score `count` masked pictures, those that an earlier run has scored included.

    Parameters
    ----------
    masked : Masked
        The picture.
    plan : Plan
        Draws the masks.
    base : sequence of int
        Where their streams start.
    count : int
        How many.
    seconds : float, optional
        The time for the new ones; at least one call of the network is made.
    earlier : sequence of mapping
        The states of an earlier run, one per target. One that is not of the same masks is not used, nor are the others.
    progress : callable
        Hears how many are done.

    Returns
    -------
    Scored
        Of fewer masks when the time is used up.
    """
    before = _earlier(plan, base, count, earlier)
    scores = [np.zeros((len(masked.targets), 0)) if before is None else before]
    done = first = scores[0].shape[1]
    budget = maths.Budget(seconds)
    while done < count and not (done > first and budget.spent(done - first)):
        some = min(masked.most, count - done)
        scores.append(masked.scores(plan.kept(drawn(plan, done, done + some, base))))
        done += some
        progress(done)
    progress(count)
    every = np.concatenate(scores, axis=1)
    whole, hidden = masked.ends()
    return Scored(drawn(plan, 0, done, base), every, whole, hidden, earlier=first)


def _earlier(
    plan: Plan, base: Sequence[int], count: int, states: Sequence[Mapping[str, NDArray[np.generic]]]
) -> Floats | None:
    """The scores of an earlier run, (targets, n); None where they are not those of these masks."""
    if not states or not all({"scores", "masks"} <= set(state) for state in states):
        return None
    scores, masks = [state["scores"] for state in states], [state["masks"] for state in states]
    if any(one.ndim != 1 or one.shape != scores[0].shape for one in (*scores, *masks)):
        return None
    done = min(count, len(scores[0]))
    again = marks(drawn(plan, 0, done, base))
    if not done or not all(np.array_equal(one[:done], again) for one in masks):
        return None
    return np.stack([one[:done] for one in scores]).astype(np.float64)
