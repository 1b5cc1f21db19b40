"""The masks of RISE: coarse random grids, enlarged smoothly and shifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xcnn_perturb.estimates import Estimated
from xcnn_perturb.masking import groups

if TYPE_CHECKING:
    from xcnn_perturb.masking import Scored

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]

AT_A_TIME = 32
"""How many masks are in memory when their sums are formed."""


class Grids:
    """Masks for pictures of a size: each cell of a grid is kept with a probability.

    The grid is enlarged bilinearly by one cell more than the picture has, and cut to it at a random place (section 3.2
    of Petsiuk et al.).

    Parameters
    ----------
    size : (height, width)
        Of the picture, in pixels.
    cells : int
        Of the grid, along each side.
    keep : float
        The probability that a cell is kept.
    """

    together = 1
    most: int | None = None
    flat = False

    def __init__(self, size: tuple[int, int], cells: int, keep: float) -> None:
        self._size, self._cells, self._keep = size, cells, keep
        self._steps = tuple(-(-side // cells) for side in size)
        self._lines = tuple(_between(cells, (cells + 1) * step) for step in self._steps)
        self.width = cells * cells + 2

    def drawn(self, number: int, rng: np.random.Generator) -> Integers:  # noqa: ARG002 (masks are alike)
        """Draw one mask: its grid, line by line, and how far the picture is from the top left of the enlarged one."""
        grid = rng.random(self._cells**2) < self._keep
        shift = [rng.integers(step) for step in self._steps]
        return np.array([[*grid, *shift]], np.int64)

    def kept(self, draws: Integers) -> Floats:
        """Enlarge the grids of (n, width) draws: (n, h, w) float32, 0..1."""
        grids = draws[:, :-2].reshape(-1, self._cells, self._cells).astype(np.float32)
        down, right = (
            lines[shifts[:, np.newaxis] + np.arange(side)]
            for lines, shifts, side in zip(self._lines, draws[:, -2:].T, self._size, strict=True)
        )
        return np.asarray(down @ grids @ right.transpose(0, 2, 1), np.float32)

    def estimated(self, found: Scored, parts: int) -> Estimated:
        r"""Relate scores to what was kept: the sample covariance of score and mask over the mean mask.

        .. math:: S(\lambda) = \frac{1}{p (N-1)} \sum_i (f_i - \bar f) M_i(\lambda)

        Its expectation is that of equation 6 of Petsiuk et al. less the mean score, which is the same for all pixels.
        """
        belongs = groups(found.count, self, parts)
        hot = belongs == np.arange(parts)[:, np.newaxis]
        counts = hot.sum(axis=1)
        centred = found.scores - (found.scores @ hot.T / counts)[:, belongs]
        weights = centred / (self._keep * np.maximum(counts - 1, 1))[belongs]
        total = np.zeros((parts * len(weights), self._size[0] * self._size[1]))
        for start in range(0, found.count, AT_A_TIME):
            some = slice(start, start + AT_A_TIME)
            kept = self.kept(found.draws[some])
            each = hot[:, np.newaxis, some] * weights[:, some]
            total += each.reshape(len(total), -1) @ kept.reshape(len(kept), -1)
        means = found.scores.mean(axis=1)
        notes = tuple(
            (f"mean score under the masks {mean:.3g}: the published map is this one plus that",) for mean in means
        )
        return Estimated(total.reshape(parts, -1, *self._size), notes, (None,) * len(means))

    def painted(self, values: Floats) -> Floats:
        """Return values, which are a map."""
        return values


def _between(cells: int, size: int) -> Floats:
    """The (size, cells) matrix that enlarges a line bilinearly, its values in the middle of their cells.

    Examples
    --------
    >>> _between(2, 4) @ [0, 4]
    array([0., 1., 3., 4.])
    """
    places = np.clip((np.arange(size) + 0.5) * cells / size - 0.5, 0, cells - 1)
    return np.asarray(np.maximum(1 - np.abs(places[:, np.newaxis] - np.arange(cells)), 0), np.float32)
