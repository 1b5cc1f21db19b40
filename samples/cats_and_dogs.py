"""Five ways to tell two classes of pictures apart, from a small network to a fine-tuned one, on one test table.

    python samples/cats_and_dogs.py
    python samples/cats_and_dogs.py --data cats-and-dogs               # the folders of the tutorials, or Kaggle's

A small network; the same with dropout and augmentation; a head trained on the features of a frozen base, which are
computed once and saved; the frozen base with a head, end to end, with augmentation; and that one with its last block
trained, too, slowly. Each is saved as `.keras` and `.h5`, the last three with the base as a model within the model.
Then two of them are explained: their learning, kernels, the maps behind the first eight layers, the patterns that
channels respond to, and which parts of a picture speak for each class.

Without `--data` the classes are grass and gravel, cut from two photographs. In some pictures a patch of gravel lies in
grass: there, what should decide is known, and it is counted how much of Grad-CAM's evidence lies on it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import common
import cv2
import keras
import numpy as np
import two_classes
from learning import Learning
from two_classes import CORNERS, PATCH, SIDE, Pictures

import xcnn

if TYPE_CHECKING:
    from xcnn.plugin import Network

MOST = {"train": 1000, "validation": 400, "test": 400}
"""Pictures of each class that are read for each part, at most."""
WRITTEN = {"train": 300, "validation": 100, "test": 100}
QUICK = {"train": 24, "validation": 8, "test": 16}
"""Both in a quick run."""
LAST_BLOCK = "block7", "top_", "block5_"
"""How the layers of the last block of each base begin."""
EIGHT = {
    "small": ("conv1,pool1,conv2,pool2,conv3,pool3,conv4,pool4", "conv3"),
    "efficientnet-lite0": (
        "efficientnet-lite0/stem_*,efficientnet-lite0/block1a_*", "efficientnet-lite0/block5a_expand_conv",
    ),
    "vgg16": ("vgg16/block1_*,vgg16/block2_*,vgg16/block3_conv1,vgg16/block3_conv2", "vgg16/block3_conv1"),
}  # fmt: skip
"""The first eight layers, and one whose patterns are looked for."""
MODELS = "small", "dropout", "bottleneck", "frozen", "fine-tuned"
EXPLAINED = "dropout", "fine-tuned"
"""Those with a report of their own; a quick run asks no others what lies on the patch."""


@dataclass(frozen=True)
class Trainer:
    """Train on one set and write down what was learned where."""

    parts: dict[str, Pictures]
    out: Path

    def fit(self, model: keras.Model, name: str, data: Any, *, epochs: int, rate: float) -> float:
        """Train, and return the seconds that it took; `data` are the training and the held-out inputs."""
        right = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=[right])
        model.optimizer.build(model.trainable_variables)  # a first step that finds all made is traced once, not twice
        train, held = data
        (self.out / name).mkdir(parents=True)
        log = keras.callbacks.CSVLogger(self.out / name / "learning.csv")
        print(f"\n{name}")
        begun = time.perf_counter()
        history = model.fit(
            train, self.parts["train"].labels, validation_data=(held, self.parts["validation"].labels),
            epochs=epochs, batch_size=16, callbacks=[log], verbose=2,
        ).history  # fmt: skip
        seconds = time.perf_counter() - begun
        common.curves(history, self.out / name / "learning.png")
        return seconds

    def saved(self, model: keras.Model, name: str, trained: int, seconds: float) -> str:
        """Save as both kinds of file, and return the row of the table."""
        for kind in ("keras", "h5"):
            model.save(self.out / name / f"{name}.{kind}")
        right = [np.mean(answered(model, part.pixels).argmax(axis=1) == part.labels) for part in self.parts.values()]
        return f"{name:<16} {trained:>9,} " + " ".join(f"{one:>10.1%}" for one in right) + f" {seconds:>8.0f}"


def answered(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """What a model makes of pictures, a few at a time; `predict` would compile it first."""
    batches = np.split(pixels, range(32, len(pixels), 32))
    return np.concatenate([np.asarray(model(batch.astype(np.float32), training=False)) for batch in batches])


def augmentation(seed: int) -> keras.Sequential:
    """Layers that mirror, turn and scale pictures a little, while a model is trained."""
    return keras.Sequential(
        [
            keras.layers.RandomFlip("horizontal", seed=seed),
            keras.layers.RandomRotation(0.1, seed=seed + 1),
            keras.layers.RandomZoom(0.2, seed=seed + 2),
        ],
        name="augmentation",
    )


def small(classes: int, *, name: str, seed: int | None = None) -> keras.Model:
    """Four convolutions with pooling and a dense layer; with a seed, also dropout and augmentation."""
    layers: list[Any] = [keras.Input((SIDE, SIDE, 3)), keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")]
    if seed is not None:
        layers.insert(1, augmentation(seed))
    for number, filters in enumerate((16, 32, 64, 64), 1):
        first = {"kernel_size": 5, "strides": 2} if number == 1 else {"kernel_size": 3}
        layers.append(keras.layers.Conv2D(filters, **first, activation="relu", name=f"conv{number}"))
        layers.append(keras.layers.MaxPooling2D(name=f"pool{number}"))
    layers.append(keras.layers.Flatten(name="flatten"))
    if seed is not None:
        layers.append(keras.layers.Dropout(0.5, name="dropout"))
    layers.append(keras.layers.Dense(128, activation="relu", name="dense"))
    layers.append(keras.layers.Dense(classes, activation="softmax", name="classes"))
    return keras.Sequential(layers, name=name)


def head(features: int, classes: int) -> keras.Model:
    """What learns on top of a base."""
    return keras.Sequential(
        [
            keras.Input((features,)),
            keras.layers.Dense(64, activation="relu", name="dense"),
            keras.layers.Dropout(0.5, name="dropout"),
            keras.layers.Dense(classes, activation="softmax", name="classes"),
        ],
        name="head",
    )


def trained(model: keras.Model) -> int:
    """How many parameters a training changes."""
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def five(trainer: Trainer, base: str, classes: int, *, epochs: int, seed: int) -> list[str]:
    """Train, save and test all five models; return the rows of their table."""
    rows = []
    pixels = [trainer.parts[part].pixels for part in ("train", "validation")]

    for name, given in (("small", None), ("dropout", seed)):
        model = small(classes, name=name, seed=given)
        seconds = trainer.fit(model, name, pixels, epochs=3 * epochs, rate=0.001)
        rows.append(trainer.saved(model, name, trained(model), seconds))

    # The base sees each picture once. What it makes of them is saved, and the head is trained on that in no time.
    inputs = keras.Input((SIDE, SIDE, 3))
    body, maps = two_classes.base(base, inputs)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(maps)
    extractor = keras.Model(inputs, pooled)
    begun = time.perf_counter()
    features = [answered(extractor, one) for one in pixels]
    np.savez(trainer.out / "bottleneck.npz", **dict(zip(("train", "validation"), features, strict=True)))
    seconds = time.perf_counter() - begun
    top = head(pooled.shape[-1], classes)
    seconds += trainer.fit(top, "bottleneck", features, epochs=3 * epochs, rate=0.001)
    model = keras.Model(inputs, top(pooled), name="bottleneck")
    rows.append(trainer.saved(model, "bottleneck", trained(top), seconds))

    # The same in one piece sees other pictures in each epoch.
    inputs = keras.Input((SIDE, SIDE, 3))
    maps = two_classes.on_base(body, augmentation(seed)(inputs))
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(maps)
    model = keras.Model(inputs, head(pooled.shape[-1], classes)(pooled), name="frozen")
    seconds = trainer.fit(model, "frozen", pixels, epochs=epochs, rate=0.001)
    rows.append(trainer.saved(model, "frozen", trained(model), seconds))

    # Once the head knows something, the last block may follow, slowly; batch normalisation stays as it is.
    body.trainable = True
    for layer in body.layers:
        layer.trainable = layer.name.startswith(LAST_BLOCK) and not isinstance(layer, keras.layers.BatchNormalization)
    seconds = trainer.fit(model, "fine-tuned", pixels, epochs=epochs, rate=1e-5)
    rows.append(trainer.saved(model, "fine-tuned", trained(model), seconds))
    return rows


def explained(
    network: Network, out: Path, names: list[str], asked: list[Path], *, eight: str, layer: str, steps: int
) -> Path:
    """Explain one model, and join it all in one report."""
    runs = {
        "learning": xcnn.explain(network, explainer=Learning(history=str(out / "learning.csv"))),
        "kernels": xcnn.explain(network, explainer="kernels"),
        "maps": xcnn.explain(network, asked[0], "activations", layer=eight),
        "patterns": xcnn.explain(network, explainer="filters", layer=layer, channels="0-3", grid="1x4", steps=steps),
        "gradcam": xcnn.explain(network, asked, "gradcam", target=names),
        "occlusion": xcnn.explain(network, asked[-1], "occlusion", target=names, stride=16),
    }
    folders = [run.save(out / name) for name, run in runs.items()]
    return xcnn.join_reports(folders, out / "explained")


def on_patch(network: Network, names: list[str], mixed: list[Path]) -> list[float]:
    """How much of what Grad-CAM shows for each class lies on the patch of the second."""
    run = xcnn.explain(network, mixed, "gradcam", target=names)
    shares: dict[str, list[float]] = {name: [] for name in names}
    for result in run.results:
        evidence = np.maximum(cv2.resize(result.panels[0].values, result.image.size[::-1]), 0)
        row, column = CORNERS[Path(result.image.path).stem]
        on = evidence[row : row + PATCH, column : column + PATCH].sum() / max(evidence.sum(), 1e-12)
        shares[result.target.label].append(on)
    return [float(np.mean(shares[name])) for name in names]


def main() -> None:
    """Train five models, compare them, explain two."""
    given = common.arguments(__doc__.splitlines()[0], name="cats-and-dogs", epochs=10, quick=2, bases=two_classes.BASES)
    keras.utils.set_random_seed(given.seed)
    data = given.data or given.out / "data"
    if not given.data:
        two_classes.textures(data, QUICK if given.quick else WRITTEN, given.seed)
    names, parts = two_classes.read(data, QUICK if given.quick else MOST, given.seed)
    rows = five(Trainer(parts, given.out), given.base, len(names), epochs=given.epochs, seed=given.seed)
    print(f"\n{'model':<16} {'trained':>9} {'train':>10} {'validation':>10} {'test':>10} {'seconds':>8}")
    print("\n".join(rows))

    test = parts["test"]
    asked = [test.files[np.flatnonzero(test.labels == label)[0]] for label in range(len(names))]
    mixed = [] if given.data else [data / "mixed" / f"{corner}.png" for corner in CORNERS]
    if mixed:
        print(f"\non the patch of {names[1]}, a quarter of the picture, lies so much of the evidence for")
        print(f"{'':<16} " + " ".join(f"{name:>10}" for name in names))
    reports = []
    for name in EXPLAINED if given.quick or not mixed else MODELS:
        out = given.out / name
        network = xcnn.open_network(out / f"{name}.{'h5' if name == 'fine-tuned' else 'keras'}", labels=names)
        if mixed:
            print(f"{name:<16} " + " ".join(f"{share:>10.1%}" for share in on_patch(network, names, mixed)))
        if name in EXPLAINED:
            eight, layer = EIGHT["small" if name == "dropout" else given.base]
            steps = 16 if given.quick else 64
            reports.append(explained(network, out, names, asked + mixed[:2], eight=eight, layer=layer, steps=steps))
    print("\n".join(map(str, reports)))


if __name__ == "__main__":
    main()
