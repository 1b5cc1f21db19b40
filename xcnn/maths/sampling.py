"""Gradients averaged over many inputs: along a path, or around a point."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Floats = NDArray[np.floating]
Sample = tuple[float, Floats]
"""A weight and one input, (h, w, c)."""

POSITIONS = 16 * 224 * 224
MOST = 64


def accumulated(
    samples: Iterable[Sample],
    slopes: Callable[[Floats], Floats],
    *,
    heard: Callable[[int], None] | None = None,
    enough: Callable[[int], bool] | None = None,
) -> NDArray[np.float64]:
    """Sum the gradients at a stream of inputs, each times its weight.

    Memory does not grow with the number of samples: twice as many inputs as make sixteen pictures of 224x224 (64 at
    most) are in memory at a time.

    Parameters
    ----------
    samples : iterable of (float, (h, w, c) float ndarray)
        Weights and inputs.
    slopes : callable
        Takes inputs (n, h, w, c), returns gradients (n, targets, h, w, c).
    heard : callable, optional
        Hears after each call of `slopes` how many samples are done.
    enough : callable, optional
        Asked with that number after each call; True ends it.

    Returns
    -------
    (targets, h, w, c) float64 ndarray
        Summed in float64 over the calls of `slopes`: the parts may nearly cancel.

    Raises
    ------
    ValueError
        If there is no sample.

    Examples
    --------
    >>> inputs = np.array([1.0, 3.0]).reshape(2, 1, 1, 1)
    >>> accumulated(zip([0.5, 0.5], inputs), lambda x: x[:, np.newaxis] ** 2).ravel()
    array([5.])
    """
    stream = iter(samples)
    total: NDArray[np.float64] | None = None
    done = 0
    # The next inputs are made while the network works on these: it leaves a part of the processors idle.
    with ThreadPoolExecutor(1, "xcnn-samples") as ahead:
        following = ahead.submit(_chunk, stream)
        while (chunk := following.result()) is not None:
            following = ahead.submit(_chunk, stream)
            weights, inputs = chunk
            gradients = slopes(inputs)
            # No matrix product: the threads that it leaves spinning for a while would slow the network down.
            part = np.einsum("n,n...->...", weights.astype(gradients.dtype), gradients)
            total = part.astype(np.float64) if total is None else total + part
            done += len(inputs)
            if heard:
                heard(done)
            if enough and enough(done):
                break
    if total is None:
        raise ValueError("there is no sample to average over")
    return total


def _chunk(stream: Iterator[Sample]) -> tuple[NDArray[np.float64], Floats] | None:
    """The next samples that are in memory together, (n,) and (n, h, w, c); None when there are no more."""
    first = next(stream, None)
    if first is None:
        return None
    height, width = first[1].shape[:2]
    samples = [first, *islice(stream, min(MOST, max(1, POSITIONS // (height * width))) - 1)]
    return np.asarray([weight for weight, _ in samples], np.float64), np.stack([inputs for _, inputs in samples])


def straight_path(start: Floats, end: Floats, steps: int) -> Iterator[Sample]:
    """Walk from one input to another, at the places of Gauss-Legendre quadrature.

    With `steps` places the mean over the path is exact for polynomials of degree ``2 * steps - 1``.

    Parameters
    ----------
    start, end : (h, w, c) float ndarray
        The ends, which are no places of the quadrature themselves.
    steps : int
        How many places.

    Yields
    ------
    (float, (h, w, c) float ndarray)
        Weights, which sum to 1, and inputs.

    Examples
    --------
    >>> [(weight, place.item()) for weight, place in straight_path(np.zeros(1), np.ones(1), 1)]
    [(1.0, 0.5)]
    """
    places, weights = np.polynomial.legendre.leggauss(steps)
    for place, weight in zip(places, weights, strict=True):
        share = (place + 1) / 2
        yield float(weight / 2), np.asarray((1 - share) * start + share * end, end.dtype)


def noisy_copies(inputs: Floats, deviation: Floats, *, count: int, rng: np.random.Generator) -> Iterator[Sample]:
    """Add Gaussian noise to one input, `count` times.

    Parameters
    ----------
    inputs : (h, w, c) float ndarray
        What the network receives.
    deviation : (h, w, c) or broadcastable float ndarray
        The standard deviation of the noise, in the units of the input.
    count : int
        How many copies.
    rng : Generator
        The source of the noise.

    Yields
    ------
    (float, (h, w, c) float32 ndarray)
        The weight ``1 / count``, and a copy; never clipped, so that its mean stays the input.
    """
    for _ in range(count):
        copy = rng.standard_normal(inputs.shape, np.float32)
        copy *= deviation  # in place: large arrays take longer to be made than to be changed
        copy += inputs
        yield 1 / count, copy


def brightness_range(pixels: NDArray[np.uint8]) -> float:
    """The largest less the smallest value of a picture's colours, as a fraction of 255.

    Examples
    --------
    >>> brightness_range(np.array([[[0, 51, 10], [0, 0, 0]]], np.uint8))
    0.2
    """
    return float(np.ptp(pixels[..., :3])) / 255
