"""Five models on two classes: what they reach, what is saved, and what is explained."""

from __future__ import annotations

import csv
import importlib
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sample_runs import SAMPLES, manifest, quick

import xcnn

pytestmark = [pytest.mark.slow, pytest.mark.keras]

MODELS = ["small", "dropout", "bottleneck", "frozen", "fine-tuned"]
ON_BASE = MODELS[2:]
OUT = Path("xcnn-out/cats-and-dogs")


@pytest.fixture
def two_classes(monkeypatch):
    """The module of the samples that reads folders of two classes."""
    monkeypatch.syspath_prepend(str(SAMPLES))
    import two_classes

    return two_classes


def written(path, number=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    dogs = "dog" in path.as_posix()
    rng = np.random.default_rng(number)
    Image.fromarray(rng.integers(120 * dogs, 120 * dogs + 100, (50 + number, 64, 3), np.uint8)).save(path)
    return path


def table(out, columns):
    """The rows below a line that ends in `columns`, by their first word."""
    lines = out.splitlines()
    start = next(at for at, line in enumerate(lines) if line.split()[-len(columns) :] == columns)
    rows = itertools.takewhile(lambda line: line.split(" ")[0] in MODELS, lines[start + 1 :])
    return {line.split()[0]: line.split()[1:] for line in rows}


def percent(words):
    return [float(word.rstrip("%")) for word in words]


def test_five_models_are_compared_saved_and_two_of_them_explained(monkeypatch):
    import keras

    monkeypatch.syspath_prepend(str(SAMPLES))
    out = quick("cats_and_dogs")

    rows = table(out, ["model", "trained", "train", "validation", "test", "seconds"])
    assert list(rows) == MODELS
    trained = {name: int(row[0].replace(",", "")) for name, row in rows.items()}
    assert trained["small"] == trained["dropout"]
    assert trained["bottleneck"] == trained["frozen"] == 1280 * 64 + 64 + 64 * 2 + 2
    assert trained["fine-tuned"] > 10 * trained["frozen"]
    for name in ON_BASE:
        assert min(percent(rows[name][1:4])) >= 90, name

    # What decides in a picture with a patch of gravel: the patch for gravel, everything else for grass. A quick run
    # does not ask all models.
    shares = table(out, ["grass", "gravel"])
    assert list(shares) == ["dropout", "fine-tuned"]
    sample = importlib.import_module("cats_and_dogs")
    mixed = sorted(OUT.glob("data/mixed/*"))
    for name in ON_BASE:
        network = xcnn.open_network(OUT / name / f"{name}.keras", labels=["grass", "gravel"])
        grass, gravel = (100 * share for share in sample.on_patch(network, ["grass", "gravel"], mixed))
        assert grass < 5, name
        assert gravel > 60, name
    assert percent(shares["fine-tuned"]) == [pytest.approx(share, abs=0.06) for share in (grass, gravel)]

    pixels = np.stack(
        [np.asarray(Image.open(path).convert("RGB").resize((160, 160))) for path in sorted(OUT.glob("data/mixed/*"))]
    )
    models = {}
    for name in MODELS:
        models[name], other = (
            keras.saving.load_model(OUT / name / f"{name}.{kind}", compile=False) for kind in ("keras", "h5")
        )
        np.testing.assert_allclose(
            *(np.asarray(model(pixels.astype(np.float32))) for model in (models[name], other)), atol=1e-6
        )
        with (OUT / name / "learning.csv").open() as file:
            epochs = list(csv.DictReader(file))
        assert len(epochs) == (2 if name in {"frozen", "fine-tuned"} else 6)
        assert (OUT / name / "learning.png").stat().st_size > 10_000
    with np.load(OUT / "bottleneck.npz") as features:
        assert {part: features[part].shape for part in features} == {"train": (48, 1280), "validation": (16, 1280)}

    # Fine-tuning changes kernels of the last block and the head, and no statistics that the base brought.
    before, after = (
        {weight.path: np.asarray(weight) for weight in models[name].weights} for name in ("frozen", "fine-tuned")
    )
    changed = {path for path in before if not np.array_equal(before[path], after[path])}
    assert {part for path in changed for part in path.split("/") if part.startswith(("block7", "top_"))} == {
        "block7a_expand_conv", "block7a_dwconv", "block7a_project_conv", "top_conv",
    }  # fmt: skip
    assert all(
        re.search(r"head|dense|classes|block7a_\w*conv|top_conv", path) for path in changed if "seed" not in path
    ), changed

    for name, first in (("dropout", "conv1"), ("fine-tuned", "efficientnet-lite0/stem_conv")):
        told = manifest(OUT / name / "explained")
        assert {one["title"].split(" (")[0] for one in told["explainers"]} == {
            "Learning curves", "Kernels", "Feature maps", "Filter patterns", "Grad-CAM", "Occlusion",
        }  # fmt: skip
        assert not told["failures"]
        layers = [panel["layer"] for one in manifest(OUT / name / "maps")["results"] for panel in one["panels"]]
        assert (layers[0], len(set(layers))) == (first, 8)
        curves = [panel["title"] for one in manifest(OUT / name / "learning")["results"] for panel in one["panels"]]
        assert curves == ["accuracy", "loss"]
        asked = [one["target"]["label"] for one in manifest(OUT / name / "gradcam")["results"]]
        assert asked == 4 * ["grass", "gravel"]
    assert out.splitlines()[-1] == str(OUT / "fine-tuned/explained/report.html")


def test_the_folders_of_the_tutorials_are_taken_as_they_are_and_damaged_pictures_left_out():
    for part, count in (("train", 6), ("validation", 4)):
        for animal, number in itertools.product(("cat", "dog"), range(count)):
            written(Path("pets", part, f"{animal}s", f"{animal}.{number}.jpg"), number)
    Path("pets/train/cats/cat.3.jpg").write_bytes(b"")
    Path("pets/train/dogs/Thumbs.db").write_bytes(b"no picture")

    out = quick("cats_and_dogs", "--data", "pets", "--epochs", "1")

    assert list(table(out, ["model", "trained", "train", "validation", "test", "seconds"])) == MODELS
    assert re.findall("^left out (.*):", out, re.MULTILINE) == ["pets/train/cats/cat.3.jpg"]
    results = manifest(OUT / "fine-tuned/gradcam")["results"]
    assert [one["target"]["label"] for one in results] == 2 * ["cats", "dogs"]
    assert "patch" not in out


def test_flat_files_of_kaggle_are_shared_out_and_its_test_pictures_without_a_class_ignored(two_classes, capsys):
    for number in range(16):
        written(Path("train", f"cat.{number}.jpg"), number)
        dog = written(Path("train", f"dog.{number}.jpg"), number)
        written(Path("test", f"{number}.jpg"), number)
    dog.write_bytes(dog.read_bytes()[:-200])  # cut short

    names, parts = two_classes.read(Path(), dict.fromkeys(two_classes.PARTS, 10), 0)

    assert names == ["cat", "dog"]
    counts = {part: np.bincount(one.labels).tolist() for part, one in parts.items()}
    files = [path for one in parts.values() for path in one.files]
    assert len(files) == len(set(files)), "a picture is in two parts"
    assert counts["validation"] == counts["test"] == [2, 2]
    assert counts["train"][0] == 10
    for one in parts.values():
        assert [path.stem.split(".")[0] for path in one.files] == [names[label] for label in one.labels]
        assert one.pixels.shape == (len(one.files), 160, 160, 3)
    assert "dog.15.jpg" not in {path.name for path in files}


def test_a_folder_without_classes_is_told(two_classes):
    written(Path("train", "one.jpg"))

    with pytest.raises(SystemExit, match=r"no train/ with a folder of pictures for each class"):
        two_classes.read(Path(), dict.fromkeys(two_classes.PARTS, 10), 0)


def test_no_part_of_the_textures_sees_what_another_does(two_classes):
    for one, other in itertools.combinations(two_classes.REGIONS.values(), 2):
        apart = [
            max(second.start - first.stop, first.start - second.stop) for first, second in zip(one, other, strict=True)
        ]
        assert max(apart) >= 16


def test_the_same_seed_writes_the_same_textures(two_classes):
    for folder in ("once", "again"):
        two_classes.textures(Path(folder), {"train": 3, "validation": 1, "test": 1}, 5)

    once, again = ([path.read_bytes() for path in sorted(Path(folder).rglob("*.*"))] for folder in ("once", "again"))
    assert len(once) == 2 * 5 + 4
    assert once == again


def test_vgg16_takes_red_first_pixels_as_its_own_preprocessing_would_and_is_explained(two_classes, monkeypatch):
    import keras

    drawn = keras.applications.VGG16(include_top=False, weights=None, input_shape=(64, 64, 3))

    def same(**_):
        copy = keras.models.clone_model(drawn)
        copy.set_weights(drawn.get_weights())
        return copy

    monkeypatch.setattr(keras.applications, "VGG16", same)  # its weights would be downloaded
    inputs = keras.Input((64, 64, 3))
    _, maps = two_classes.base("vgg16", inputs)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.float32)

    expected = drawn(keras.applications.vgg16.preprocess_input(pixels.copy()))
    np.testing.assert_allclose(keras.Model(inputs, maps)(pixels), expected, rtol=1e-4, atol=1e-5)

    # As an .h5, xcnn reads its preprocessing from the model, and has the eight layers that are asked for.
    import cats_and_dogs

    classes = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(maps))
    keras.Model(inputs, classes).save("vgg16.h5")
    network = xcnn.open_network("vgg16.h5", labels=["cat", "dog"])
    assert "the model scales pixels itself" in network.preprocessing.reason
    eight, patterns = cats_and_dogs.EIGHT["vgg16"]
    found = xcnn.explain(network, pixels[0].astype(np.uint8), "activations", layer=eight).results[0].panels
    assert len({panel.layer for panel in found}) == 8
    assert patterns in {panel.layer for panel in found}
