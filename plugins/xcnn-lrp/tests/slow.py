"""Relevance one connection at a time, in NumPy and double precision: what the rules say, as plainly as can be."""

from __future__ import annotations

import numpy as np


def shared(contributions, total, relevance, bias=0.0, *, whole=1.0, favoured=0.0, stabiliser=0.0):
    """What one output hands to each of its inputs, by the formulas of `xcnn_lrp.rules`.

    ``contributions`` are those of the inputs, ``total`` is their sum and the bias.
    """
    sign = 1.0 if total >= 0 else -1.0
    kept = [c if c * sign > 0 else 0.0 for c in contributions]
    kept_bias = bias if whole and bias * sign > 0 else 0.0
    divisor = whole * total + favoured * (sum(kept) + kept_bias) + sign * stabiliser
    if divisor == 0:
        return [0.0 for _ in contributions]
    return [(whole * c + favoured * k) / divisor * relevance for c, k in zip(contributions, kept, strict=True)]


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def dense(x, weights, bias, relevance, *, epsilon=0.0, **numbers):
    """Through a dense layer: x (j,), weights (j, k), relevance (k,) gives (j,)."""
    totals = x @ weights + bias
    found = np.zeros_like(x)
    for k, total in enumerate(totals):
        contributions = [x[j] * weights[j, k] for j in range(len(x))]
        found += shared(contributions, total, relevance[k], bias[k], stabiliser=epsilon * rms(totals), **numbers)
    return found


def windows(shape, kernel):
    """Each output position of a convolution without padding, with the part of the input that it sees."""
    for y in range(shape[0] - kernel[0] + 1):
        for x in range(shape[1] - kernel[1] + 1):
            yield (y, x), (slice(y, y + kernel[0]), slice(x, x + kernel[1]))


def convolved(x, kernel, bias):
    out = np.zeros((x.shape[0] - kernel.shape[0] + 1, x.shape[1] - kernel.shape[1] + 1, kernel.shape[3]))
    for place, part in windows(x.shape, kernel.shape):
        out[place] = np.tensordot(x[part], kernel, axes=3) + bias
    return out


def convolution(x, kernel, bias, relevance, *, epsilon=0.0, bounds=None, **numbers):
    """Through a convolution without padding: x (h, w, c), kernel (kh, kw, c, k), relevance (h', w', k)."""
    totals = convolved(x, kernel, bias)
    found = np.zeros_like(x)
    for place, part in windows(x.shape, kernel.shape):
        for k in range(kernel.shape[3]):
            flat, weights = x[part].ravel(), kernel[..., k].ravel()
            if bounds is None:
                handed = shared(
                    flat * weights, totals[(*place, k)], relevance[(*place, k)], bias[k],
                    stabiliser=epsilon * rms(totals), **numbers,
                )  # fmt: skip
            else:
                low, high = (np.broadcast_to(end, x.shape)[part].ravel() for end in bounds)
                parts = [
                    x_j * w - least * max(w, 0.0) - most * min(w, 0.0)
                    for x_j, w, least, most in zip(flat, weights, low, high, strict=True)
                ]
                handed = [one / sum(parts) * relevance[(*place, k)] for one in parts]
            found[part] += np.reshape(handed, x[part].shape)
    return found


def pooled(x):
    return x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, -1).max(axis=(1, 3))


def pooling(x, relevance):
    """Through a maximum over 2x2: the winner takes all."""
    found = np.zeros_like(x)
    for y, row, k in np.ndindex(relevance.shape):
        part = x[2 * y : 2 * y + 2, 2 * row : 2 * row + 2, k]
        dy, dx = np.unravel_index(part.argmax(), part.shape)
        found[2 * y + dy, 2 * row + dx, k] += relevance[y, row, k]
    return found
