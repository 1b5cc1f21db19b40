"""Superpixels, and the two linear models of what they add to a score."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xcnn_perturb.estimates import Estimated, counted
from xcnn_perturb.masking import groups

if TYPE_CHECKING:
    from xcnn_perturb.masking import Scored

Floats = NDArray[np.floating]
Integers = NDArray[np.integer]

SMOOTH = 1 / 224
"""The blur before a picture is cut, as a share of its shorter side: borders are calmer."""
MOST_BITS = 20
"""More superpixels than that have too many coalitions to take all of them."""
LEAST_PIXELS = 4
"""How large superpixels are at least, on average: SLIC starts from every second pixel, or else from each."""
KERNEL, RIDGE = 0.25, 1.0
"""The width of LIME's kernel and the weight of its ridge, as in the reference implementation."""


def room(height: int, width: int) -> int:
    """How many superpixels a picture can be cut into."""
    return max(1, height * width // LEAST_PIXELS)


def segmented(pixels: NDArray[np.uint8], segments: int) -> Integers:
    """Cut a picture into about as many superpixels by SLIC, (h, w): numbered from 0 without gaps.

    Achanta et al. 2012, its form without a parameter, as scikit-image has it: compact ones in fur and in a clear sky.
    The same picture is always cut the same way. A small one is cut into as many as it has room for.
    """
    from skimage.segmentation import slic

    segments = min(segments, room(*pixels.shape[:2]))
    sigma = SMOOTH * min(pixels.shape[:2])
    labels = slic(pixels[..., :3], n_segments=segments, sigma=sigma, slic_zero=True, start_label=0)
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


def averaged(pixels: NDArray[np.uint8], labels: Integers) -> Floats:
    """Give each superpixel its mean colour: (h, w, 3 or 4) float32; a fourth channel stays as it is."""
    made = pixels.astype(np.float32)
    counts = np.bincount(labels.ravel())
    for channel in range(3):
        means = np.bincount(labels.ravel(), weights=pixels[..., channel].ravel()) / counts
        made[..., channel] = means[labels]
    return made


class Superpixels:
    """What plans over superpixels share: a mask is a row of zeros and ones.

    Parameters
    ----------
    labels : (h, w) int ndarray
        The superpixel of each pixel, numbered from 0 without gaps.
    """

    together = 1
    most: int | None = None
    flat = True

    def __init__(self, labels: Integers) -> None:
        self.labels = labels
        self.width = int(labels.max()) + 1

    def kept(self, draws: Integers) -> Floats:
        """Show the superpixels that (n, width) draws keep: (n, h, w) float32, zeros and ones."""
        return np.take(draws.astype(np.float32), self.labels, axis=1)

    def painted(self, values: Floats) -> Floats:
        """Give each pixel the value of its superpixel."""
        return np.asarray(values[self.labels])

    def _few(self, count: int) -> str:
        """Say that masks, of one estimate, are too few."""
        pictures, parts = counted(count, "masked picture"), counted(self.width, "superpixel")
        return f"{pictures} for {parts}: too few to tell them apart"


class Linear(Superpixels):
    """LIME: each superpixel is kept or not with even chances, and a ridge regression explains the scores."""

    def drawn(self, number: int, rng: np.random.Generator) -> Integers:  # noqa: ARG002 (masks are alike)
        """Draw one mask."""
        return rng.integers(2, size=(1, self.width))

    def estimated(self, found: Scored, parts: int) -> Estimated:
        """Fit the scores near the picture; the picture itself is one of the samples of each estimate."""
        belongs = groups(found.count, self, parts)
        values, fits = [], []
        for part in range(parts):
            mine = belongs == part
            masks = np.concatenate([np.ones((1, self.width)), found.draws[mine]])
            scores = np.concatenate([found.whole[:, np.newaxis], found.scores[:, mine]], axis=1)
            coefficients, fit = ridge(masks, scores.T, closeness(masks))
            values.append(coefficients.T)
            fits.append(fit)
        notes = tuple((self._fit(fit, found.count // parts),) for fit in np.mean(fits, axis=0))
        return Estimated(np.array(values), notes, (None,) * len(notes))

    def _fit(self, fit: float, count: int) -> str:
        # A line through so few scores explains them whatever they are.
        if count < self.width + 2:
            return f"{self._few(count)}, or how much of the scores a line explains"
        return (
            f"{counted(self.width, 'superpixel')}; the linear model explains {max(fit, 0):.0%} of the scores' variance"
        )


def closeness(masks: Floats) -> Floats:
    """Weigh masks, (n, k) zeros and ones, by their likeness to the whole picture: (n,), 1 for the picture itself.

    The root of an exponential kernel on the cosine distance, as in the reference implementation of Ribeiro et al.
    """
    distances = 1 - np.sqrt(masks.mean(axis=1))
    return np.asarray(np.sqrt(np.exp(-((distances / KERNEL) ** 2))))


def ridge(masks: Floats, scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Fit a line by weighted ridge regression with an intercept that is not penalised.

    Parameters
    ----------
    masks : (n, k) ndarray
    scores : (n, targets) ndarray
    weights : (n,) ndarray

    Returns
    -------
    coefficients : (k, targets) ndarray
    fit : (targets,) ndarray
        The share of the weighted variance that the line explains (R²); 0 where there is no variance.
    """
    total = weights.sum()
    centred = masks - weights @ masks / total
    wanted = scores - weights @ scores / total
    gram = centred.T @ (weights[:, np.newaxis] * centred)
    moments = centred.T @ (weights[:, np.newaxis] * wanted)
    coefficients = np.linalg.solve(gram + RIDGE * np.eye(len(gram)), moments)
    left, whole = weights @ (wanted - centred @ coefficients) ** 2, weights @ wanted**2
    return coefficients, np.where(whole > 0, 1 - left / np.where(whole > 0, whole, 1), 0.0)


class Shapley(Superpixels):
    """KernelSHAP: coalitions of superpixels by the Shapley kernel, and a regression whose values sum to what is lost.

    Where all coalitions fit among the samples, each is taken once, with its weight; the values then are the Shapley
    values themselves. Else coalitions are drawn with the kernel as probability, each beside its complement.

    Parameters
    ----------
    labels : (h, w) int ndarray
        The superpixel of each pixel, numbered from 0 without gaps.
    samples : int
        How many coalitions each estimate may have.
    """

    together = 2

    def __init__(self, labels: Integers, samples: int) -> None:
        super().__init__(labels)
        self._all = self.width <= MOST_BITS and 2**self.width - 2 <= samples
        self._sizes = np.arange(1, self.width)
        if self._all:
            self.most = 2**self.width - 2
            # One of each coalition and its complement; those of the largest weight first.
            halves = np.arange(1, 2 ** (self.width - 1))[:, np.newaxis] >> np.arange(self.width) & 1
            sizes = halves.sum(axis=1)
            self._halves = halves[np.argsort(np.minimum(sizes, self.width - sizes), kind="stable")]

    def drawn(self, number: int, rng: np.random.Generator) -> Integers:
        """Draw a coalition and its complement."""
        if self._all:
            mask = self._halves[number]
        else:
            shares = 1 / (self._sizes * (self.width - self._sizes))
            size = rng.choice(self._sizes, p=shares / shares.sum())
            mask = np.zeros(self.width, np.int64)
            mask[rng.permutation(self.width)[:size]] = 1
        return np.stack([mask, 1 - mask])

    def estimated(self, found: Scored, parts: int) -> Estimated:
        """Solve the weighted least squares of theorem 2 of Lundberg and Lee under its constraint."""
        belongs = groups(found.count, self, parts)
        gap = found.whole - found.hidden
        values = []
        for part in range(parts):
            mine = belongs == part
            masks = found.draws[mine].astype(np.float64)
            gains = found.scores[:, mine].T - found.hidden
            values.append(shares(masks, gains, gap, self._weights(masks)).T)
        every = np.array(values)
        sums = every.mean(axis=0).astype(np.float32).sum(axis=1, dtype=np.float64)
        count = found.count // parts
        more = (self._few(count),) if count < self.width else ()
        if self._all and found.count == self.most:
            more = (f"exact: all {self.most} coalitions" if self.most else "exact: one superpixel",)
        ends = zip(sums, found.whole, found.hidden, strict=True)
        notes = tuple((self._sum(*numbers), *more) for numbers in ends)
        return Estimated(every, notes, tuple(float(off) for off in sums - gap))

    def _sum(self, total: float, whole: float, hidden: float) -> str:
        parts = f"{whole:.4g} for the picture less {hidden:.4g} for what hides it"
        values = "the value of 1 superpixel is" if self.width == 1 else f"the values of {self.width} superpixels sum to"
        return f"{values} {total:.4g}: {parts}"

    def _weights(self, masks: Floats) -> Floats:
        """The Shapley kernel where every coalition is taken once; 1 where the kernel is the chance to be drawn."""
        if not self._all:
            return np.ones(len(masks))
        return np.array([kernel(self.width, int(size)) for size in masks.sum(axis=1)])


def kernel(width: int, size: int) -> float:
    """The Shapley kernel of one coalition of `size` out of `width`: theorem 2 of Lundberg and Lee.

    Examples
    --------
    >>> kernel(4, 1), kernel(4, 2)
    (0.25, 0.125)
    """
    return (width - 1) / (math.comb(width, size) * size * (width - size))


def shares(masks: Floats, gains: Floats, gap: Floats, weights: Floats) -> Floats:
    """Find the values whose sums over coalitions come nearest to their gains, and over all superpixels equal the gap.

    Parameters
    ----------
    masks : (n, k) ndarray
        Coalitions, zeros and ones.
    gains : (n, targets) ndarray
        Score of each less that of the empty one.
    gap : (targets,) ndarray
        Score of the full one less that of the empty one.
    weights : (n,) ndarray
        Of the squares that are minimised.

    Returns
    -------
    (k, targets) ndarray
        Each column sums to its gap. Where there are too few coalitions, the ones nearest to equal shares.
    """
    width = masks.shape[1]
    equal = gap / width
    # Rows less their mean span values of sum zero only: what the constraint leaves free.
    sizes = masks.sum(axis=1, keepdims=True)
    roots = np.sqrt(weights)[:, np.newaxis]
    rest = np.linalg.lstsq(roots * (masks - sizes / width), roots * (gains - sizes * equal), rcond=None)[0]
    return np.asarray(equal + rest)
