"""What is put in the place of hidden pixels: pictures without information, made in image space."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.generic]
Floats = NDArray[np.float32]

FILLS = ("mean", "gray", "black", "blur", "#rrggbb")
"""The words `filled` knows; the last stands for any colour."""

MIDDLE_GRAY = 127.5
BLUR = 1 / 16
"""The standard deviation of the blur over the shorter side: 14 px of 224."""


def check_fill(fill: str) -> None:
    """Refuse a word that is no fill.

    Raises
    ------
    ValueError
        Naming the accepted words.

    Examples
    --------
    >>> check_fill("#80a0ff")
    >>> check_fill("grey")
    Traceback (most recent call last):
        ...
    ValueError: the fill is 'grey'; it must be one of mean, gray, black, blur, #rrggbb
    """
    if fill not in FILLS[:-1] and not re.fullmatch("#[0-9a-fA-F]{6}", fill):
        raise ValueError(f"the fill is {fill!r}; it must be one of {', '.join(FILLS)}")


def filled(pixels: Numbers, fill: str) -> Floats:
    """Make the picture that hides a picture: what each pixel becomes when it is taken away.

    Parameters
    ----------
    pixels : (..., h, w, 3 or 4) ndarray
        Pictures with values 0..255. A fourth channel, the opacity, is left as it is.
    fill : str
        "mean" is the mean colour of each picture, "gray" 127.5, "black" 0, "blur" the picture under a Gaussian of a
        sixteenth of its shorter side, "#rrggbb" a colour.

    Returns
    -------
    (..., h, w, 3 or 4) float32 ndarray
        Not rounded.

    Raises
    ------
    ValueError
        For another word.

    Examples
    --------
    >>> filled(np.array([[[0, 0, 9], [255, 1, 9]]]), "mean")[0, 1]
    array([127.5,   0.5,   9. ], dtype=float32)
    """
    check_fill(fill)
    made = np.array(pixels, np.float32)
    colours = made[..., :3]
    if fill == "mean":
        colours[...] = pixels[..., :3].mean(axis=(-3, -2), keepdims=True, dtype=np.float64)
    elif fill == "blur":
        colours[...] = blurred(colours, BLUR * min(pixels.shape[-3:-1]))
    else:
        colours[...] = {"gray": MIDDLE_GRAY, "black": 0.0}[fill] if fill in FILLS else list(bytes.fromhex(fill[1:]))
    return made


def blurred(pictures: Numbers, deviation: float) -> Floats:
    """Blur pictures by a Gaussian; beyond their edges they go on as in a mirror.

    Parameters
    ----------
    pictures : (..., h, w, c) ndarray
        Pictures.
    deviation : float
        Of the Gaussian, in pixels.

    Returns
    -------
    (..., h, w, c) float32 ndarray
    """
    height, width = pictures.shape[-3:-1]
    rows, columns = _gaussian(height, deviation), _gaussian(width, deviation)
    # One matrix product per axis, the channels beside the columns.
    lines = rows @ pictures.reshape(*pictures.shape[:-2], -1).astype(np.float64)
    return np.asarray(columns @ lines.reshape(pictures.shape), np.float32)


def _gaussian(size: int, deviation: float) -> NDArray[np.float64]:
    """The (size, size) matrix of a convolution along one axis: each row sums to 1."""
    if deviation <= 0:
        return np.eye(size)
    reach = int(np.ceil(4 * deviation))
    steps = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (steps / deviation) ** 2)
    places = (np.arange(size)[:, np.newaxis] + steps) % (2 * size)
    # A mirrored line has twice the period: 0 1 2 2 1 0 0 1 2 ...
    places = np.minimum(places, 2 * size - 1 - places)
    matrix = np.zeros((size, size))
    np.add.at(matrix, (np.arange(size)[:, np.newaxis], places), weights / weights.sum())
    return matrix
