"""Maps at the size of the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def enlarged(maps: Floats, size: tuple[int, int], *, nearest: bool = False) -> Floats:
    """Resample maps so that each value keeps its place in the picture.

    Values sit in the middle of their cells, as in OpenCV's INTER_LINEAR and PIL's: the ends of a map are not the ends
    of the picture. Beyond the outermost middles the outermost values go on.

    Parameters
    ----------
    maps : (n, h, w) float ndarray
        Maps of one layer.
    size : (int, int)
        Height and width to reach.
    nearest : bool
        Repeat the value of the cell a pixel lies in, instead of passing from middle to middle along straight lines.

    Returns
    -------
    (n, height, width) float ndarray

    Examples
    --------
    >>> enlarged(np.array([[[0.0, 4.0]]]), (1, 4))
    array([[[0., 1., 3., 4.]]])
    >>> enlarged(np.array([[[0.0, 4.0]]]), (1, 4), nearest=True)
    array([[[0., 0., 4., 4.]]])
    """
    (height, width), (rows, columns) = size, maps.shape[1:]
    if nearest:
        return maps[:, _cells(rows, height)][:, :, _cells(columns, width)]
    return np.asarray(_between(rows, height) @ maps @ _between(columns, width).T, maps.dtype)


def _cells(old: int, new: int) -> NDArray[np.intp]:
    """The cell of the old grid in which the middle of each new cell lies."""
    # In whole numbers: the middle 2i + 1 of 2 new, in steps of 1 / old.
    return (2 * np.arange(new) + 1) * old // (2 * new)


def _between(old: int, new: int) -> NDArray[np.float64]:
    """The (new, old) matrix of linear interpolation between the middles of the old cells."""
    places = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    # A hat of width one around each old middle.
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, np.newaxis] - np.arange(old))))
