"""What is said of the channels of a layer: which are strongest, and which are dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.floating]


def strongest(maps: Floats, count: int) -> list[int]:
    """Find the channels with the largest mean, the largest first.

    Parameters
    ----------
    maps : (h, w, k) float ndarray
        Feature maps of one picture.
    count : int
        How many to find at most.

    Examples
    --------
    >>> strongest(np.array([[[1.0, 5.0, 3.0]]]), 2)
    [1, 2]
    """
    means = maps.mean(axis=(0, 1), dtype=np.float64)
    # Stable: of equal channels the first comes first.
    return [int(channel) for channel in np.argsort(-means, kind="stable")[:count]]


def constant_channels(maps: Floats) -> list[bool]:
    """Tell of each channel whether it has one value at every position: it says nothing about the picture.

    Parameters
    ----------
    maps : (h, w, k) float ndarray
        Feature maps of one picture.

    Examples
    --------
    >>> constant_channels(np.array([[[0.0, 1.0], [0.0, 2.0]]]))
    [True, False]
    """
    return [bool(one) for one in maps.max(axis=(0, 1)) == maps.min(axis=(0, 1))]


def numbered(words: Sequence[str], count: int) -> list[int]:
    """Read numbers and ranges of channels, such as ``5`` and ``0-63``, both ends included.

    Parameters
    ----------
    words : sequence of str
        What the user wrote; none at all means every channel.
    count : int
        How many channels there are.

    Returns
    -------
    list of int
        In the order given, each once.

    Raises
    ------
    ValueError
        For a word that is neither, and a channel that does not exist.

    Examples
    --------
    >>> numbered(["5", "0-2"], 8)
    [5, 0, 1, 2]
    >>> numbered(["0-8"], 8)
    Traceback (most recent call last):
        ...
    ValueError: there is no channel 8; there are 8, 0 to 7
    """
    found: dict[int, None] = {}
    for word in words:
        first, dash, last = word.partition("-")
        ends = [end.strip() for end in ((first, last) if dash else (first, first))]
        if not all(end.isascii() and end.isdigit() for end in ends) or int(ends[0]) > int(ends[1]):
            raise ValueError(f"{word!r} is neither a channel nor a range like 0-63")
        if int(ends[1]) >= count:
            raise ValueError(f"there is no channel {int(ends[1])}; there are {count}, 0 to {count - 1}")
        found |= dict.fromkeys(range(int(ends[0]), int(ends[1]) + 1))
    return list(found) if words else list(range(count))
