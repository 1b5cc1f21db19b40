"""Class activation mapping: sums of feature maps, weighted by channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def channel_means(gradients: Floats) -> Floats:
    """Average gradients over the positions of a layer: one weight per channel.

    Parameters
    ----------
    gradients : (n, h, w, k) float ndarray
        Gradients of a score by the features of a layer.

    Returns
    -------
    (n, k) float ndarray
        In score per activation.

    References
    ----------
    Selvaraju et al., Grad-CAM, ICCV 2017, equation 1.

    Examples
    --------
    >>> channel_means(np.array([[[[1.0], [3.0]]]]))
    array([[2.]])
    """
    # In float64: over a large map the sum of float32 values loses the digits that cancel later.
    return np.asarray(gradients.mean(axis=(1, 2), dtype=np.float64), gradients.dtype)


def weighted_sum(features: Floats, weights: Floats) -> Floats:
    """Sum feature maps by channel weight, keeping the sign.

    Parameters
    ----------
    features : (n, h, w, k) float ndarray
        Activations of one layer.
    weights : (n, k) float ndarray
        One weight per channel.

    Returns
    -------
    (n, h, w) float ndarray
        In score units, not normalised: two maps of one network compare.

    Raises
    ------
    ValueError
        If the numbers of images or channels differ.

    References
    ----------
    Selvaraju et al., Grad-CAM, ICCV 2017, equation 2 without its final ReLU.

    Examples
    --------
    >>> weighted_sum(np.array([[[[1.0, 2.0], [3.0, 0.0]]]]), np.array([[1.0, -1.0]]))
    array([[[-1.,  3.]]])
    """
    if (features.shape[0], features.shape[-1]) != weights.shape:
        raise ValueError(f"features have shape {features.shape} but weights have shape {weights.shape}")
    # A stack of matrix products: (n, h*w, k) @ (n, k, 1).
    n, h, w, k = features.shape
    return np.asarray((features.reshape(n, h * w, k) @ weights[:, :, np.newaxis]).reshape(n, h, w))


def positive(values: Floats) -> Floats:
    """Keep what is above zero and put zero elsewhere (the ReLU of equation 2).

    Examples
    --------
    >>> positive(np.array([-1.0, 3.0]))
    array([0., 3.])
    """
    return np.maximum(values, 0)


def gradcam(features: Floats, gradients: Floats) -> Floats:
    """Weigh feature maps by their mean gradients and keep the positive part of the sum.

    Parameters
    ----------
    features, gradients : (n, h, w, k) float ndarray
        Activations of one layer, and the gradients of a score by them.

    Returns
    -------
    (n, h, w) float ndarray
        In score units.

    References
    ----------
    Selvaraju et al., Grad-CAM, ICCV 2017, equations 1 and 2.

    Examples
    --------
    >>> gradcam(np.array([[[[1.0], [-3.0]]]]), np.array([[[[1.0], [3.0]]]]))
    array([[[2., 0.]]])
    """
    return positive(weighted_sum(features, channel_means(gradients)))
