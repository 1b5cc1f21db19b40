"""Heads of global average pooling, as class activation mapping reads them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
