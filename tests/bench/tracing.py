"""The first trace of a network, with every layer tapped and surveyed, against a trace of the model bare."""

from __future__ import annotations

import os
import statistics
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

from typing import TYPE_CHECKING

import keras
import tensorflow as tf

import xcnn
from xcnn.network import zoo

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = 9


def lite0() -> keras.Model:
    """The embedded model."""
    return keras.saving.load_model(zoo.EFFICIENTNET_LITE0.path(), compile=False)


def resnet50() -> keras.Model:
    """A large base inside a Sequential."""
    base = keras.applications.ResNet50(include_top=False, weights=None)
    layers = [base, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(1, activation="sigmoid")]
    return keras.Sequential([keras.Input((224, 224, 3)), *layers])


def bare(model: keras.Model) -> None:
    """Trace the model alone."""
    signature = [tf.TensorSpec([None, *model.inputs[0].shape[1:]])]
    tf.function(lambda pixels: model(pixels, training=False), signature, autograph=False).get_concrete_function()


def surveyed(model: keras.Model) -> None:
    """Do what `xcnn layers --trace` and the first question of every run wait for."""
    network = xcnn.open_network(model)
    network.layers()
    assert network.traces == 1  # type: ignore[attr-defined]


def seconds(work: Callable[[keras.Model], None], model: keras.Model) -> float:
    """Wall time."""
    begun = time.perf_counter()
    work(model)
    return time.perf_counter() - begun


def main() -> None:
    """Print the ratio of each model."""
    for build in (lite0, resnet50):
        model = build()
        bare(model)
        surveyed(model)
        pairs = []
        for number in range(PAIRS):
            order = (bare, surveyed) if number % 2 else (surveyed, bare)
            times = {work: seconds(work, model) for work in order}
            pairs.append((times[bare], times[surveyed]))
        ratio = statistics.median(ours / theirs for theirs, ours in pairs)
        theirs, ours = (min(one) for one in zip(*pairs, strict=True))
        print(
            f"{build.__name__:10} bare {theirs:.3f} s, surveyed {ours:.3f} s, median ratio {ratio:.3f}, "
            f"of the least {ours / theirs:.3f} (wanted: at most 1.3)"
        )


if __name__ == "__main__":
    main()
