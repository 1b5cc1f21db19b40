"""A network without TensorFlow: scores are given functions of the pixels."""

from __future__ import annotations

import numpy as np

from xcnn.plugin import Batch, Target


class Toy:
    """Scores inputs, which are the pixels themselves, by functions of one (h, w, 3) picture each."""

    name = "toy"
    warnings = ()

    def __init__(self, *functions):
        self.functions = functions
        self.calls = []

    def scores(self, inputs, points=None):
        self.calls.append(len(inputs))
        return np.array([[one(picture) for one in self.functions] for picture in inputs], np.float32)

    def batch(self, pictures, seed=0, wanted=(0,)):
        made = Batch(
            np.stack(pictures), lambda pixels: pixels.astype(np.float32), tuple(wanted), np.random.default_rng(seed)
        )
        made.progress = lambda done, total: None
        return made

    def predict(self, batch):
        batch.scores = self.scores(batch.inputs)
        batch.targets = tuple(
            Target(want, f"class {want}", float(row[want]), None, ((want, 1.0),))
            for row in batch.scores
            for want in batch.wanted
        )


def drawn(count=1, size=(12, 10), seed=1):
    return list(np.random.default_rng(seed).integers(0, 256, (count, *size, 3), np.uint8))


def patches(size=(24, 24), side=4, seed=1):
    """A picture of flat squares in random colours, which SLIC cuts into many superpixels."""
    (small,) = drawn(1, (size[0] // side, size[1] // side), seed)
    return small.repeat(side, axis=0).repeat(side, axis=1)


def weighing(size, seed=0, shift=0.0):
    """A linear function of the pixels, and its weights."""
    weights = np.random.default_rng(seed).uniform(-1, 1, (*size, 3)) / 255
    return (lambda picture: float((picture * weights).sum()) + shift), weights


def quarters(height=8, width=8, levels=(20, 90, 160, 230)):
    """A picture of four flat quarters, and which one each pixel is in: what SLIC can't cut otherwise."""
    labels = np.zeros((height, width), int)
    labels[:, width // 2 :] += 1
    labels[height // 2 :] += 2
    return np.repeat(np.array(levels, np.uint8)[labels][..., np.newaxis], 3, axis=2), labels


PICTURE, LABELS = quarters()


def of_quarters(function):
    """A network whose score is a function of how much of each quarter is shown, over black."""

    def score(picture):
        return function(
            [float(picture[number == LABELS].mean() / PICTURE[number == LABELS].mean()) for number in range(4)]
        )

    return Toy(score)


def values_of(panel):
    """One value for each quarter, which must be flat."""
    for number in range(4):
        assert len(np.unique(panel.values[number == LABELS])) == 1
    return np.array([panel.values[number == LABELS][0] for number in range(4)])


def game(shown):
    """Neither additive nor symmetric."""
    return 2 + 3 * shown[0] - shown[1] + 4 * shown[0] * shown[2] - 2 * shown[1] * shown[2] * shown[3]
