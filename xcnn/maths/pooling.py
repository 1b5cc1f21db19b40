"""Heads of global average pooling, as class activation mapping reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xcnn.maths.enlarging import enlarged

if TYPE_CHECKING:
    from collections.abc import Sequence

Floats = NDArray[np.floating]


def pooled_weights(gradients: Floats) -> Floats:
    """The weights that a head gives to the averages of feature maps.

    Behind global average pooling the gradient is the same at every position: the weight over the number of positions.

    Parameters
    ----------
    gradients : (n, h, w, k) float ndarray
        Gradients of a score by the features that are averaged.

    Returns
    -------
    (n, k) float ndarray
        In score per mean activation.

    Raises
    ------
    ValueError
        If the gradients differ between positions: what follows is no global average pooling.

    References
    ----------
    Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016, equation 1.

    Examples
    --------
    >>> pooled_weights(np.array([[[[0.5], [0.5]]]]))
    array([[1.]])
    """
    largest = np.abs(gradients).max(axis=(1, 2, 3))
    if (np.ptp(gradients, axis=(1, 2)) > 1e-4 * largest[:, np.newaxis]).any():
        raise ValueError("the gradients differ between positions")
    return np.asarray(gradients.sum(axis=(1, 2), dtype=np.float64), gradients.dtype)


def added(maps: Sequence[Floats]) -> Floats:
    """Add maps that are averaged side by side, the coarser ones enlarged to the finest.

    The mean of the sum is the sum of their means where sizes are multiples of each other, and nearly so elsewhere.

    Parameters
    ----------
    maps : sequence of (n, h, w) float ndarray
        What each layer adds to a score, for the same pictures.

    Returns
    -------
    (n, height, width) float ndarray
        The largest height and width of all.

    Examples
    --------
    >>> added([np.array([[[0.0, 4.0]]]), np.array([[[1.0, 1.0, 1.0, 1.0]]])])
    array([[[1., 2., 4., 5.]]])
    """
    size = max(one.shape[1] for one in maps), max(one.shape[2] for one in maps)
    return np.asarray(np.sum([enlarged(one, size) for one in maps], axis=0, dtype=np.float64), maps[0].dtype)
