"""A network whose scores are a formula of the pixels, so that gradients are known to the last digit."""

from __future__ import annotations

import numpy as np
from fakes import FakeNetwork


class FormulaNetwork(FakeNetwork):
    """Score k is the sum of ``weights[k] * input ** power``, where ``input = pixels[channels] * scale + offset``."""

    def __init__(self, *, power=1, scale=1 / 255, offset=0.0, order=(0, 1, 2), seed=0):
        self.weights = np.random.default_rng(seed).normal(size=(3, 4, 4, 3))
        self.power, self.scale, self.offset, self.order = power, scale, offset, list(order)
        self.calls = []

    def prepare(self, pixels):
        return (pixels[..., self.order] * np.float32(self.scale) + np.float32(self.offset)).astype(np.float32)

    def batch(self, pictures, wanted, rng):
        batch = super().batch(pictures, wanted, rng)
        batch.prepare = self.prepare
        return batch

    def predict(self, batch):
        """The best class of each image, then the first class: two rows each."""
        batch.scores = self.scores(batch.inputs)
        batch.targets = tuple(self._target(row, index) for row in batch.scores for index in (int(row.argmax()), 0))

    def scores(self, inputs, points=None):
        return np.einsum("khwc,nhwc->nk", self.weights, np.asarray(inputs, np.float64) ** self.power)

    def gradients(self, inputs, targets, points=None):
        self.calls.append(np.asarray(inputs))
        slopes = self.power * inputs[:, np.newaxis] ** (self.power - 1)
        return np.stack([slopes[:, 0] * self.weights[target.index] for target in targets], axis=1).astype(np.float32)

    def input_gradients(self, batch, rule="plain"):
        self.predict(batch)
        each = len(batch.targets) // batch.images
        rows = [self.gradients(batch.inputs[[row // each]], [target]) for row, target in enumerate(batch.targets)]
        return np.concatenate(rows)[:, 0]
