"""Estimates of one quantity: their mean, its confidence interval, and what that says of a map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Estimated:
    """What a plan makes of scores: ``values`` is (estimates, targets, ...), the others have one entry per target."""

    values: Floats
    notes: tuple[tuple[str, ...], ...]
    residuals: tuple[float | None, ...]


def interval(estimates: Floats) -> tuple[Floats, Floats | None]:
    """Average independent estimates and tell how sure the mean is.

    Parameters
    ----------
    estimates : (k, ...) float ndarray
        Of the same quantity.

    Returns
    -------
    mean : (...) ndarray
    half : (...) ndarray or None
        Half the width of the 95 % confidence interval of the mean by Student's t, value by value; None for one
        estimate. It covers the randomness of the masks, nothing else.

    Examples
    --------
    >>> mean, half = interval(np.array([1.0, 3.0]))
    >>> float(mean), round(float(half), 2)
    (2.0, 12.71)
    """
    count = len(estimates)
    mean = estimates.mean(axis=0)
    if count == 1:
        return mean, None
    from scipy.special import stdtrit

    quantile = stdtrit(count - 1, 0.5 + LEVEL / 2)
    return mean, quantile * estimates.std(axis=0, ddof=1) / np.sqrt(count)


def counted(count: int, what: str) -> str:
    """Say how many there are of something.

    Examples
    --------
    >>> counted(1, "superpixel"), counted(2, "superpixel")
    ('1 superpixel', '2 superpixels')
    """
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def told(values: Floats, half: Floats, count: int) -> str:
    """Say how large the intervals of a map are beside its values.

    Examples
    --------
    >>> told(np.array([[4.0, -1.0]]), np.array([[1.0, 2.0]]), 5)
    '95 % interval of 5 estimates: ±1.5 on average, 38% of the largest value; without zero on 50% of the picture'
    """
    mean, largest = float(half.mean()), float(np.abs(values).max())
    share = f"{mean / largest:.0%}" if largest else "beside values of zero"
    sure = f"{float((np.abs(values) > half).mean()):.0%}"
    beside = f"{share} of the largest value" if largest else share
    return (
        f"95 % interval of {count} estimates: ±{mean:.2g} on average, {beside}; without zero on {sure} of the picture"
    )
