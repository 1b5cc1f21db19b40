"""Windows that slide over a picture: where they lie, what hides in them, and what they tell about a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Size = tuple[int, int]
Floats = NDArray[np.floating]
Integers = NDArray[np.integer]


@dataclass(frozen=True)
class Windows:
    """The windows over a picture, placed from the top left and cut at its right and lower edge.

    The last window of a line is the first that reaches the edge, so that every pixel is covered. Windows are numbered
    line by line.

    Parameters
    ----------
    size : (height, width)
        Of the picture, in pixels.
    window : (height, width)
        Of each window.
    stride : (down, right)
        From one window to the next.

    Raises
    ------
    ValueError
        If a window is larger than the picture, or the stride than the window: pixels between windows would have no
        value.

    Examples
    --------
    >>> windows = Windows((4, 5), (2, 3), (2, 2))
    >>> windows.grid
    (2, 2)
    >>> windows.part(3)
    (slice(2, 4, None), slice(2, 5, None))
    """

    size: Size
    window: Size
    stride: Size

    def __post_init__(self) -> None:
        """Refuse what leaves pixels without a window."""
        for size, window, stride in zip(self.size, self.window, self.stride, strict=True):
            if not 1 <= stride <= window <= size:
                raise ValueError(
                    f"windows of {self.window} at strides of {self.stride} don't cover a picture of {self.size}: "
                    "stride <= window <= picture must hold"
                )

    @property
    def grid(self) -> Size:
        """How many windows lie below each other, and how many side by side."""
        rows, columns = self._starts
        return len(rows), len(columns)

    @property
    def count(self) -> int:
        """How many windows there are."""
        return self.grid[0] * self.grid[1]

    @cached_property
    def _starts(self) -> tuple[range, range]:
        """The first line and the first column of the windows of each."""
        sides = zip(self.size, self.window, self.stride, strict=True)
        rows, columns = (range(0, size - window + stride, stride) for size, window, stride in sides)
        return rows, columns

    def part(self, number: int) -> tuple[slice, slice]:
        """The lines and columns of one window."""
        row, column = divmod(number, self.grid[1])
        top, left = self._starts[0][row], self._starts[1][column]
        bottom, right = min(top + self.window[0], self.size[0]), min(left + self.window[1], self.size[1])
        return slice(top, bottom), slice(left, right)

    def coarse_to_fine(self) -> list[int]:
        """Order the windows so that the first few of them lie all over the picture.

        The grid is walked like a quadtree: the first 4**k windows are a coarse grid, the next ones lie between them.

        Examples
        --------
        >>> Windows((4, 4), (1, 1), (1, 1)).coarse_to_fine()[:4]
        [0, 10, 8, 2]
        """
        bits = max(self.grid).bit_length()
        row, column = np.divmod(np.arange(self.count), self.grid[1])
        rank = np.zeros(self.count, np.int64)
        for bit in range(bits):
            # What counts least in a place counts most in its rank; diagonal neighbours come first.
            down, right = (row >> bit) & 1, (column >> bit) & 1
            rank = rank << 2 | (down ^ right) << 1 | right
        return [int(number) for number in np.argsort(rank, kind="stable")]

    def hidden(self, picture: Floats, fill: Floats, numbers: Sequence[int]) -> Floats:
        """Copy a picture once per window, with the fill in the window.

        Parameters
        ----------
        picture, fill : (h, w, c) float ndarray
            The picture and what hides it.
        numbers : sequence of int
            Of n windows.

        Returns
        -------
        (n, h, w, c) float ndarray
        """
        copies = np.repeat(picture[np.newaxis], len(numbers), axis=0)
        for copy, number in zip(copies, numbers, strict=True):
            copy[self.part(number)] = fill[self.part(number)]
        return copies

    def means(self, values: ArrayLike, numbers: Sequence[int]) -> Floats:
        """Average over the windows that cover each pixel.

        Parameters
        ----------
        values : (k, n) array_like
            One value for each of n windows, k times.
        numbers : sequence of int
            Which windows these are, at least one. A pixel that none of them covers receives the mean over all windows
            there, each with the value of the nearest one that has any.

        Returns
        -------
        (k, h, w) float64 ndarray
        """
        given = np.asarray(values, np.float64)
        known = np.zeros((len(given), self.count))
        known[:, numbers] = given
        counts = self._sums(np.isin(np.arange(self.count), numbers).astype(np.float64))
        means = self._sums(known) / np.maximum(counts, 1)
        if counts.all():
            return np.asarray(means)
        guessed = self._sums(known[:, self._nearest(numbers)]) / self._sums(np.ones(self.count))
        return np.where(counts > 0, means, guessed)

    def _sums(self, values: Floats) -> Floats:
        """Sum values of windows, (..., count), over those that cover each pixel, (..., h, w)."""
        rows, columns = (
            np.array([[start <= place < start + window for place in range(size)] for start in starts], np.float64)
            for starts, window, size in zip(self._starts, self.window, self.size, strict=True)
        )
        return np.asarray(rows.T @ values.reshape(*values.shape[:-1], *self.grid) @ columns)

    def spread(self, values: ArrayLike, numbers: Sequence[int]) -> Integers:
        """Lay values out as the windows lie: one for each, line by line.

        Parameters
        ----------
        values : (n,) array_like of int
            One value for each of n windows.
        numbers : sequence of int
            Which windows these are, at least one; each other one has the value of the nearest of them.

        Returns
        -------
        (rows, columns) int32 ndarray
            Of the shape of `grid`.
        """
        known = np.zeros(self.count, np.int32)
        known[numbers] = values
        return known[self._nearest(numbers)].reshape(self.grid)

    def _nearest(self, known: Sequence[int]) -> Integers:
        """The number of the known window that is the fewest steps over the grid away from each window."""
        numbers = np.arange(self.count).reshape(self.grid)
        reached = np.isin(numbers, known)
        on, back, every = slice(1, None), slice(None, -1), slice(None)
        moves = [((on, every), (back, every)), ((back, every), (on, every))]
        moves += [((every, on), (every, back)), ((every, back), (every, on))]
        while not reached.all():
            before = reached.copy()
            for here, there in moves:
                gained = before[there] & ~reached[here]
                numbers[here][gained] = numbers[there][gained]
                reached[here] |= gained
        return numbers.reshape(-1)
