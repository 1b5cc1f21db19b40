"""A network without TensorFlow: fixed features and gradients, scores that are the means of the colours.

Its only layer, "conv", is pooled; its gradients by the input are those of the means, with the rules as if a rectifier
were last.
"""

from __future__ import annotations

import numpy as np

from xcnn.errors import LayerError, MisfitError
from xcnn.plugin import Batch, Choice, Layer, Rectifiers, Target


class FakeNetwork:
    """Answers with the arrays it was given."""

    name = "fake"
    warnings = ()
    input_shape = (4, 4, 3)
    input_size = (4, 4)
    colours = "rgb"
    covered = 1

    def __init__(self, features=None, gradients=None):
        self.features = np.zeros((1, 2, 2, 1), np.float32) if features is None else np.asarray(features, np.float32)
        self.slopes = np.ones_like(self.features) if gradients is None else np.asarray(gradients, np.float32)
        self.asked = []

    def layers(self):
        return (Layer("conv", "Conv2D", self.features.shape[1:], leaf=True),)

    def maps(self):
        return self.layers()

    def default_layer(self):
        return Choice("conv", "the only one")

    def pooled(self):
        return ("conv",)

    def rectifiers(self):
        return Rectifiers(self.covered, {} if self.covered else {"swish": 1})

    def kernels(self, layer):
        self._known([layer])
        return np.arange(54, dtype=np.float32).reshape(3, 3, 3, 2)

    def label(self, index):
        return ("red", "green", "blue")[index]

    def scores(self, inputs, points=None):
        return np.asarray(inputs, np.float32).mean(axis=(1, 2))

    def batch(self, pictures, wanted, rng):
        pixels = np.stack([picture[:4, :4] for picture in pictures])
        return Batch(pixels, lambda values: values.astype(np.float32), tuple(wanted), rng)

    def predict(self, batch):
        batch.scores = self.scores(batch.inputs)
        batch.targets = tuple(self._target(row, int(row.argmax())) for row in batch.scores)

    def best(self, batch, count):
        return [tuple(self._target(row, int(index)) for index in np.argsort(-row)[:count]) for row in batch.scores]

    def _target(self, row, index):
        return Target(index, self.label(index), float(row[index]), None, ((index, 1.0),))

    def layer_gradients(self, batch, layers, rule="plain"):
        self.asked.append(tuple(layers))
        self._known(layers)
        self.predict(batch)
        count = batch.images
        features = np.broadcast_to(self.features, (count, *self.features.shape[1:]))
        gradients = np.broadcast_to(self.slopes, (count, *self.slopes.shape[1:]))
        return {"conv": (features, gradients)}

    def activations(self, inputs, layers):
        self._known(layers)
        return {"conv": np.broadcast_to(self.features, (len(inputs), *self.features.shape[1:]))}

    def input_gradients(self, batch, rule="plain"):
        if rule != "plain" and not self.covered:
            raise MisfitError(f"{rule} acts on ReLUs and this model has none: 1 swish")
        self.predict(batch)
        found = self.gradients(batch.inputs, batch.targets)
        # Row by row the own target of each image.
        own = found[np.arange(len(found)), np.arange(len(found))]
        return own if rule == "plain" else np.maximum(own, 0)

    def lacks(self, rule):
        return None if rule == "plain" else self.rectifiers().lacking

    def gradients(self, inputs, targets, points=None):
        height, width = inputs.shape[1:3]
        found = np.zeros((len(inputs), len(targets), *inputs.shape[1:]), np.float32)
        for place, target in enumerate(targets):
            for index, weight in target.coefficients:
                found[:, place, :, :, index] += weight / (height * width)
        return found

    @staticmethod
    def _known(layers):
        for layer in layers:
            if layer != "conv":
                raise LayerError(f"fake has no layer {layer!r}", hint="conv")

    def about(self):
        return {
            "name": "fake",
            "path": "",
            "sha256": "",
            "input_shape": [4, 4, 3],
            "input_size": [4, 4],
            "trusted": False,
            "classes": 3,
            "score": "output",
            "preprocessing": {"name": "none", "summary": "pixels as they are", "reason": "a fake"},
            "default_layer": {"path": "conv", "reason": "the only one"},
            "notes": [],
        }


def pictures(*shapes, seed=0):
    """Random pictures of the given (height, width)."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes]
