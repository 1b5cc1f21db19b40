"""Classic patterns of VGG16: against what the arithmetic alone would take, and against one filter at a time.

The first ratio is wall time over (floating point operations) / (this machine's rate of multiplying float32 matrices,
measured between the runs). Counted are the convolutions, forward and for the input's gradient; of the last one only
the wanted channels ("needed"), or all of them ("whole layers").
"""

from __future__ import annotations

import statistics
import time

import keras
import numpy as np
import tensorflow as tf

import xcnn
from xcnn.network.ascent_precision import has_bfloat16
from xcnn.plugin import Recipe

LAYER, SIDE, PATTERNS, STEPS = "block3_conv1", 64, 64, 40
RUNS = 5
EAGER = 2
"""How many filters the loop of one filter at a time is measured on."""


def matmul_rate(side: int = 2048) -> float:
    """Operations per second of a float32 matrix product, the median of five."""
    left, right = (tf.random.normal((side, side)) for _ in range(2))
    times = []
    for _ in range(6):
        begun = time.perf_counter()
        tf.matmul(left, right).numpy()
        times.append(time.perf_counter() - begun)
    return 2 * side**3 / statistics.median(times[1:])


def operations(model: keras.Model, *, whole: bool) -> float:
    """Multiplications and additions of all steps of all patterns, forward and backward."""
    total, side = 0.0, SIDE
    for layer in model.layers:
        side //= 2 if isinstance(layer, keras.layers.MaxPooling2D) else 1
        if isinstance(layer, keras.layers.Conv2D):
            height, width, channels, filters = layer.kernel.shape
            last = layer.name == LAYER
            total += 2 * height * width * channels * (1 if last and not whole else filters) * side**2
            if last:
                break
    return 2 * total * PATTERNS * STEPS


def eager(model: keras.Model, channels: int) -> float:
    """Seconds that the textbook's loop takes per filter: one picture, one gradient tape per step."""
    inner = keras.Model(model.inputs, model.get_layer(LAYER).output)
    mean = tf.constant([103.939, 116.779, 123.68])
    begun = time.perf_counter()
    for channel in range(channels):
        picture = tf.random.uniform((1, SIDE, SIDE, 3), 128, 148)
        for _ in range(STEPS):
            with tf.GradientTape() as tape:
                tape.watch(picture)
                loss = tf.reduce_mean(inner(picture[..., ::-1] - mean, training=False)[..., channel])
            gradient = tape.gradient(loss, picture)
            picture += gradient / (tf.sqrt(tf.reduce_mean(tf.square(gradient))) + 1e-5)
        picture.numpy()
    return (time.perf_counter() - begun) / channels


def main() -> None:
    """Print the ratios of each run and their medians."""
    keras.utils.set_random_seed(0)
    model = keras.applications.VGG16(weights=None, include_top=False, input_shape=(None, None, 3))
    network = xcnn.open_network(model, preprocess="caffe")
    network.layers()

    def seconds(precision: str) -> float:
        recipe = Recipe("classic", (SIDE, SIDE), STEPS, precision)
        begun = time.perf_counter()
        network.ascend(LAYER, range(PATTERNS), recipe, rng=np.random.default_rng(0), progress=lambda *_: None)
        return time.perf_counter() - begun

    precise = has_bfloat16()
    found: dict[str, list[float]] = {"needed": [], "whole layers": [], "eager": [], "bfloat16": []}
    eager(model, 1)
    for _ in range(RUNS):
        rate = matmul_rate()
        ours = seconds("float32")
        rate = (rate + matmul_rate()) / 2
        found["needed"].append(ours * rate / operations(model, whole=False))
        found["whole layers"].append(ours * rate / operations(model, whole=True))
        found["eager"].append(eager(model, EAGER) * PATTERNS / ours)
        if precise:
            found["bfloat16"].append(ours / seconds("bfloat16"))
        words = ", ".join(f"{name} {ratios[-1]:.2f}" for name, ratios in found.items() if ratios)
        print(f"{ours:.1f} s at {rate / 1e9:.0f} GFLOP/s: {words}", flush=True)
    wanted = {"needed": "at most 1.25", "whole layers": "", "eager": "at least 2.5", "bfloat16": "at least 1.5"}
    for name, ratios in found.items():
        median = f"median {statistics.median(ratios):.2f}" if ratios else "this CPU has no arithmetic of it"
        print(f"{name}: {median}{f' (wanted: {wanted[name]})' if wanted[name] else ''}")


if __name__ == "__main__":
    main()
