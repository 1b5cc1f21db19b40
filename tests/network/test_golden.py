"""Expected values on a tiny net with written-down weights: numbers that nobody here chose.

Derived from captum's ``BasicModel_ConvNet_One_Conv`` test vectors, translated to channels last.
"""

from __future__ import annotations

import nets
import numpy as np
import pytest

import xcnn
from xcnn import maths

pytestmark = pytest.mark.keras

INPUT = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
GRADCAM_CONV_NO_RELU = [[11.25, 13.5], [20.25, 22.5]]
GRADCAM_RELU_LAYER = [[0.0, 4.0], [28.0, 32.5]]
SCORE = 54.0


@pytest.fixture(scope="module")
def found():
    network = xcnn.open_network(nets.one_conv(), preprocess="none")
    pixels = np.repeat(INPUT[0].astype(np.uint8), 3, axis=2)
    batch = network.batch([pixels], ["0"], np.random.default_rng(0))
    return network, batch, network.layer_gradients(batch, ["conv", "relu"])


def test_the_picture_arrives_as_the_golden_input(found):
    _, batch, _ = found

    np.testing.assert_array_equal(batch.inputs, INPUT)


def test_the_score_is_the_golden_one(found):
    _, batch, _ = found

    assert batch.targets[0].score == pytest.approx(SCORE, abs=1e-6)


def test_the_weighted_sum_at_the_convolution_is_the_golden_one(found):
    features, gradients = found[2]["conv"]

    np.testing.assert_allclose(
        maths.weighted_sum(features, maths.channel_means(gradients))[0], GRADCAM_CONV_NO_RELU, rtol=0, atol=1e-6
    )


def test_grad_cam_at_the_relu_is_the_golden_one(found):
    network, _, _ = found
    picture = np.repeat(INPUT[0].astype(np.uint8), 3, axis=2)

    run = xcnn.explain(network, picture, layer="relu", target=0)

    np.testing.assert_allclose(run.results[0].panels[0].values, GRADCAM_RELU_LAYER, rtol=0, atol=1e-6)
