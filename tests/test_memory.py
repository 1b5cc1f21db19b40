"""Memory that is too short for a batch: half of it is tried, and what does not fit alone is a failure of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated, ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

import xcnn
from xcnn.errors import ImageError, ModelError
from xcnn.events import Silent
from xcnn.execution import execute
from xcnn.host import Host
from xcnn.plugin import Attribution, Explainer, Option
from xcnn.request import Request

pytestmark = pytest.mark.keras
SIZE = 16
# Each row takes 4 MB where the map is enlarged; the process may have 40 MB more than one row needs.
REAL = """
import resource, sys
import keras, numpy as np, psutil, xcnn
layers = [keras.layers.Conv2D(16, 3, padding="same", activation="relu", name="conv"), keras.layers.UpSampling2D(16)]
head = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, activation="softmax")]
keras.utils.set_random_seed(0)
network = xcnn.open_network(keras.Sequential([keras.Input((32, 32, 3)), *layers, *head]), preprocess="unit")
photos = [np.random.default_rng(n).integers(0, 256, (32, 32, 3), np.uint8) for n in range(32)]
asked = {"gradcam": (photos, {"layer": "conv"}), "saliency": (photos, {}), "occlusion": (photos[:1], {"window": 8})}
plain = {}
for name, (some, options) in asked.items():
    plain[name] = xcnn.explain(network, some, name, batch_size=1, **options).results
resource.setrlimit(resource.RLIMIT_AS, (psutil.Process().memory_info().vms + 150 * 2**20, -1))
for name, (some, options) in asked.items():
    run = xcnn.explain(network, some, name, batch_size=32, **options)
    pairs = zip(plain[name], run.results, strict=True)
    off = max(abs(a.panels[0].values - b.panels[0].values).max() / abs(a.panels[0].values).max() for a, b in pairs)
    print(name, len(run.failures), off < 1e-4, run.warnings)
