"""Two classes of photographs in folders, and networks that learned from ImageNet, as the samples on top of them use.

Folders are read as the tutorials lay them out: `train/cats`, `train/dogs`, `validation/...` and, if it is there,
`test/...`; so is Kaggle's flat `train/cat.0.jpg`. Without any, two textures are cut from photographs that the package
scikit-image brings (CC0), each part of the set from a region of its own.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import keras
import numpy as np
from PIL import Image, ImageOps

import xcnn

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDE = 160
"""Height and width of the pictures that the networks take."""
TEXTURES = "grass", "gravel"
REGIONS = {
    "train": (slice(0, 512), slice(0, 248)),
    "validation": (slice(0, 248), slice(264, 512)),
    "test": (slice(264, 512), slice(264, 512)),
}
"""Rows and columns of the photographs, 512x512, that each part is cut from: 16 pixels lie between them."""
CORNERS = {"top-left": (0, 0), "top-right": (0, 124), "bottom-left": (124, 0), "bottom-right": (124, 124)}
"""Row and column of a patch of the second texture in the test region of the first, a picture each."""
PATCH = 124
"""Its side: a quarter of the region."""
PARTS = {
    "train": ("train", "training_set"), "validation": ("validation", "valid", "val"), "test": ("test", "test_set"),
}  # fmt: skip
BASES = "efficientnet-lite0", "vgg16"


@dataclass(frozen=True)
class Pictures:
    """One part of a set: its files, their pixels, (n, SIDE, SIDE, 3) uint8 RGB, and their classes as numbers."""

    files: list[Path]
    pixels: np.ndarray
    labels: np.ndarray


def textures(folder: Path, counts: dict[str, int], seed: int, *, names: Sequence[str] = TEXTURES) -> None:
    """Write so many crops of each photograph for each part, `folder/train/grass/000.jpg` and so on.

    Each has a size, an angle and a light of its own. In `folder/mixed` a patch of the second texture lies in the first,
    once in each corner: which part of them decides is known.
    """
    from skimage import data

    rng = np.random.default_rng(seed)
    photographs = {name: getattr(data, name)() for name in names}
    for part, count in counts.items():
        for name, photograph in photographs.items():
            place = folder / part / name
            place.mkdir(parents=True)
            for number in range(count):
                cv2.imwrite(str(place / f"{number:03}.jpg"), _crop(photograph[REGIONS[part]], rng))
    (folder / "mixed").mkdir()
    ground, other = (photographs[name][REGIONS["test"]] for name in names)
    for corner, (row, column) in CORNERS.items():
        mixed = ground.copy()
        patch = slice(row, row + PATCH), slice(column, column + PATCH)
        mixed[patch] = other[patch]
        cv2.imwrite(str(folder / "mixed" / f"{corner}.png"), mixed)


def _crop(region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut a turned square of 24 to 144 pixels that lies within the region, and change its light."""
    side = int(rng.integers(24, 145))
    margin = side * 2**-0.5 + 1
    centre = [rng.uniform(margin, length - margin) for length in region.shape[::-1]]
    turned = cv2.getRotationMatrix2D(centre, rng.uniform(0, 360), 1)
    turned[:, 2] += side / 2 - np.array(centre)
    crop = cv2.warpAffine(region, turned, (side, side), flags=cv2.INTER_LINEAR).astype(np.float32)
    lit = (crop - crop.mean()) * rng.uniform(0.6, 1.3) + rng.uniform(80, 170)
    return np.clip(lit, 0, 255).astype(np.uint8)


