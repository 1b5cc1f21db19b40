"""The plugin against numbers that pytorch-grad-cam computed with the same weights, to 1e-4 of the largest value."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def theirs():
    """The script beside this file; it is no package."""
    before = list(sys.path)
    sys.path.insert(0, str(HERE))
    import cams_comparison

    yield cams_comparison
    sys.path[:] = before


@pytest.mark.parametrize("name", ["vgg", "mobilenet"])
def test_the_weights_are_those_that_the_others_had(theirs, name):
    assert theirs.weights.checksum(name) == pytest.approx(float(theirs.stored()[name, "checksum"]), rel=1e-12)


@pytest.mark.parametrize("name", ["vgg", "mobilenet"])
def test_every_method_agrees_with_pytorch_grad_cam_at_two_layers(theirs, name):
    found = {(path, method): apart for path, method, apart in theirs.compared(name) if method in theirs.AGREED}

    assert set(found) == {(path, method) for path in theirs.settings.LAYERS[name] for method in theirs.AGREED}
    assert {key: apart for key, apart in found.items() if not apart < 1e-4} == {}


def test_gradcampp_is_apart_by_what_pytorch_grad_cam_adds_to_the_denominators(theirs):
    import xcnn

    network = xcnn.open_network(theirs.comparison.built("mobilenet"), preprocess="unit")
    batch = network.batch([theirs.weights.picture()], [str(theirs.weights.TARGET)], np.random.default_rng(0))
    features, g = (values[0].astype(float) for values in network.layer_gradients(batch, ["relu9"])["relu9"])

    alpha = g**2 / (2 * g**2 + features.sum(axis=(0, 1)) * g**3 + 1e-6)
    with_more = features @ (np.maximum(g, 0) * alpha).sum(axis=(0, 1))
    plain = theirs.stored()["mobilenet", "relu9", "gradcampp"]

    np.testing.assert_allclose(with_more, plain, rtol=0, atol=1e-4 * plain.max())
    apart = {(path, method): far for path, method, far in theirs.compared("mobilenet")}
    assert apart["relu9", "gradcampp"] > 0.05
