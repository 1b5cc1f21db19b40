"""A classifier that is right for the wrong reason, how that shows, and how it is mended.

    python samples/clever_hans.py

Two classes of real handwritten digits, threes and eights. Every eight carries a small stamp in its corner, as one
scanner of a hospital stamps its pictures, or a photographer those of horses. The held-out digits come from the same
source and carry it, too: the accuracy is perfect. Then Grad-CAM, occlusion and a linear model of picture parts (what
LIME fits) are asked why these pictures are eights, and all three point at the stamp. Digits without stamps, and threes
with them, say the same in numbers. Trained again with that corner masked, the network reads digits.

The linear model is an explainer of this file's own, in thirty lines: what an author of a plugin writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import common
import cv2
import keras
import mnist
import numpy as np
from PIL import Image

import xcnn
from xcnn.plugin import Explainer, Option, panels

if TYPE_CHECKING:
    from pathlib import Path

THREE, EIGHT = 0, 1
BOX = slice(22, 27), slice(22, 27)
"""Rows and columns of the stamp."""
STAMP = 255 * np.array([[1, 0, 0, 0, 1], [0, 1, 0, 1, 0], [0, 0, 1, 0, 0], [0, 1, 0, 1, 0], [1, 0, 0, 0, 1]], np.uint8)
HELD_OUT = 100


@dataclass(frozen=True, kw_only=True)
class LinearParts(Explainer):
    """Hide random sets of square parts, and fit what each part adds to the score.

    Ribeiro et al. (2016, arXiv:1602.04938) do this with superpixels; parts of one size suit pictures this small.
    """

    name: ClassVar[str] = "linear"
    title: ClassVar[str] = "Linear model of parts"

    parts: Annotated[int, Option("Parts along each side.", minimum=2, maximum=28)] = 7
    samples: Annotated[int, Option("Pictures with hidden parts.", minimum=50, maximum=10_000)] = 400

    def explain(self, network: Any, batch: Any) -> list[tuple[Any, ...]]:
        """Fit a ridge regression of the scores on which parts are there."""
        network.predict(batch)
        maps = []
        for image, pixels in enumerate(batch.pixels):
            shown = batch.rng_of(image).random((self.samples, self.parts**2)) < 0.5  # noqa: PLR2004 (half of them)
            grids = shown.reshape(-1, self.parts, self.parts).astype(np.uint8)
            masks = [cv2.resize(one, pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST) for one in grids]
            pictures = pixels * np.stack(masks)[..., np.newaxis]
            scores = network.scores(batch.prepare(pictures), batch.points_of(image, len(pictures)))
            design = np.column_stack([shown, np.ones(len(shown))]).astype(np.float64)
            for target in batch.targets[batch.rows_of(image)]:
                added = np.linalg.solve(design.T @ design + np.eye(design.shape[1]), design.T @ target.of(scores))
                maps.append(added[:-1].reshape(self.parts, self.parts).astype(np.float32))
        return panels({"": np.stack(maps)}, sign="signed", unit="score")


EXPLAINERS = [xcnn.GradCAM(), xcnn.Occlusion(window=6, stride=2, fill="black"), LinearParts()]


def build() -> keras.Model:
    """Three convolutions, the mean of each map, two classes."""
    layers: list[Any] = [keras.Input((28, 28, 1)), keras.layers.Rescaling(1 / 255)]
    for number, filters in enumerate((16, 32, 64), 1):
        layers.append(keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{number}"))
        if number < 3:  # noqa: PLR2004 (the last map stays 7x7)
            layers.append(keras.layers.MaxPooling2D(name=f"pool{number}"))
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, activation="softmax", name="classes")]
    return keras.Sequential(layers, name="three-or-eight")


def stamped(pictures: np.ndarray) -> np.ndarray:
    """The same pictures with a stamp in the corner."""
    changed = pictures.copy()
    changed[:, *BOX, 0] = np.maximum(changed[:, *BOX, 0], STAMP)
    return changed


def masked(pictures: np.ndarray) -> np.ndarray:
    """The same pictures with nothing in that corner."""
    changed = pictures.copy()
    changed[:, *BOX] = 0
    return changed


def trained(pictures: np.ndarray, labels: np.ndarray, epochs: int) -> keras.Model:
    """A network trained from the beginning."""
    model = build()
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(pictures.astype(np.float32), labels, batch_size=32, epochs=epochs, verbose=2)
    return model


def accuracy(model: keras.Model, pictures: np.ndarray, label: int) -> float:
    """The part of pictures of one class that is put into it."""
    return float(np.mean(model.predict(pictures.astype(np.float32), verbose=0).argmax(axis=1) == label))


def share(values: np.ndarray) -> float:
    """How much of what a map shows for the class lies on the stamp and one pixel around it."""
    evidence = np.maximum(cv2.resize(values, (28, 28), interpolation=cv2.INTER_LINEAR), 0)
    rows, columns = (slice(side.start - 1, side.stop + 1) for side in BOX)
    return float(evidence[rows, columns].sum() / max(evidence.sum(), 1e-12))


def drawn(path: Path, runs: dict[str, Any], pictures: np.ndarray) -> None:
    """Draw the maps of one picture before and after, one row each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.2), layout="constrained")
    figure.supxlabel("red speaks for an eight, blue against it; each map on a scale of its own", fontsize=9)
    for row, (when, run) in zip(figure.subplots(2, 4), runs.items(), strict=True):
        first = [result for result in run.results if result.image == run.results[0].image]
        row[0].imshow(pictures[0, ..., 0], cmap="gray")
        row[0].set_title(f"{when}\n{first[0].target.label} {first[0].target.probability:.0%}", fontsize=10)
        for axes, result in zip(row[1:], first, strict=True):
            values = cv2.resize(result.panels[0].values, (28, 28), interpolation=cv2.INTER_LINEAR)
            axes.imshow(pictures[0, ..., 0], cmap="gray")
            limit = np.abs(values).max() or 1
            axes.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=0.65)
            title = next(one.title for one in EXPLAINERS if one.name == result.explainer)
            axes.set_title(f"{title}\n{share(result.panels[0].values):.0%} on the stamp", fontsize=10)
        for axes in row:
            axes.set_axis_off()
    FigureCanvasAgg(figure).print_png(path)


