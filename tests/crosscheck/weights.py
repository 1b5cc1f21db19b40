"""Two small networks as lists of steps with weights drawn from a seed, for any framework to build.

A step is (kind, name, weights, settings); kernels are (height, width, channels in, channels out).
"""

from __future__ import annotations

import numpy as np

SIZE = 32, 24
CLASSES = 10
TARGET = 5
CAM_LAYERS = {"vgg": "conv6", "mobilenet": "relu9"}
NAMES = tuple(CAM_LAYERS)
WINDOWS = {"even": ((8, 8), (4, 4)), "cut": ((7, 5), (3, 4))}
"""Occlusion: windows and strides; the second do not fit into the picture."""
STEPS = 50
"""Places of integrated gradients."""


def picture():
    """(h, w, 3) uint8: soft blobs, so that neighbours are alike as in a photograph."""
    rng = np.random.default_rng(7)
    coarse = rng.uniform(0, 255, (SIZE[0] // 4 + 1, SIZE[1] // 4 + 1, 3))
    y, x = np.arange(SIZE[0]) / 4, np.arange(SIZE[1]) / 4
    top, left = y.astype(int), x.astype(int)
    down, right = (y - top)[:, None, None], (x - left)[None, :, None]
    a, b = coarse[top][:, left], coarse[top][:, left + 1]
    c, d = coarse[top + 1][:, left], coarse[top + 1][:, left + 1]
    return np.round((a * (1 - right) + b * right) * (1 - down) + (c * (1 - right) + d * right) * down).astype(np.uint8)


def steps(name):
    """The steps of a network."""
    return {"vgg": _vgg, "mobilenet": _mobilenet}[name](np.random.default_rng(11))


def _drawn(rng, *shape, gain=2.0):
    """Weights that keep the size of activations behind a ReLU."""
    spread = np.sqrt(3 * gain / np.prod(shape[:-1]))
    return rng.uniform(-spread, spread, shape).astype(np.float32)


def _small(rng, count):
    return rng.uniform(-0.1, 0.1, count).astype(np.float32)


def _vgg(rng):
    """Three blocks of two convolutions, a hidden dense layer and the classes."""
    found, channels, number = [], 3, 0
    for block, filters in enumerate((16, 24, 32)):
        for _ in range(2):
            number += 1
            weights = _drawn(rng, 3, 3, channels, filters), _small(rng, filters)
            found += [("conv", f"conv{number}", weights, {"stride": 1}), ("relu", f"relu{number}", (), {})]
            channels = filters
        if block < 2:
            found.append(("pool", f"pool{block + 1}", (), {}))
    flat = SIZE[0] // 4 * (SIZE[1] // 4) * channels
    found.append(("flatten", "flatten", (), {}))
    found += [("dense", "hidden", (_drawn(rng, flat, 64), _small(rng, 64)), {}), ("relu", "relu7", (), {})]
    return [*found, ("dense", "classes", (_drawn(rng, 64, CLASSES, gain=1.0), _small(rng, CLASSES)), {})]


def _mobilenet(rng):
    """Depthwise separable convolutions with batch normalization and ReLU6, pooled."""
    found, channels, number = [], 3, 0

    def normalized(count):
        nonlocal number
        number += 1
        gamma, variance = rng.uniform(2, 5, count), rng.uniform(0.5, 1.5, count)
        weights = tuple(part.astype(np.float32) for part in (gamma, _small(rng, count), _small(rng, count), variance))
        return [("norm", f"norm{number}", weights, {}), ("relu6", f"relu{number}", (), {})]

    found += [("conv", "stem", (_drawn(rng, 3, 3, channels, 16), None), {"stride": 2}), *normalized(16)]
    channels = 16
    for block, (filters, stride) in enumerate([(24, 1), (32, 2), (32, 1), (48, 1)], start=1):
        depthwise = _drawn(rng, 3, 3, channels, 1)
        found += [("depthwise", f"depthwise{block}", (depthwise, None), {"stride": stride}), *normalized(channels)]
        found += [("conv", f"pointwise{block}", (_drawn(rng, 1, 1, channels, filters), None), {"stride": 1})]
        found += normalized(filters)
        channels = filters
    found.append(("gap", "gap", (), {}))
    return [*found, ("dense", "classes", (_drawn(rng, channels, CLASSES, gain=1.0), _small(rng, CLASSES)), {})]


def checksum(name):
    """The sum of all weights' magnitudes: tells whether they were drawn alike."""
    return float(
        sum(np.abs(part).sum(dtype=np.float64) for _, _, parts, _ in steps(name) for part in parts if part is not None)
    )
