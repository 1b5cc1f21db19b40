"""What every explainer owes on every kind of model: finite, repeatable, batch = loop, nothing traced twice, no trace left."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path

import keras
import nets
import numpy as np
import pytest
from fakes import pictures

import xcnn
from xcnn.errors import MisfitError
from xcnn.host import Host
from xcnn.plugin import Attribution, Curve, Explainer, Labels, Tiles

pytestmark = pytest.mark.keras


def mixed_precision():
    """The flat net computed in float16."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return nets.flat()
    finally:
        keras.config.set_dtype_policy("float32")


def swish():
    """A net without a rectifier and without global average pooling."""
    keras.utils.set_random_seed(4)
    return keras.Sequential(
        [
            keras.Input((nets.SIZE, nets.SIZE, 3)),
            keras.layers.Conv2D(4, 3, strides=2, activation="swish", name="conv1"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(3, activation="softmax", name="predictions"),
        ],
        name="swish",
    )


KINDS = {
    "flat": nets.flat,
    "nested": nets.nested,
    "doubly nested": nets.doubly_nested,
    "subclassed": nets.subclassed,
    "two inputs, a shared tower": nets.siamese,
    "gray, flattened": nets.mnist,
    "one sigmoid": lambda: nets.nested("sigmoid", 1),
    "linear": lambda: nets.flat("linear", 1),
    "segmentation": nets.segmentation,
    "mixed precision": mixed_precision,
    "no rectifier": swish,
}
QUICK = {
    "filters": {"steps": 3, "grid": "1x2"},
    "occlusion": {"window": "9x7", "stride": "7x5"},
    "integrated": {"steps": 4},
    "smoothgrad": {"samples": 3},
}
"""Options that make slow ones quick."""
TWO = pictures((30, 40), (26, 22), seed=1)


@cache
def opened(kind):
    """A network of each kind, and its model; traces are shared by the tests of one kind."""
    model = KINDS[kind]()
    return xcnn.open_network(model, preprocess="unit"), model


def explained(network, name, photos):
    kind = EXPLAINERS[name]
    options = {"target": ["0"]} if issubclass(kind, Explainer) else {}
    made = kind(**QUICK.get(name, {}))
    return xcnn.explain(network, photos if options else None, made, seed=5, **options)


def arrays(run):
    """All numbers of a run, in order."""
    found = []
    for panel in (panel for result in run.results for panel in result.panels):
        if isinstance(panel, (Attribution, Tiles, Labels)):
            found.append(panel.values)
        elif isinstance(panel, Curve):
            found += list(panel.series.values())
        else:
            found += [np.array([one for one in row if not isinstance(one, str)], float) for row in panel.rows]
    return found


def state(model):
    """What must not change about a model."""
    layers = list(model._flatten_layers(include_self=True, recursive=True))
    return (
        [weight.tobytes() for weight in model.get_weights()],
        [(layer.name, sorted(vars(layer)), layer.trainable) for layer in layers],
        keras.config.dtype_policy().name,
    )


def fitting(kind, name):
    """The network, or a skip with the reason why the explainer does not fit, which must be said in words."""
    network, _ = opened(kind)
    reason = EXPLAINERS[name]().fits(network)
    if reason is not None:
        photos = TWO if issubclass(EXPLAINERS[name], Explainer) else None
        with pytest.raises(MisfitError) as caught:
            xcnn.explain(network, photos, EXPLAINERS[name]())
        assert reason.split()[-1] in caught.value.message or "map" in caught.value.message
    return network if reason is None else None


OFTEN = {"nested", "one sigmoid", "gray, flattened", "segmentation", "no rectifier"}
"""The kinds that every run of the tests tries; the others are slow together."""
TOY = Path(__file__).parent / "distributions" / "toy" / "xcnn_toy.py"


def toy():
    """A third-party explainer, from the file that its distribution installs."""
    spec = importlib.util.spec_from_file_location("xcnn_toy", TOY)
    module = importlib.util.module_from_spec(spec)
    sys.modules["xcnn_toy"] = module
    spec.loader.exec_module(module)
    return module.Toy


EXPLAINERS = {name: Host().explainer(name) for name in xcnn.list_explainers()} | {"toy": toy()}
"""The built-in ones, those of installed plugins, and one as a plugin brings it."""
pairs = pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(kind, name, marks=() if kind in OFTEN else pytest.mark.slow)
        for kind in KINDS
        for name in EXPLAINERS
    ],
)


@pairs
def test_an_explainer_keeps_its_contract(kind, name):
    network = fitting(kind, name)
    if network is None:
        return
    model = opened(kind)[1]
    before = state(model)

    run = explained(network, name, TWO)
    traces = network.traces
    again = explained(network, name, TWO)

    assert run.results
    assert not run.failures
    assert all(np.isfinite(values).all() for values in arrays(run))
    for first, second in zip(arrays(run), arrays(again), strict=True):
        np.testing.assert_array_equal(first, second)
    assert network.traces == traces
    assert state(model) == before


@pairs
def test_a_batch_gives_what_one_picture_at_a_time_gives(kind, name):
    network = fitting(kind, name)
    if network is None or not issubclass(EXPLAINERS[name], Explainer):
        return

    both = arrays(explained(network, name, TWO))
    apart = [values for photo in TWO for values in arrays(explained(network, name, [photo]))]

    for together, alone in zip(both, apart, strict=True):
        bound = 2e-3 if kind == "mixed precision" else 1e-5
        np.testing.assert_allclose(together, alone, rtol=0, atol=bound * max(np.abs(alone).max(), 1e-6))


def test_every_explainer_of_pictures_runs_beside_the_others():
    network, _ = opened("nested")
    names = [name for name, kind in EXPLAINERS.items() if kind().fits(network) is None]

    run = xcnn.explain(network, TWO, [EXPLAINERS[name](**QUICK.get(name, {})) for name in names])

    assert {result.explainer for result in run.results} == set(names)
    assert not run.failures
