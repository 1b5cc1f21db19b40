"""A classifier of two classes on frozen bases, and the maps that its own weights make: class activation mapping.

    python samples/gap_cam.py
    python samples/gap_cam.py --data dogs-vs-cats --bases efficientnet-lite0,vgg16

Each base turns a picture into maps, and their averages, side by side, are what a classifier of dropout and a single
sigmoid is trained with: seconds, as the bases are asked only once. Then all of it is put together as one model. The
weights of the sigmoid say how much each map counts, so the maps, weighed and added, show where in the picture a class
was seen; over several bases xcnn adds their maps, the coarser ones enlarged, and the result is still the score.

A base is `efficientnet-lite0`, which xcnn carries, or `vgg16`, which Keras downloads, and may end at an inner layer:
without `--bases` they are EfficientNet-Lite0 whole (maps of 5x5) and up to its block 4 (10x10). Without `--data` the
classes are grass and gravel, photographs of scikit-image (`pip install '.[samples]'`); some test pictures are grass
with a patch of gravel, so that it is known where gravel is to be seen. Of your own pictures it trains with 400 of each
class at most.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import common
import cv2
import keras
import numpy as np
import two_classes

import xcnn

BASES = "efficientnet-lite0,efficientnet-lite0/block4c_add"
MOST = {"train": 400, "validation": 100, "test": 100}
"""Pictures of each class."""
MOST_QUICK = {"train": 60, "validation": 20, "test": 20}
SIDES = 4, 4
"""Rows and columns of the mosaic."""


def bases(text: str) -> list[str]:
    """Read `--bases`: names with commas, each whole or up to a layer, as `vgg16/block4_pool`."""
    names = text.split(",")
    if unknown := [name for name in names if name.partition("/")[0] not in two_classes.BASES]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(two_classes.BASES)}")
    if len(set(names)) < len(names):
        raise argparse.ArgumentTypeError("the same base twice adds nothing")
    return names


def base(name: str, number: int) -> keras.Model:
    """A frozen base with its preprocessing, from pixels of 0 to 255 to maps."""
    pixels = keras.Input((two_classes.SIDE, two_classes.SIDE, 3))
    whole, layer = name.partition("/")[::2]
    body, maps = two_classes.base(whole, pixels)
    if layer:
        if layer not in {one.name for one in body.layers}:
            sys.exit(f"{whole} has no layer {layer!r}")
        prepared = keras.Model(pixels, maps).get_layer("preprocessing").output
        part = keras.Model(body.input, body.get_layer(layer).output, name=body.name)
        part.trainable = False
        maps = part(prepared, training=False)
    return keras.Model(pixels, maps, name=f"base{number}")


def build(names: list[str]) -> tuple[keras.Model, keras.Model]:
    """The averages of all maps side by side, and the classifier that receives them."""
    pixels = keras.Input((two_classes.SIDE, two_classes.SIDE, 3))
    pooled = [keras.layers.GlobalAveragePooling2D()(base(name, n)(pixels)) for n, name in enumerate(names, 1)]
    features = keras.layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
    layers: list[Any] = [keras.Input(features.shape[1:]), keras.layers.Dropout(0.5)]
    head = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid", name="class")], name="classifier")
    return keras.Model(pixels, features), head


def train(
    averages: keras.Model, head: keras.Model, parts: dict[str, two_classes.Pictures], epochs: int
) -> tuple[dict[str, list[float]], float]:
    """Ask the bases once, train the classifier with what they say; return the history, and the accuracy in the test."""
    found = {part: averages.predict(one.pixels.astype(np.float32), verbose=0) for part, one in parts.items()}
    labels = {part: one.labels for part, one in parts.items()}
    head.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"])
    told: dict[str, Any] = {"validation_data": (found["validation"], labels["validation"]), "epochs": epochs}
    history = head.fit(found["train"], labels["train"], batch_size=16, verbose=2, **told).history
    return history, float(head.evaluate(found["test"], labels["test"], verbose=0)[1])


def share(result: Any) -> float:
    """How much of what a map shows for the second class lies on its patch in a mixed picture."""
    values = result.panels[0].values
    evidence = np.maximum(cv2.resize(values, result.image.size[::-1], interpolation=cv2.INTER_LINEAR), 0)
    row, column = two_classes.CORNERS[Path(result.image.path).stem]
    patch = evidence[row : row + two_classes.PATCH, column : column + two_classes.PATCH]
    return float(patch.sum() / max(evidence.sum(), 1e-12))


def main() -> None:
    """Train, put together, look."""
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--bases", type=bases, default=BASES, help="what it stands on, with commas (%(default)s)")
    given = common.arguments(__doc__.splitlines()[0], name="gap-cam", epochs=30, quick=10, own=[own])
    keras.utils.set_random_seed(given.seed)
    data = given.data or given.out / "data"
    most = MOST_QUICK if given.quick else MOST
    if not given.data:
        two_classes.textures(data, most, given.seed)
    names, parts = two_classes.read(data, most, given.seed)
    if len(names) > 2:  # noqa: PLR2004 (a single sigmoid)
        sys.exit(f"{data} has {len(names)} classes, and a single sigmoid tells two apart")

    averages, head = build(given.bases)
    history, accuracy = train(averages, head, parts, given.epochs)
    common.curves(history, given.out / "learning.png")
    model = keras.Model(averages.input, head(averages.output), name="gap-cam")
    model.save(given.out / "gap-cam.keras")
    count = len(parts["test"].labels)
    print(f"accuracy on {count} pictures it never saw: {accuracy:.1%}")

    mixed = [] if given.data else [data / "mixed" / f"{corner}.png" for corner in two_classes.CORNERS]
    order = np.random.default_rng(given.seed).permutation(count)
    asked = [*mixed, *(parts["test"].files[index] for index in order)][: SIDES[0] * SIDES[1]]
    network = xcnn.open_network(given.out / "gap-cam.keras", labels=names)
    print(xcnn.explain(network, asked, "cam", threshold=0.2, mosaic=SIDES).save(given.out / "cam"))
    if mixed:
        run = xcnn.explain(network, mixed, "cam", target=names[1], threshold=0.2)
        print(run.save(given.out / "mixed"))
        found = np.mean([share(one) for one in run.results])
        covered = two_classes.PATCH**2 / np.prod(run.results[0].image.size)
        print(f"{found:.1%} of the evidence for {names[1]} lies on its patch, {covered:.1%} of the picture")


if __name__ == "__main__":
    main()
