"""From pixels to maps for 64 images against a compiled Grad-CAM of the same batches; and the pictures of one image."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

import xcnn
from xcnn import GradCAM
from xcnn.io import artifacts
from xcnn.io import images as reading
from xcnn.render.style import Style
from xcnn.saving import Writer

SAMPLES = Path(__file__).parent.parent.parent / "samples"
IMAGES, BATCH, ROUNDS = 64, 16, 9


def main() -> None:
    """Print both figures."""
    network = xcnn.open_network("efficientnet-lite0")
    import tensorflow as tf

    model = network.model  # type: ignore[attr-defined]
    twin = __import__("keras").Model(model.inputs, [model.get_layer("top_act").output, model.outputs[0]])

    @tf.function(input_signature=[tf.TensorSpec([None, 224, 224, 3])])
    def floor(inputs):
        with tf.GradientTape() as tape:
            features, scores = twin(inputs, training=False)
            score = tf.reduce_max(scores, axis=1)
        weights = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2))
        return tf.nn.relu(tf.einsum("nhwc,nc->nhw", features, weights))

    picture = reading.read(str(SAMPLES / "cat.jpg"))
    pictures = [np.roll(picture.pixels, 3 * number, axis=1) for number in range(IMAGES)]
    ready = network.batch(pictures, ["top"], np.random.default_rng(0)).inputs  # type: ignore[attr-defined]

    def ours() -> None:
        for start in range(0, IMAGES, BATCH):
            batch = network.batch(pictures[start : start + BATCH], ["top"], np.random.default_rng(0))  # type: ignore[attr-defined]
            GradCAM().explain(network, batch)

    def theirs() -> None:
        for start in range(0, IMAGES, BATCH):
            floor(tf.constant(ready[start : start + BATCH])).numpy()

    ratios = []
    for number in range(ROUNDS + 1):
        times = []
        for work in (theirs, ours):
            begun = time.perf_counter()
            work()
            times.append(time.perf_counter() - begun)
        if number:
            ratios.append(times[1] / times[0])
            print(f"floor {times[0] / IMAGES * 1000:.1f} ms, xcnn {times[1] / IMAGES * 1000:.1f} ms per image")
    print(f"maps: median ratio {statistics.median(ratios):.3f} (wanted: at most 1.3)")
    pictures_of_one()


def pictures_of_one() -> None:
    """Time drawing and writing all files of one picture whose longer side has 500 pixels."""
    import cv2

    image = reading.read(str(SAMPLES / "cat.jpg"))
    large = reading.from_array(cv2.resize(image.pixels, (500, 333)), "cat")
    run = xcnn.explain("efficientnet-lite0", large.pixels)
    times = []
    with tempfile.TemporaryDirectory() as folder, artifacts.Draft(Path(folder) / "out", overwrite=False) as draft:
        writer = Writer(draft, Style(), {"gradcam": "Grad-CAM"}, "efficientnet-lite0")
        for _ in range(21):
            begun = time.perf_counter()
            writer.add(large.pixels, run.results)
            times.append(time.perf_counter() - begun)
    print(f"pictures of one 500 px image: median {statistics.median(times[1:]) * 1000:.1f} ms (wanted: at most 60)")


if __name__ == "__main__":
    main()
