"""Gradients by the pixels: how the channels of a pixel become one number."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

REDUCTIONS = {
    "max": lambda values: np.abs(values).max(axis=-1),
    "mean": lambda values: np.abs(values).mean(axis=-1),
    "l2": lambda values: np.linalg.norm(values, axis=-1),
    "signed": lambda values: values.sum(axis=-1),
}


def reduced(values: Floats, how: str) -> Floats:
    """Make one number of the channels of each pixel.

    Parameters
    ----------
    values : (n, h, w, c) float ndarray
        One value per channel, such as a gradient.
    how : str
        "max" for the largest magnitude, "mean" for the mean magnitude, "l2" for the Euclidean norm, "signed" for the
        sum with its sign.

    Returns
    -------
    (n, h, w) float ndarray
        In the unit of the values; below zero for "signed" alone.

    Raises
    ------
    KeyError
        For another word.

    References
    ----------
    Simonyan et al., Deep Inside Convolutional Networks, 2014, section 3.1, for "max".

    Examples
    --------
    >>> [reduced(np.array([[[[3.0, -4.0]]]]), how).item() for how in ("max", "mean", "l2", "signed")]
    [4.0, 3.5, 5.0, -1.0]
    """
    return np.asarray(REDUCTIONS[how](values), values.dtype)


def sign_of(reduce: str) -> Literal["positive", "signed"]:
    """Tell whether maps that `reduced` makes may be negative.

    Examples
    --------
    >>> sign_of("max"), sign_of("signed")
    ('positive', 'signed')
    """
    return "signed" if reduce == "signed" else "positive"
