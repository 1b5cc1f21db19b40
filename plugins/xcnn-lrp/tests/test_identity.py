"""What must hold whatever the numbers: conservation, gradient x input, twins, and what is stated on the panel."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
from nets import L, agree, relevance

import xcnn
from xcnn.plugin import GradientRule
from xcnn_lrp import LRP
from xcnn_lrp.rules import NAMES, rule


def residual(*, bias=True):
    """A ResNet in small: batch normalisation, a shortcut, a depthwise convolution, and global average pooling."""
    pixels = keras.Input((12, 12, 3))
    x = L.Conv2D(4, 3, padding="same", use_bias=False)(L.ZeroPadding2D(1)(pixels))
    shortcut = L.ReLU()(L.BatchNormalization(center=bias)(x))
    x = L.DepthwiseConv2D(3, padding="same", use_bias=False)(shortcut)
    x = L.BatchNormalization(center=bias)(x)
    x = L.ReLU()(L.Add()([x, shortcut]))
    x = L.Concatenate()([L.AveragePooling2D(2)(x), L.MaxPooling2D()(x)])
    x = L.Conv2D(5, 3, dilation_rate=2, activation="relu", use_bias=bias)(x)
    model = nets.weighted(keras.Model(pixels, L.Dense(3, use_bias=bias)(L.GlobalAveragePooling2D()(x))))
    for weight in () if bias else model.weights:
        if weight.name == "moving_mean":
            weight.assign(np.zeros(weight.shape))
    return model


@pytest.mark.parametrize("build", [nets.vgg, residual])
def test_without_biases_nor_stabiliser_epsilon_is_gradient_times_input(build):
    model = build(bias=False)

    batch, gradients = relevance(model, None, targets=["0", "2"])
    _, found = relevance(model, "epsilon", targets=["0", "2"], epsilon=0)

    agree(found, gradients * np.repeat(batch.inputs, 2, axis=0), 1e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("build", [nets.vgg, residual])
def test_without_biases_nor_stabiliser_relevance_is_conserved(build, name):
    batch, found = relevance(build(bias=False), name, targets=["0", "1", "2"], epsilon=0)

    scores = [target.score for target in batch.targets]
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", [nets.vgg, residual])
def test_zplus_conserves_relevance_with_biases_too_and_has_one_sign(build):
    batch, found = relevance(build(), "zplus", targets=["0", "1", "2"])

    for row, target in zip(found, batch.targets, strict=True):
        assert row.sum() == pytest.approx(target.score, rel=1e-4)
        assert (row * target.score >= 0).all()


def test_gamma_grows_into_zplus():
    """Apart from biases, which gamma counts."""
    model = nets.vgg(bias=False)

    agree(relevance(model, "gamma", gamma=1e5)[1], relevance(model, "zplus")[1], 1e-3)


def test_gamma_of_nothing_is_epsilon_of_nothing():
    agree(relevance(residual(), "gamma", gamma=0)[1], relevance(residual(), "epsilon", epsilon=0)[1], 1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_relevance_of_a_contrast_sums_to_the_difference_of_the_scores(name):
    batch, found = relevance(nets.vgg(bias=False), name, targets=["0 vs 2"], epsilon=0)

    differences = batch.scores[:, 0] - batch.scores[:, 2]
    np.testing.assert_allclose([target.score for target in batch.targets], differences, rtol=1e-5)
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), differences, rtol=1e-4)


def test_the_relevance_of_a_contrast_is_that_of_one_class_less_that_of_the_other():
    """Relevance is linear in what it begins with."""
    model = nets.vgg()
    one, other, contrast = (relevance(model, "gamma", targets=[target])[1] for target in ("0", "2", "0 vs 2"))

    agree(contrast, one - other, 1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_class_a_single_sigmoid_speaks_against_has_the_relevance_turned_round(name):
    model = keras.Sequential([*nets.vgg().layers[:-1], L.Dense(1, activation="sigmoid")])
    model.build((None, nets.SIZE, nets.SIZE, 3))

    _, found = relevance(model, name, targets=["0", "1"])

    agree(found[::2], -found[1::2])


@pytest.mark.parametrize("name", NAMES)
def test_twins_have_the_same_relevance_however_they_are_built(name):
    flat = residual()
    nested = keras.Sequential(
        [keras.Input((12, 12, 3)), keras.Model(flat.input, flat.layers[-2].output), flat.layers[-1]]
    )

    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.head = nested.layers

        def call(self, pixels):
            return self.head(self.inner(pixels))

    subclassed = Subclassed()
    subclassed(np.zeros((1, 12, 12, 3), np.float32))

    _, wanted = relevance(flat, name)
    for twin in (nested, subclassed):
        agree(relevance(twin, name)[1], wanted)


@pytest.mark.parametrize("name", NAMES)
def test_scaling_the_pixels_inside_the_network_changes_nothing(name):
    """The bounds of the first layer are what the network makes of black and white, in whatever order and with a margin."""
    outside = keras.Sequential([keras.Input((12, 12, 3)), residual()])
    inside = keras.Sequential(
        [keras.Input((12, 12, 3)), L.Rescaling(1 / 127.5, offset=-1), L.Permute((1, 2, 3)), outside.layers[-1]]
    )

    _, wanted = relevance(outside, name, preprocess="tf")

    agree(relevance(inside, name, preprocess="none")[1], wanted, 1e-4)


def test_the_composite_of_one_layer_measures_pixels_from_black_and_white():
    """For a positive weight from black, for a negative one from white; the bias takes nothing."""
    model = keras.Sequential([keras.Input((2, 2, 1)), L.Flatten(), L.Dense(1, name="score")])
    weights = np.array([2.0, -1.0, 0.5, -3.0])
    model.get_layer("score").set_weights([weights[:, None], np.array([7.0])])
    photo = np.broadcast_to(np.array([[51, 102], [153, 204]], np.uint8)[..., None], (2, 2, 3))

    batch, found = relevance(model, "composite", photos=[photo])

    x = batch.inputs.ravel()
    parts = np.where(weights > 0, weights * x, weights * (x - 1))
    agree(found.ravel(), parts / parts.sum() * batch.targets[0].score)


@pytest.mark.parametrize("name", NAMES)
def test_the_panel_says_how_much_of_the_score_arrived(name):
    run = xcnn.explain(nets.vgg(), nets.pictures(), LRP(rule=name), target="top2", preprocess="unit")

    assert len(run.results) == 4
    for result in run.results:
        (panel,) = result.panels
        total = panel.values.sum(dtype="float64")
        assert panel.residual == pytest.approx(total - result.target.score, abs=1e-6)
        share = f"({total / result.target.score:.1%})"
        assert panel.notes[0].startswith(
            f"relevance sums to {total:.4g} of the score {result.target.score:.4g} {share}"
        )
        assert (panel.sign, panel.unit, panel.fine) == ("signed", "relevance", True)


def test_targets_of_one_picture_do_not_mix():
    both = relevance(residual(), "composite", targets=["0", "1"])[1]
    apart = [relevance(residual(), "composite", targets=[target])[1] for target in ("0", "1")]

    agree(both, np.stack(apart, axis=1).reshape(both.shape))


def test_a_rule_with_the_same_numbers_is_traced_once():
    network = xcnn.open_network(nets.vgg(), preprocess="unit")

    def asked(epsilon):
        batch = network.batch(nets.pictures(), ["0"], np.random.default_rng(0))
        network.input_gradients(batch, rule("epsilon", epsilon=epsilon))
        return network.traces

    first = asked(0.1)

    assert asked(0.1) == first
    assert asked(0.2) == first + 1
    assert isinstance(rule("epsilon"), GradientRule)
