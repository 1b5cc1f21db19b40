"""xcnn against numbers that captum and pytorch-grad-cam computed with the same weights, to 1e-4 of the largest value."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
METHODS = {
    *("scores", "saliency", "guided", "deconv", "gradcam", "integrated", "gradcam (pytorch-grad-cam)"),
    *(f"saliency --reduce {how}" for how in ("max", "mean", "l2", "signed")),
    *(f"guided-gradcam {how}" for how in ("nearest", "bilinear")),
    *(f"occlusion {how}" for how in ("even", "cut")),
}
MORE = {"vgg": {"guided (pytorch-grad-cam)"}, "mobilenet": set()}

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def modules():
    """The scripts beside this file; they are no package."""
    sys.path.insert(0, str(HERE))
    import comparison
    import weights

    yield comparison, weights
    sys.path.remove(str(HERE))


@pytest.mark.parametrize("name", ["vgg", "mobilenet"])
def test_the_weights_are_those_that_the_others_had(modules, name):
    comparison, weights = modules

    assert weights.checksum(name) == pytest.approx(float(comparison.stored(name)["checksum"]), rel=1e-12)


@pytest.mark.parametrize("name", ["vgg", "mobilenet"])
def test_every_method_agrees_with_the_others(modules, name):
    comparison, _ = modules

    differences = dict(comparison.compared(name))

    assert set(differences) == METHODS | MORE[name]
    assert {method: apart for method, apart in differences.items() if not apart < 1e-4} == {}


def test_some_units_of_the_second_network_reach_the_cap_of_relu6(modules):
    """Or a rule that stopped there would agree, too."""
    comparison, weights = modules
    import xcnn

    network = xcnn.open_network(comparison.built("mobilenet"), preprocess="unit")
    inputs = weights.picture()[np.newaxis].astype(np.float32) / 255
    found = network.activations(inputs, ["relu*"])

    assert sum((features == 6).sum() for features in found.values()) > 100
    assert network.rectifiers().covered == len(found) == 9
