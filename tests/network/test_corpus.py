"""Which models work: files of every Keras since 1.2 and models of every kind, and the README's table of them.

The table is made here from what really happens; the README must hold it word for word.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import keras
import nets
import numpy as np
import pytest
from fakes import pictures

import xcnn

pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]

OLD = Path(__file__).parents[1] / "files" / "old"
README = Path(__file__).parents[2] / "README.md"
ANSWERS = sorted(OLD.glob("*.npz"))
KINDS = (
    "k20_channels_first",
    "k22_doubly_nested",
    "k23_shared",
    "tf24_operations",
    "tf215_zip_mixed_float16",
    "k35_zip_nested",
)
"""Files that are always tried, beside the first of each Keras: the others are slow together."""
PHOTO = pictures((40, 50))[0]
HALF = 2e-3
EXACT = 1e-5

# What a picture alone is not enough for, or what takes none: how these are opened.
SETTINGS = {
    "k1_two_branches": {"input": ("convolution2d_2_input={other}",)},
    "k22_many_ends": {"input": ("numbers={four}",)},
    "tf24_by_name": {"input": ("numbers={four}",)},
    "tf215_by_name": {"input": ("numbers={four}",)},
}
NO_PICTURE = {"k1_reshape"}


def model_of(answer):
    """The file that an answer belongs to: the model, or its architecture."""
    found = [path for path in OLD.glob(f"{answer.stem}.*") if path != answer]
    if not found:
        found = [path for path in OLD.glob(f"{answer.stem}*") if path.suffix in {".h5", ".hdf5"}]
    return min(found)


@pytest.fixture(scope="module")
def fillers(tmp_path_factory):
    """Values for inputs that take no picture, or another one."""
    folder = tmp_path_factory.mktemp("fillers")
    np.save(folder / "four.npy", np.ones(4, np.float32))
    np.save(folder / "other.npy", np.full((10, 10, 1), 0.5, np.float32))
    return {"four": folder / "four.npy", "other": folder / "other.npy"}


def tried():
    """All files; those that need not be tried each time are marked slow."""
    versions = set()
    for answer in ANSWERS:
        version = answer.stem.partition("_")[0]
        often = version not in versions or answer.stem in KINDS
        versions.add(version)
        yield pytest.param(answer, id=answer.stem, marks=() if often else pytest.mark.slow)


@functools.cache
def opened(path, settings):
    return xcnn.open_network(path, **dict(settings))


@functools.cache
def outcome(path, settings=()):
    """What happens to a file: "explained", or the exit code it is refused with."""
    try:
        run = xcnn.explain(opened(path, settings), PHOTO)
    except xcnn.XcnnError as error:
        return f"refused, exit code {error.exit_code}"
    assert run.results[0].panels[0].values.ndim == 2
    return "explained"


def settings_of(path, fillers):
    given = SETTINGS.get(path.stem, {})
    return tuple((name, tuple(word.format(**fillers) for word in words)) for name, words in given.items())


@pytest.mark.parametrize("answer", list(tried()))
def test_an_old_file_computes_what_its_keras_computed_and_is_explained(answer, fillers):
    path = model_of(answer)
    with np.load(answer) as arrays:
        inputs = [arrays[key] for key in arrays.files if key.startswith("x")]
        wanted = [arrays[key] for key in arrays.files if key.startswith("y")]
    if answer.stem in NO_PICTURE:
        assert outcome(path) == "refused, exit code 3"
        return
    network = opened(path, settings_of(path, fillers))

    answers = network.model(inputs[0] if len(inputs) == 1 else inputs, training=False)
    outputs = [np.asarray(output, np.float32) for output in keras.tree.flatten(answers)]

    assert len(outputs) == len(wanted) > 0
    for output, value in zip(outputs, wanted, strict=True):
        np.testing.assert_allclose(output, value, rtol=0, atol=HALF if "float16" in answer.stem else EXACT)
    assert outcome(path, settings_of(path, fillers)) == "explained"


# --- the table -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Files:
    """Files by pattern; those with an answer, or all."""

    what: str
    patterns: tuple[str, ...]
    answered: bool = True
    remark: str = ""

    def paths(self):
        found = sorted({path for pattern in self.patterns for path in OLD.glob(pattern) if path.suffix != ".npz"})
        return [path for path in found if path.with_suffix(".npz").exists() == self.answered]

    def outcomes(self, fillers):
        chosen = [path for path in self.paths() if path.stem not in NO_PICTURE]
        return {outcome(path, settings_of(path, fillers)) for path in chosen}


@dataclass(frozen=True)
class Kinds:
    """Models built here, saved when `saved`."""

    what: str
    builders: tuple
    remark: str = ""
    saved: str = ".keras"

    def outcomes(self, folder):
        found = set()
        for number, build in enumerate(self.builders):
            model = build()
            if self.saved:
                path = folder / f"{number}-{model.name}{self.saved}"
                model.save(path)
                model = str(path)
            try:
                run = xcnn.explain(model, PHOTO)
            except xcnn.XcnnError as error:
                found.add(f"refused, exit code {error.exit_code}")
            else:
                found.add("explained" if run.results else "nothing")
        return found


def mixed(policy):
    def build():
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            return nets.flat()
        finally:
            keras.config.set_dtype_policy(before)

    return build


def channels(count):
    def build():
        layers = [keras.Input((16, 16, count)), keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()]
        return keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])

    return build


def any_size():
    pixels = keras.Input((None, None, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(3, 3)(pixels))
    return keras.Model(pixels, keras.layers.Dense(2, activation="softmax")(x))


def two_outputs():
    base = nets.flat()
    return keras.Model(base.inputs, [base.outputs[0], base.get_layer("gap").output])


def preprocessing_inside():
    pixels = keras.Input((24, 24, 3))
    return keras.Model(pixels, nets.flat()(keras.applications.imagenet_utils.preprocess_input(pixels, mode="caffe")))


def first():
    return nets.channels_first_twin(nets.flat())


def no_map():
    return keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3)])


def recurrent():
    return keras.Sequential([keras.Input((9, 3)), keras.layers.LSTM(4), keras.layers.Dense(2)])


ROWS = (
    Files("`.keras` and `.h5` of Keras 3", ("k30_*", "k33_*", "k35_*")),
    Files("`.keras` of tf.keras 2.12 to 2.15", ("tf21*_zip_*", "tf212_hdf5*")),
    Files("`.h5` of tf.keras 2.3 to 2.15", ("tf2*.h5",), remark="also with operations (`x / 255.`) in the graph"),
    Files("`.h5` of tf.keras 1.13 and 1.15", ("tf113_*", "tf115_*")),
    Files("`.h5` of Keras 2.0 to 2.3", ("k20_*", "k21_*", "k22_*", "k23_*")),
    Files("`.h5` of Keras 1.2", ("k1_*.h5", "k1_*.model"), remark="TensorFlow's and Theano's order of kernels"),
    Files("an architecture in JSON beside its weights", ("*_pair.json",)),
    Files("files with another suffix than their kind", ("odd_*",)),
    Kinds("Functional, Sequential, nested to any depth", (nets.flat, nets.nested, nets.doubly_nested)),
    Kinds("shared layers and towers", (nets.siamese,), "each call is a layer of its own: `tower/conv[0]`, `tower/conv[1]`"),
    Kinds("subclassed, in Python", (nets.subclassed,), "from a file with `--custom-objects module:Class`", saved=""),
    Kinds("softmax, several sigmoids, one sigmoid, linear", (nets.flat, lambda: nets.flat("sigmoid"), lambda: nets.flat("sigmoid", 1), lambda: nets.flat(None)), "logits are found behind any softmax or sigmoid"),
    Kinds("outputs that are maps: segmentation, depth", (nets.segmentation, lambda: nets.segmentation("sigmoid", 1), lambda: nets.segmentation(None, 1)), "the mean over the predicted area, or one pixel with `--at`"),
    Kinds("several outputs", (two_outputs,), "the first, or `--output NAME`"),
    Kinds("1, 3 or 4 channels", (nets.mnist, nets.flat, channels(4)), "other numbers with a warning"),
    Kinds("input of any size", (any_size,), "224x224, or `--input-size HxW`"),
    Kinds("channels first", (first,)),
    Kinds("float16, bfloat16 and mixed precision", tuple(map(mixed, ("mixed_float16", "mixed_bfloat16", "float16")))),
    Kinds("`preprocess_input` inside the model", (preprocessing_inside,)),
    Kinds("the same in `.h5`", (preprocessing_inside,), saved=".h5"),
    Kinds("another input that takes numbers", (nets.with_numbers,), "works with `--input NAME=FILE.npy`"),
    Kinds("no layer with a map", (no_map,), "Grad-CAM has nothing to look at"),
    Kinds("recurrent models", (recurrent,)),
    Files("Conv1D and Conv3D models", ("*conv1d*", "*conv3d*"), answered=False),
    Files("`Lambda` layers and other code in a file", ("*lambda*", "*dangerous*"), answered=False, remark="explained with `--trust-model sha256:...`"),
    Files("custom layer classes", ("*_unknown*",), answered=False, remark="all named; explained with `--custom-objects module:Class`"),
    Files("weights without an architecture, and the reverse", ("*only*",), answered=False),
    Files("SavedModel folders", ("*savedmodel",), answered=False, remark="export `.keras` or `.h5`"),
    Files("Git LFS pointers, web pages, damaged and empty files", ("odd_lfs*", "odd_web*", "odd_cut*", "odd_empty*"), answered=False),
)  # fmt: skip


@pytest.fixture(scope="module")
def table(fillers, tmp_path_factory):
    lines = ["| model | | |", "|---|---|---|"]
    for row in ROWS:
        given = fillers if isinstance(row, Files) else tmp_path_factory.mktemp("kinds")
        found = row.outcomes(given)
        assert len(found) == 1, (row.what, found)
        lines.append(f"| {row.what} | {found.pop()} | {row.remark} |")
    return "\n".join(lines)


@pytest.mark.slow
def test_the_table_of_the_readme_is_what_happens(table):
    assert f"<!-- models -->\n\n{table}\n" in README.read_text("utf-8"), table


def test_every_file_of_the_corpus_is_judged():
    judged = {path for row in ROWS if isinstance(row, Files) for path in row.paths()}
    beside = {
        path for path in OLD.glob("*_weights.h5") if path.with_name(path.name.replace("_weights.h5", ".json")).exists()
    }
    # Old samplings that Keras 3 cannot do to the last digit, and layers that only Keras 1 had: they have tests of their own.
    special = {path for pattern in ("*_bilinear.h5", "k1_bn_mode*", "k1_maxout*", "*lstm.h5", "README.md", "tf23_operations*") for path in OLD.glob(pattern)}  # fmt: skip

    assert {path for path in OLD.iterdir() if path.suffix != ".npz"} - judged - beside - special == set()
