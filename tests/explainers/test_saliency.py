"""Saliency, guided backpropagation and the deconvolutional network against their definitions, without TensorFlow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fakes import FakeNetwork, pictures
from formulas import FormulaNetwork
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import xcnn
from xcnn import Deconv, Guided, Saliency, maths
from xcnn.errors import MisfitError, OptionError

HOW = ("max", "mean", "l2", "signed")
EXPLAINERS = (Saliency, Guided, Deconv)


def reduced_by_definition(values, how):
    """One pixel at a time."""
    n, h, w, c = values.shape
    maps = np.zeros((n, h, w))
    for place in np.ndindex(n, h, w):
        channels = [float(values[place][k]) for k in range(c)]
        sizes = [abs(value) for value in channels]
        maps[place] = {
            "max": max(sizes),
            "mean": sum(sizes) / c,
            "l2": math.sqrt(sum(value * value for value in channels)),
            "signed": sum(channels),
        }[how]
    return maps


@pytest.mark.parametrize("how", HOW)
@given(values=arrays(np.float32, (2, 3, 2, 3), elements=st.floats(-9, 9, width=16)))
def test_the_channels_become_one_number_as_defined(how, values):
    np.testing.assert_allclose(maths.reduced(values, how), reduced_by_definition(values, how), rtol=1e-5, atol=1e-6)


def test_one_channel_keeps_its_magnitude_or_its_sign():
    values = np.array([[[[-2.0], [3.0]]]], np.float32)

    for how in ("max", "mean", "l2"):
        np.testing.assert_array_equal(maths.reduced(values, how), [[[2, 3]]])
    np.testing.assert_array_equal(maths.reduced(values, "signed"), [[[-2, 3]]])


@pytest.mark.parametrize("how", HOW)
def test_it_shows_the_gradient_of_each_target_in_order(how):
    network = FormulaNetwork(power=2)
    photos = pictures((4, 4), (4, 4))

    run = xcnn.explain(network, photos, Saliency(reduce=how))

    assert len(run.results) == 4
    for place, result in enumerate(run.results):
        inputs = network.prepare(photos[place // 2])
        gradient = (2 * inputs * network.weights[result.target.index])[np.newaxis]
        wanted = reduced_by_definition(gradient, how)[0]
        np.testing.assert_allclose(result.panels[0].values, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("explainer", EXPLAINERS)
@pytest.mark.parametrize("how", HOW)
def test_the_panel_says_what_it_is(explainer, how):
    (panel,) = xcnn.explain(FakeNetwork(), pictures((4, 4)), explainer(reduce=how)).results[0].panels

    assert panel.sign == ("signed" if how == "signed" else "positive")
    assert (panel.unit, panel.layer, panel.fine) == ("score per input unit", "", True)
    assert panel.values.dtype == np.float32


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_the_largest_magnitude_is_the_default(explainer):
    assert explainer().reduce == "max"


def test_another_reduction_is_an_error_that_names_the_choices():
    with pytest.raises(OptionError, match="--reduce is 'sum', which is not one of its choices") as caught:
        Saliency(reduce="sum")

    assert caught.value.hint == "one of max, mean, l2, signed"


@pytest.mark.parametrize("explainer", [Guided, Deconv])
def test_the_rules_tell_what_they_act_on(explainer):
    (panel,) = xcnn.explain(FakeNetwork(), pictures((4, 4)), explainer()).results[0].panels

    assert panel.notes == ("1 of 1 non-linearities are rectifiers",)


def test_saliency_has_nothing_to_tell_of_rectifiers():
    assert xcnn.explain(FakeNetwork(), pictures((4, 4)), "saliency").results[0].panels[0].notes == ()


@pytest.mark.parametrize("explainer", [Guided, Deconv])
def test_a_network_without_rectifiers_does_not_fit_the_rules(explainer):
    network = FakeNetwork()
    network.covered = 0

    assert explainer().fits(network) == "it acts on ReLUs and this model has none: 1 swish"
    with pytest.raises(MisfitError, match="this model has none"):
        xcnn.explain(network, pictures((4, 4)), explainer())


def test_everything_fits_a_network_with_rectifiers():
    assert [explainer().fits(FakeNetwork()) for explainer in EXPLAINERS] == [None] * 3


def test_each_names_its_paper():
    urls = [explainer.source.url for explainer in EXPLAINERS]

    assert [url.rpartition("/")[2] for url in urls] == ["1312.6034", "1412.6806", "1311.2901"]