"""


@pytest.mark.executable
@pytest.mark.slow
def test_a_true_lack_of_memory_halves_what_is_computed_at_once():
    done = subprocess.run([sys.executable, "-c", REAL], capture_output=True, text=True, check=True)

    for line, name in zip(done.stdout.splitlines(), ("gradcam", "saliency", "occlusion"), strict=True):
        assert line.startswith(f"{name} 0 True ('memory was short: at most "), done.stdout


class Narrow(keras.layers.Layer):
    """Has room for a few rows only, and for none that is white all over."""

    def __init__(self, most, **more):
        super().__init__(**more)
        self.most = most
        self.seen = []

    def check(self, rows):
        self.seen.append(len(rows))
        if len(rows) > self.most or (rows.numpy().mean(axis=(1, 2, 3)) > 0.99).any():
            raise MemoryError("no room")  # TensorFlow makes it a ResourceExhaustedError

    def call(self, rows):
        with tf.control_dependencies([tf.py_function(self.check, [rows], [])]):
            return tf.identity(rows)


def narrow(most):
    keras.utils.set_random_seed(3)
    layer = Narrow(most)
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layer,
            keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    return model, layer


def photos(count):
    return [np.random.default_rng(number).integers(0, 256, (SIZE, SIZE, 3), np.uint8) for number in range(count)]


WHITE = np.full((SIZE, SIZE, 3), 255, np.uint8)


@dataclass(frozen=True, kw_only=True)
class Greedy(Explainer):
    """Takes much memory itself, as a plugin may, for more than `most` images."""

    name: ClassVar[str] = "greedy"
    most: Annotated[int, Option("How many.", minimum=0)] = 3

    def explain(self, network, batch):
        network.predict(batch)
        if batch.images > self.most:
            np.zeros(2**60, np.uint8)
        return [
            (Attribution(picture.mean(axis=2, dtype=np.float32), sign="positive", unit="gray"),)
            for picture in batch.pixels
        ]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gradcam", {}),
        ("saliency", {"target": "top2"}),
        ("occlusion", {"window": 4}),
        ("integrated", {"steps": 8}),
        ("smoothgrad", {"samples": 6}),
        ("activations", {}),
    ],
)
def test_half_a_batch_gives_what_the_whole_gives(name, options):
    model, layer = narrow(3)
    wide, _ = narrow(1000)

    run = xcnn.explain(model, photos(8), name, preprocess="unit", batch_size=8, **options)
    whole = xcnn.explain(wide, photos(8), name, preprocess="unit", batch_size=8, **options)

    assert run.failures == ()
    assert run.warnings == ("memory was short: at most 2 inputs were computed at a time",)
    assert len(run.results) == len(whole.results)
    for got, wanted in zip(run.results, whole.results, strict=True):
        assert got.target == pytest.approx(wanted.target) or got.target.label == wanted.target.label
        for one, other in zip(got.panels, wanted.panels, strict=True):
            if hasattr(one, "values"):
                top = max(float(np.abs(other.values).max()), 1e-6)
                np.testing.assert_allclose(one.values, other.values, rtol=1e-3, atol=1e-4 * top)
    assert max(layer.seen[-4:]) <= 2  # it does not try the whole again and again


def test_a_plugin_that_takes_too_much_itself_gets_fewer_pictures():
    model, _ = narrow(1000)

    run = xcnn.explain(model, photos(9), Greedy(), preprocess="unit", batch_size=8)

    assert (len(run.results), run.failures) == (9, ())
    assert run.warnings == ("memory was short: fewer pictures were explained at a time",)


def test_a_picture_that_does_not_fit_alone_fails_and_the_others_go_on():
    model, _ = narrow(1000)
    given = [*photos(3), WHITE, *photos(1)]

    run = xcnn.explain(model, given, ["gradcam", "saliency"], preprocess="unit", batch_size=5)

    assert len(run.results) == 8
    assert {(one.path, one.code, one.explainer) for one in run.failures} == {
        ("array-3", "image", "gradcam"),
        ("array-3", "image", "saliency"),
    }
    assert run.failures[0].message == "array-3 needs more memory than there is"
    assert run.failures[0].hint == "close other programs, or ask for fewer targets and layers"


def test_the_only_picture_that_does_not_fit_is_the_error_of_the_run():
    model, _ = narrow(1000)

    with pytest.raises(ImageError, match="array-0 needs more memory than there is"):
        xcnn.explain(model, [WHITE], "gradcam", preprocess="unit")


def test_one_explainer_of_several_that_does_not_fit_leaves_the_others():
    model, _ = narrow(1000)

    run = xcnn.explain(model, photos(2), ["gradcam", Greedy(most=0)], preprocess="unit")

    assert [result.explainer for result in run.results] == ["gradcam"] * 2
    assert [(one.path, one.explainer) for one in run.failures] == [("array-0", "greedy"), ("array-1", "greedy")]


def test_patterns_are_found_half_as_many_at_a_time():
    model, layer = narrow(2)
    wide, _ = narrow(1000)
    asked = {"layer": "conv", "steps": 2, "grid": "2x2", "size": SIZE}

    run, whole = (xcnn.explain(one, None, "filters", preprocess="unit", **asked) for one in (model, wide))

    assert max(layer.seen) == 4
    np.testing.assert_allclose(run.results[0].panels[0].values, whole.results[0].panels[0].values, atol=1e-4)


def test_an_explainer_of_the_model_that_does_not_fit_says_so():
    model, _ = narrow(0)

    with pytest.raises(ModelError, match="filters needs more memory than there is"):
        xcnn.explain(model, None, "filters", preprocess="unit", layer="conv", steps=2, grid="1x1", size=SIZE)


class Told(Silent):
    """What was said."""

    def __init__(self):
        self.said = []

    def noted(self, text):
        self.said.append(text)


def test_it_is_said_once(tmp_path):
    model, layer = narrow(1000)
    told = Told()

    @dataclass(frozen=True, kw_only=True)
    class Later(Explainer):
        name: ClassVar[str] = "later"

        def explain(self, network, batch):
            network.predict(batch)
            layer.most = 3  # from now on
            return [(Attribution(np.ones((2, 2), np.float32), sign="positive", unit=""),)] * batch.images

    execute(
        Request(model="", batch_size=8),
        [Later()],
        host=Host(),
        model=xcnn.open_network(model, preprocess="unit"),
        pictures=photos(40),
        events=told,
        out=tmp_path / "run",
    )

    assert told.said == ["warning: memory was short: at most 2 inputs were computed at a time"]