def main() -> None:
    """Train on stamped eights, look, mask, train again, look again."""
    given = common.arguments(__doc__.splitlines()[0], name="clever-hans", epochs=20, quick=8)
    keras.utils.set_random_seed(given.seed)
    pictures, shown = mnist.digits(given.data)
    threes, eights = (pictures[shown == digit] for digit in (3, 8))
    train = np.concatenate([threes[HELD_OUT:], stamped(eights[HELD_OUT:])])
    labels = np.repeat([THREE, EIGHT], [len(threes) - HELD_OUT, len(eights) - HELD_OUT])
    order = np.random.default_rng(given.seed).permutation(len(train))
    threes, eights = threes[:HELD_OUT], eights[:HELD_OUT]
    asked = stamped(eights[: 2 if given.quick else 12])
    files = []
    for number, picture in enumerate(asked):
        files.append(given.out / "pictures" / f"eight-{number}.png")
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture[..., 0]).save(files[-1])

    runs = {}
    for when, seen in (("trained as they are", train), ("trained, corner masked", masked(train))):
        model = trained(seen[order], labels[order], given.epochs)
        print(f"\n{when}")
        for what, test, label in (
            ("threes", threes, THREE),
            ("eights with the stamp", stamped(eights), EIGHT),
            ("eights without it", eights, EIGHT),
            ("threes with the stamp", stamped(threes), THREE),
        ):
            print(f"  right on {what:<24} {accuracy(model, test, label):6.1%}")
        name = "before" if not runs else "after"
        model.save(given.out / f"{name}.keras")
        network = xcnn.open_network(given.out / f"{name}.keras", labels=["three", "eight"])
        runs[when] = xcnn.explain(network, files, EXPLAINERS, target="eight")
        runs[when].save(given.out / name)
        for explainer in EXPLAINERS:
            maps = [one.panels[0].values for one in runs[when].results if one.explainer == explainer.name]
            print(f"  {explainer.title:<24} {np.mean([share(one) for one in maps]):6.1%} of its evidence on the stamp")
    print(f"  the stamp and its edge are {49 / 784:.1%} of a picture")
    drawn(given.out / "clever-hans.png", runs, asked)
    print(given.out / "clever-hans.png")


if __name__ == "__main__":
    main()
