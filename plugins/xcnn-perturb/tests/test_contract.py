"""What every explainer owes on every kind of model: finite, repeatable, batch = loop, nothing traced twice, no trace left."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import xcnn_perturb
from xcnn_perturb.kernelshap import KernelSHAP
from xcnn_perturb.lime import LIME
from xcnn_perturb.rise import RISE

EXPLAINERS = {"rise": RISE, "lime": LIME, "kernelshap": KernelSHAP}
FILES = sorted(Path(xcnn_perturb.__file__).parent.glob("*.py"))
SIZE = 24
PHOTOS = [np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8) for size in ((30, 40), (26, 22))]


def built(kind):
    """A small model of a kind."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    pixels = keras.Input((SIZE, SIZE, 1 if kind == "gray" else 3))
    maps = layers.Conv2D(6, 3, strides=2, activation="swish" if kind == "no rectifier" else "relu")(pixels)
    if kind == "segmentation":
        return keras.Model(pixels, layers.Conv2D(4, 1, activation="softmax")(maps))
    found = layers.GlobalAveragePooling2D()(maps) if kind == "pooled" else layers.Flatten()(maps)
    if kind == "one sigmoid":
        return keras.Model(pixels, layers.Dense(1, activation="sigmoid")(found))
    if kind == "linear":
        return keras.Model(pixels, layers.Dense(1)(found))
    return keras.Model(pixels, layers.Dense(5, activation="softmax")(found))


KINDS = ("pooled", "one sigmoid", "linear", "gray", "segmentation", "no rectifier")


@cache
def opened(kind):
    import xcnn

    model = built(kind)
    return xcnn.open_network(model, preprocess="unit"), model


def explained(kind, name, photos, **options):
    import xcnn

    made = EXPLAINERS[name](**{"samples": 20, "repeats": 2, **options})
    return xcnn.explain(opened(kind)[0], photos, made, target=["0"], seed=5)


def arrays(run):
    return [panel.values for result in run.results for panel in result.panels]


pairs = pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in EXPLAINERS])


@pytest.mark.keras
@pairs
def test_an_explainer_keeps_its_contract(kind, name):
    network, model = opened(kind)
    before = [weight.tobytes() for weight in model.get_weights()]

    run = explained(kind, name, PHOTOS)
    traces = network.traces
    again = explained(kind, name, PHOTOS)

    assert not run.failures
    assert len(arrays(run)) == 4
    for first, second in zip(arrays(run), arrays(again), strict=True):
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(first, second)
    assert network.traces == traces
    assert [weight.tobytes() for weight in model.get_weights()] == before
    assert EXPLAINERS[name]().fits(network) is None


@pytest.mark.keras
@pairs
def test_a_batch_gives_what_one_picture_at_a_time_gives(kind, name):
    both = arrays(explained(kind, name, PHOTOS))
    apart = [values for photo in PHOTOS for values in arrays(explained(kind, name, [photo]))]

    for together, alone in zip(both, apart, strict=True):
        np.testing.assert_allclose(together, alone, rtol=0, atol=1e-4 * max(np.abs(alone).max(), 1e-6))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_of_xcnn_is_imported_but_its_plugin_api_and_nothing_heavy_before_it_is_needed(path):
    tree = ast.parse(path.read_text("utf-8"))
    imported = {node: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {node: node.names[0].name for node in ast.walk(tree) if isinstance(node, ast.Import)}
    at_top = {imported[node] for node in tree.body if node in imported}

    assert {module for module in imported.values() if module.split(".")[0] == "xcnn"} <= {"xcnn.plugin"}
    assert not {module.split(".")[0] for module in at_top} & {"skimage", "scipy", "tensorflow", "keras"}


def test_importing_the_explainers_loads_nothing_heavy():
    code = "import sys, xcnn_perturb.rise, xcnn_perturb.lime, xcnn_perturb.kernelshap; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"numpy", "scipy", "skimage", "tensorflow", "keras"} & set(done.stdout.split())
