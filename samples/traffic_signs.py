"""Traffic signs and LeNet: pictures in one folder per class, a label drawn on a new picture, a sweep over all classes.

    python samples/traffic_signs.py
    python samples/traffic_signs.py --data GTSRB

LeNet in its common form: 20 and 50 filters of 5x5, each with pooling, 500 dense units, a softmax. Pictures are 32x32.
Without `--data` twelve kinds of signs are drawn, each in its own light, angle, distance and surroundings, and written
in the same folders that the German Traffic Sign Recognition Benchmark has: `train/00000`, `train/00001`, ... The
benchmark is taken as it is unpacked or as Kaggle has it; where its test pictures are in no folders of classes, a fifth
of the training pictures is held out.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import common
import cv2
import keras
import numpy as np
from PIL import Image

import xcnn

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 32
RED, BLUE, WHITE, BLACK, YELLOW = (200, 25, 30), (20, 80, 170), (245, 245, 245), (20, 20, 20), (245, 200, 40)
SIGNS = {
    "limit 30": ("ring", "30"), "limit 50": ("ring", "50"), "limit 80": ("ring", "80"), "no passing": ("ring", ""),
    "stop": ("octagon", "STOP"), "no entry": ("disc", "-"), "yield": ("down", ""), "danger": ("up", "!"),
    "priority": ("diamond", ""), "left": ("blue", "<"), "right": ("blue", ">"), "ahead": ("blue", "^"),
}  # fmt: skip
TRAIN, TEST = ("train", "Train", "Training", "Final_Training/Images"), ("test", "Test", "Testing")


def regular(corners: int, turn: float, radius: float) -> np.ndarray:
    """The corners of a regular polygon in the middle of 128x128."""
    angles = np.deg2rad(turn) + 2 * np.pi * np.arange(corners) / corners
    return np.int32(64 + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))


def drawn(shape: str, text: str, rng: np.random.Generator) -> np.ndarray:
    """Draw one sign as a camera might see it: (32, 32, 3) uint8."""
    sign = np.zeros((128, 128, 3), np.uint8)
    face = np.zeros((128, 128), np.uint8)
    outlines = {"octagon": regular(8, 22.5, 56), "down": regular(3, 90, 60), "up": regular(3, -90, 60)}
    outlines["diamond"] = regular(4, 0, 58)
    colours = {"ring": RED, "disc": RED, "blue": BLUE, "octagon": RED, "diamond": WHITE}
    outline = outlines.get(shape, regular(60, 0, 56))
    cv2.fillPoly(face, [outline], 255, cv2.LINE_AA)
    cv2.fillPoly(sign, [outline], colours.get(shape, RED), cv2.LINE_AA)
    if shape in {"ring", "up", "down"}:
        cv2.fillPoly(sign, [np.int32(64 + 0.74 * (outline - 64))], WHITE, cv2.LINE_AA)
    if shape == "diamond":
        cv2.fillPoly(sign, [np.int32(64 + 0.78 * (outline - 64))], YELLOW, cv2.LINE_AA)
    if text == "-":
        cv2.rectangle(sign, (26, 54), (102, 74), WHITE, -1)
    elif text in {"<", ">", "^"}:
        ends = {"<": ((100, 64), (28, 64)), ">": ((28, 64), (100, 64)), "^": ((64, 100), (64, 28))}[text]
        cv2.arrowedLine(sign, *ends, WHITE, 14, cv2.LINE_AA, tipLength=0.45)
    elif text:
        scale, weight = (1.05, 5) if text == "STOP" else (1.7, 7)
        (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, weight)
        below = 4 if shape == "up" else 0
        place = (64 - width // 2, 64 + height // 2 + below)
        cv2.putText(sign, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, WHITE if shape == "octagon" else BLACK, weight)
    elif shape == "ring":
        cv2.circle(sign, (44, 64), 13, RED, -1, cv2.LINE_AA)
        cv2.circle(sign, (84, 64), 13, BLACK, -1, cv2.LINE_AA)

    # Whatever stands behind it, then distance, angle, light, blur and the noise of the sensor.
    behind = cv2.resize(rng.integers(30, 220, (rng.integers(2, 6), rng.integers(2, 6), 3), np.uint8), (128, 128))
    around = np.float32([[0, 0], [127, 0], [127, 127], [0, 127]])
    seen = around + rng.uniform(-14, 14, (4, 2)).astype(np.float32) + rng.uniform(-8, 8, 2).astype(np.float32)
    tilt = cv2.getPerspectiveTransform(around, np.float32((seen - 64) * rng.uniform(0.7, 1.05) + 64))
    mask = cv2.warpPerspective(face, tilt, (128, 128))[..., np.newaxis] / 255
    scene = mask * cv2.warpPerspective(sign, tilt, (128, 128)) + (1 - mask) * behind
    scene = cv2.GaussianBlur(scene * rng.uniform(0.35, 1.1) + rng.uniform(-15, 25), (0, 0), rng.uniform(0.8, 3))
    scene = cv2.resize(scene, (SIDE, SIDE), interpolation=cv2.INTER_AREA) + rng.normal(0, 6, (SIDE, SIDE, 3))
    return np.clip(scene, 0, 255).astype(np.uint8)


def generate(folder: Path, counts: dict[str, int], seed: int) -> None:
    """Write so many pictures of each sign for each part: `folder/train/00000/00000.png` and so on."""
    rng = np.random.default_rng(seed)
    for part, count in counts.items():
        for index, sign in enumerate(SIGNS.values()):
            place = folder / part / f"{index:05}"
            place.mkdir(parents=True)
            for number in range(count):
                cv2.imwrite(str(place / f"{number:05}.png"), drawn(*sign, rng)[..., ::-1])
    (folder / "labels.txt").write_text("\n".join(SIGNS) + "\n", "utf-8")


def classes(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """The folders of the classes below the first of `names` that is there, in the order of their numbers."""
    found = [path for name in names for root in (folder, folder / "GTSRB") for path in [root / name] if path.is_dir()]
    numbered = [path for path in (found[0].iterdir() if found else ()) if re.fullmatch(r"\d+", path.name)]
    return sorted(numbered, key=lambda path: int(path.name))


def read(folders: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Read the pictures of class folders at 32x32, (n, 32, 32, 3) RGB, and their classes."""
    pictures, labels = [], []
    for folder in folders:
        for path in sorted(path for path in folder.iterdir() if path.suffix.lower() in {".png", ".ppm", ".jpg"}):
            try:
                with Image.open(path) as opened:
                    picture = np.asarray(opened.convert("RGB"))
            except (OSError, ValueError):
                print(f"left out {path}: it is damaged")
                continue
            pictures.append(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
            labels.append(int(folder.name))
    return np.stack(pictures), np.array(labels)


def build(count: int) -> keras.Model:
    """LeNet."""
    layers: list[Any] = [keras.Input((SIDE, SIDE, 3)), keras.layers.Rescaling(1 / 255)]
    for number, filters in ((1, 20), (2, 50)):
        layers.append(keras.layers.Conv2D(filters, 5, padding="same", activation="relu", name=f"conv{number}"))
        layers.append(keras.layers.MaxPooling2D(name=f"pool{number}"))
    layers += [keras.layers.Flatten(), keras.layers.Dense(500, activation="relu"), keras.layers.Dropout(0.5)]
    return keras.Sequential([*layers, keras.layers.Dense(count, activation="softmax", name="signs")], name="lenet")


def main() -> None:
    """Train, predict one picture, look at every class."""
    given = common.arguments(__doc__.splitlines()[0], name="traffic-signs", epochs=25, quick=10)
    keras.utils.set_random_seed(given.seed)
    data = given.data or given.out / "data"
    if not given.data:
        generate(data, {"train": 100 if given.quick else 400, "test": 25 if given.quick else 100}, given.seed)
    train, test = classes(data, TRAIN), classes(data, TEST)
    if not train:
        sys.exit(f"{data} has none of {', '.join(TRAIN)} with a numbered folder for each class")
    pictures, labels = read(train)
    if len(test) == len(train):
        held, held_labels = read(test)
    else:
        first, second = common.split(labels, max(1, np.unique(labels, return_counts=True)[1].min() // 5), given.seed)
        (pictures, labels), (held, held_labels) = ((pictures[part], labels[part]) for part in (first, second))
    count = int(labels.max()) + 1
    model = build(count)
    model.compile(keras.optimizers.Adam(0.001), "sparse_categorical_crossentropy", metrics=["accuracy"])
    pixels, held_pixels = (one.astype(np.float32) for one in (pictures, held))
    told = {"validation_data": (held_pixels, held_labels), "epochs": given.epochs, "verbose": 2}
    history = model.fit(pixels, labels, batch_size=64, **told).history
    common.curves(history, given.out / "learning.png")
    file = given.out / "lenet.keras"
    model.save(file)
    print(f"accuracy on {len(held)} signs it never saw: {history['val_accuracy'][-1]:.1%}")

    # One picture with its label, as `xcnn predict` draws it, and one of each of the first classes explained.
    names = ["--labels", str(data / "labels.txt")] if (data / "labels.txt").exists() else []
    asked = []
    for label in np.unique(held_labels)[: 4 if given.quick else 12]:
        asked.append(given.out / "pictures" / f"sign-{label:02}.png")
        asked[-1].parent.mkdir(exist_ok=True)
        cv2.imwrite(str(asked[-1]), held[held_labels == label][0][..., ::-1])
    call = [sys.executable, "-m", "xcnn", "predict", str(file), str(asked[0]), *names, "-q", "-o"]
    subprocess.run([*call, str(given.out / "predicted")], check=True)
    network = xcnn.open_network(file, **({"labels": names[1]} if names else {}))
    runs = {
        "sweep": xcnn.explain(network, asked[0], ["saliency", "guided"], target=[f"{index}" for index in range(count)]),
        "signs": xcnn.explain(network, asked, ["saliency", "guided", "gradcam"]),
        "kernels": xcnn.explain(network, explainer="kernels", layer="conv1"),
    }
    folders = [run.save(given.out / name) for name, run in runs.items()]
    print(xcnn.join_reports(folders, given.out / "explained"))


if __name__ == "__main__":
    main()
