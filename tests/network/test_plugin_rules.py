"""Gradient rules that plugins bring: found by name when they are asked for, applied as the built-in ones are."""

from __future__ import annotations

import itertools
import sys

import keras
import nets
import numpy as np
import pytest
import tensorflow as tf
from fakes import pictures

import xcnn
from xcnn.errors import MisfitError, OptionError, PluginError
from xcnn.plugin import GradientRule

pytestmark = pytest.mark.keras

SOURCE = """
from xcnn.plugin import GradientRule, hookimpl


def kept(step, arriving):
    import tensorflow as tf

    return [tf.where((step.op.outputs[0] > 0) & (arriving > 0), arriving, tf.zeros_like(arriving))]


def at(step):
    return kept if step.role == "rectifier" else None


@hookimpl
def xcnn_gradient_rules():
    return [GradientRule(name="{name}", summary="as guided", at=at)]
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put distributions on the path, each with one extension that brings one rule."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("XCNN_PLUGINS", raising=False)
    made = []

    def put(distribution, rule, source=SOURCE):
        module = distribution.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source.replace("{name}", rule), "utf-8")
        about = tmp_path / f"{module}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", "utf-8")
        (about / "entry_points.txt").write_text(f"[xcnn.extensions]\nrules = {module}\n", "utf-8")
        made.append(module)

    yield put
    for module in made:
        sys.modules.pop(module, None)


def found(network, rule, targets=("2",)):
    batch = network.batch(pictures((24, 24)), list(targets), np.random.default_rng(0))
    return network.input_gradients(batch, rule)


def opened():
    return xcnn.open_network(nets.flat(), preprocess="unit")


def relevance(step, arriving):
    """Gradient times input, op by op: each hands down its input times the gradient of what arrives by its output."""
    x = tf.stop_gradient(step.op.inputs[step.data[0]])
    inputs = [x if place == step.data[0] else part for place, part in enumerate(step.op.inputs)]
    copy = step.op.graph.create_op(step.op.type, inputs, [x.dtype], attrs=step.op.node_def.attr)
    arrived = tf.math.divide_no_nan(arriving, step.op.outputs[0])
    return [x * tf.gradients(copy.outputs[0], x, grad_ys=arrived)[0]]


def test_a_rule_is_imported_when_its_name_is_asked_for_and_not_before(install):
    install("xcnn-one", "one")
    network = opened()

    wanted = found(network, "guided")
    assert "xcnn_one" not in sys.modules
    got = found(network, "one")

    assert "xcnn_one" in sys.modules
    np.testing.assert_array_equal(got, wanted)
    assert network.lacks("one") is None


def test_two_plugins_with_one_name_are_an_error_that_names_both(install):
    install("xcnn-one", "same")
    install("xcnn-two", "same")

    with pytest.raises(PluginError, match="xcnn-one") as caught:
        found(opened(), "same")

    assert "xcnn-two" in caught.value.message
    assert "'same'" in caught.value.message


def test_a_plugin_can_not_take_the_name_of_a_built_in_rule(install):
    install("xcnn-one", "guided")

    with pytest.raises(PluginError, match="xcnn and xcnn-one"):
        found(opened(), "another")


def test_a_hook_that_raises_is_an_error_of_its_plugin(install):
    install("xcnn-one", "one", SOURCE.replace("    return [Gradient", "    1 / 0\n    return [Gradient"))

    with pytest.raises(PluginError, match=r"xcnn-one.*ZeroDivisionError"):
        found(opened(), "one")


def test_an_unknown_rule_is_an_error_that_knows_those_of_plugins(install):
    install("xcnn-one", "onerule")

    with pytest.raises(OptionError, match="no gradient rule 'onerul'") as caught:
        found(opened(), "onerul")

    assert "onerule" in caught.value.hint


def test_a_rule_that_begins_with_the_score_hands_down_shares_of_it():
    """On a network of one dense layer without bias: the input times the weight."""
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(3, use_bias=False)])
    network = xcnn.open_network(model, preprocess="unit")
    rule = GradientRule(
        name="shares",
        summary="gradient times input",
        at=lambda step: relevance if step.kind == "MatMul" else None,
        whole=True,
        start="score",
    )
    batch = network.batch(pictures((4, 4), (4, 4)), ["1", "0 vs 2"], np.random.default_rng(0))

    got = network.input_gradients(batch, rule)

    weights = model.layers[-1].weights[0].numpy().reshape(4, 4, 3, 3)
    wanted = np.stack([weights[..., 1], weights[..., 0] - weights[..., 2]])[None] * batch.inputs[:, None]
    np.testing.assert_allclose(got, wanted.reshape(got.shape), rtol=0, atol=1e-6)
    np.testing.assert_allclose(got.sum(axis=(1, 2, 3)), [target.score for target in batch.targets], rtol=1e-4)


def test_a_whole_rule_names_the_op_it_has_no_word_for_and_where():
    rule = GradientRule(
        name="only-dense", summary="", at=lambda step: relevance if step.kind == "MatMul" else None, whole=True
    )
    network = opened()

    reason = network.lacks(rule)

    assert reason.startswith("rule only-dense has no word for Conv2D at conv1, nor for ")
    assert "MaxPool" in reason
    with pytest.raises(MisfitError, match="no word for Conv2D at conv1"):
        found(network, rule)


def test_what_a_whole_rule_keeps_needs_no_word():
    rule = GradientRule(
        name="kept",
        summary="",
        at=lambda step: None,
        whole=True,
        keeps=frozenset({"Conv2D", "MaxPool", "Relu", "Relu6", "BiasAdd", "Mul", "AddV2", "Mean", "MatMul"}),
    )

    network = opened()
    assert network.lacks(rule) is None
    np.testing.assert_array_equal(found(network, rule), found(network, "plain"))


def test_a_rule_that_acts_on_nothing_is_refused():
    rule = GradientRule(name="idle", summary="", at=lambda step: None)

    assert opened().lacks(rule) == "rule idle acts on nothing in this network"


def test_shares_of_probabilities_are_refused():
    network = xcnn.open_network(nets.flat(), preprocess="unit", on="probability")
    rule = GradientRule(name="shares", summary="", at=lambda step: relevance, start="score")

    assert network.lacks(rule) == "rule shares shares out logits, not probabilities"


@pytest.mark.parametrize("build", [nets.flat, nets.nested, nets.subclassed])
def test_steps_tell_what_they_are_fed_and_who_takes_what_they_return(build):
    steps = []

    def at(step):
        steps.append(step)

    xcnn.open_network(build(), preprocess="unit").lacks(GradientRule(name="looks", summary="", at=at, whole=True))

    kinds = [step.kind for step in steps]
    assert (kinds[0], kinds[-1]) == ("Conv2D", "BiasAdd")
    assert [step.place for step in steps] == ["first", *["inside"] * (len(steps) - 1)]
    assert steps[0].sources() == (None,)
    assert steps[-1].users == ()
    for before, after in itertools.pairwise(steps):  # a chain
        assert before.users == (after,)
        assert after.sources() == (before,)
    assert steps[0].layer.split("/")[-1] == "conv1"
    assert [step.kind for step in steps if step.role == "rectifier"] == ["Relu", "Relu6"]


@pytest.mark.parametrize("layers", [
    [keras.layers.Rescaling(-2.0, offset=1.0)],
    [keras.layers.ZeroPadding2D(1), keras.layers.Rescaling(2.0)],
])  # fmt: skip
def test_the_ends_of_a_step_are_what_black_and_white_pictures_are_there(layers):
    model = keras.Sequential(
        [keras.Input((4, 4, 3)), *layers, keras.layers.Conv2D(2, 3, name="conv"), keras.layers.Flatten()]
    )
    network = xcnn.open_network(model, preprocess="unit")
    seen = []

    def ends(step, arriving):
        black, white = step.ends()
        seen.append((black, white))
        # Handed down through the gradient of the convolution's input: the difference, in every row.
        return [tf.zeros_like(step.op.inputs[0]) + white - black]

    rule = GradientRule(name="ends", summary="", at=lambda step: ends if step.place == "first" else None)
    got = found(network, rule, targets=("0",))

    before = keras.Sequential([keras.Input((4, 4, 3)), *layers])
    black, white = (before(np.full((1, 4, 4, 3), end, np.float32)) for end in (0, 1))
    # What arrives at the pixels went back through the layers: their scale once more.
    scale = float(layers[-1].scale)
    inner = (np.asarray(white) - np.asarray(black)) * scale
    np.testing.assert_allclose(got, inner[:, 1:-1, 1:-1] if len(layers) > 1 else inner, rtol=0, atol=1e-6)
    assert len(seen) == 1