def read(folder: Path, most: dict[str, int], seed: int) -> tuple[list[str], dict[str, Pictures]]:
    """Read the folders of a set, at most so many pictures of each class for each part.

    Parts that are missing are taken from others: validation from a quarter of training, test from half of validation.

    Returns
    -------
    names : list of str
        The classes, from their folders (or files).
    parts : dict of str to Pictures
        "train", "validation" and "test".
    """
    rng = np.random.default_rng(seed)
    found = {part: _classes(folder, places) for part, places in PARTS.items()}
    names = sorted(found["train"])
    if len(names) < 2:  # noqa: PLR2004 (nothing to tell apart)
        sys.exit(f"{folder} has no train/ with a folder of pictures for each class, nor files like train/cat.0.jpg")
    parts: dict[str, list[tuple[Path, int]]] = {part: [] for part in PARTS}
    for label, name in enumerate(names):
        files = {part: list(rng.permutation(found[part].get(name, []))) for part in PARTS}
        for part, source, share in (("validation", "train", 4), ("test", "validation", 2)):
            if not files[part]:
                taken = min(most[part], len(files[source]) // share)
                files[part], files[source] = files[source][:taken], files[source][taken:]
        for part, paths in files.items():
            parts[part] += [(path, label) for path in paths[: most[part]]]
    decoded = {part: _decoded(pairs) for part, pairs in parts.items()}
    for part, pictures in decoded.items():
        if len(np.unique(pictures.labels)) < len(names):
            sys.exit(f"{folder} has too few pictures: none of some class are left for {part}")
    return names, decoded


def _classes(folder: Path, places: Sequence[str]) -> dict[str, list[Path]]:
    """The pictures of each class below the first of the places that is there, and is not empty."""
    kinds = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
    for place in (folder / name for name in places):
        foldered: dict[str, list[Path]] = {}
        flat: dict[str, list[Path]] = {}
        for path in sorted(path for path in place.rglob("*") if path.suffix.lower() in kinds):
            if path.parent.name not in places:
                foldered.setdefault(path.parent.name, []).append(path)
            elif named := re.fullmatch(r"([A-Za-z]+)\.\d+", path.stem):
                flat.setdefault(named[1], []).append(path)
        if foldered or flat:
            return foldered or flat
    return {}


def _decoded(pairs: list[tuple[Path, int]]) -> Pictures:
    """Read pictures at one size, and leave out those that are damaged, which real sets have."""
    files, pixels, labels = [], [], []
    for path, label in pairs:
        try:
            with Image.open(path) as opened:
                upright = ImageOps.exif_transpose(opened).convert("RGB")
                pixels.append(np.asarray(upright.resize((SIDE, SIDE), Image.Resampling.BILINEAR)))
        except (OSError, ValueError, SyntaxError) as problem:
            print(f"left out {path}: {problem}")
            continue
        files.append(path)
        labels.append(label)
    return Pictures(files, np.array(pixels, np.uint8), np.array(labels, int))


def base(name: str, pixels: Any) -> tuple[keras.Model, Any]:
    """Put a network that learned from ImageNet on pixels of 0 to 255, without its head, frozen.

    Returns
    -------
    body : keras.Model
        The network. Its preprocessing is no part of it: it stands before it, in the model that it is put in.
    maps : KerasTensor
        What it makes of the pixels.
    """
    if name == "vgg16":
        body = keras.applications.VGG16(include_top=False, input_shape=pixels.shape[1:])
        first = body.get_layer("block1_conv1")
        kernel, bias = first.get_weights()
        first.set_weights([kernel[:, :, ::-1], bias])  # it was trained with blue first, and pixels are red first
    else:
        file = Path(xcnn.__file__).parent / "data" / "efficientnet-lite0.keras"
        whole = keras.saving.load_model(file, compile=False)
        cut = keras.Model(whole.input, whole.get_layer("top_act").output, name=name)
        body = keras.models.clone_model(cut, input_tensors=keras.Input(pixels.shape[1:]))  # 224x224 in the file
        body.set_weights(cut.get_weights())
    body.trainable = False
    return body, on_base(body, pixels)


def on_base(body: keras.Model, pixels: Any) -> Any:
    """Put the same network on other pixels; its batch normalisation keeps ImageNet's statistics, also in training."""
    prepared = {
        "vgg16": {"scale": 1, "offset": [-123.68, -116.779, -103.939]},
        "efficientnet-lite0": {"scale": 1 / 128, "offset": -127 / 128},
    }[body.name]
    return body(keras.layers.Rescaling(**prepared, name="preprocessing")(pixels), training=False)
