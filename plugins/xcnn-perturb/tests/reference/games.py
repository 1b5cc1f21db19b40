"""Scores of eight superpixels that are neither additive nor symmetric: what the libraries and the tests explain."""

from __future__ import annotations

import numpy as np

COUNT = 8


def game(masks):
    """Score masks, (n, 8) zeros and ones: (n, 2)."""
    z = np.asarray(masks, np.float64)
    first = (
        2 + 3 * z[:, 0] - z[:, 1] + 4 * z[:, 0] * z[:, 2] - 2 * z[:, 1] * z[:, 3] * z[:, 4] + np.sin(z @ np.arange(8))
    )
    second = np.cbrt(z @ np.linspace(-1, 2, 8) - 1)
    return np.stack([first, second], axis=1)
