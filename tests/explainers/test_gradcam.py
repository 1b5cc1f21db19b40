"""Grad-CAM against its definition, without TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeNetwork, pictures
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import xcnn
from xcnn import GradCAM, maths
from xcnn.errors import LayerError, OptionError
from xcnn.explainers import gradcam

numbers = st.floats(-9, 9, width=32)


def gradcam_by_definition(features, gradients):
    """Equations 1 and 2, one image, channel and pixel at a time."""
    n, h, w, k = features.shape
    maps = np.zeros((n, h, w))
    for i in range(n):
        alpha = [sum(gradients[i, y, x, c] for y in range(h) for x in range(w)) / (h * w) for c in range(k)]
        for y in range(h):
            for x in range(w):
                maps[i, y, x] = max(0.0, sum(alpha[c] * features[i, y, x, c] for c in range(k)))
    return maps


@given(arrays(np.float64, (2, 3, 4, 2), elements=numbers), arrays(np.float64, (2, 3, 4, 2), elements=numbers))
def test_the_maths_is_equations_1_and_2(features, gradients):
    got = maths.positive(maths.weighted_sum(features, maths.channel_means(gradients)))

    np.testing.assert_allclose(got, gradcam_by_definition(features, gradients), atol=1e-9)


def test_it_keeps_evidence_for_the_class_and_drops_evidence_against_it():
    network = FakeNetwork(features=[[[[0, 1], [5, 0]]]], gradients=[[[[1, -1], [1, -1]]]])

    run = xcnn.explain(network, pictures((4, 4)))

    panel = run.results[0].panels[0]
    np.testing.assert_array_equal(panel.values, [[0, 5]])
    assert (panel.sign, panel.unit, panel.layer) == ("positive", "score", "conv")


def test_values_are_not_normalised():
    small = xcnn.explain(FakeNetwork(np.ones((1, 2, 2, 1))), pictures((4, 4))).results[0].panels[0].values
    large = xcnn.explain(FakeNetwork(np.full((1, 2, 2, 1), 7)), pictures((4, 4))).results[0].panels[0].values

    np.testing.assert_array_equal(large, 7 * small)


def test_features_and_weights_of_different_channels_are_an_error():
    with pytest.raises(ValueError, match="weights have shape"):
        maths.weighted_sum(np.zeros((1, 2, 2, 3)), np.zeros((1, 2)))


@pytest.mark.parametrize("given_as", ["conv, conv", ["conv", "conv"], ("conv,conv",)])
def test_layers_can_be_given_as_one_string_or_several(given_as):
    assert GradCAM(layer=given_as).layer == ("conv", "conv")


def test_an_unknown_layer_is_an_error_with_a_hint():
    with pytest.raises(LayerError, match="no layer 'cov'"):
        xcnn.explain(FakeNetwork(), pictures((4, 4)), layer="cov")


def test_an_unknown_option_is_an_error_that_names_the_nearest():
    with pytest.raises(OptionError, match="no option 'layr'") as caught:
        xcnn.explain(FakeNetwork(), pictures((4, 4)), layr="conv")

    assert "layer" in caught.value.hint


def test_its_docstring_and_reference_say_where_it_comes_from():
    assert "1610.02391" in str(GradCAM.source)
    assert "equations 1-2" in str(GradCAM.source)
    assert gradcam.__doc__
