"""The rules against Captum's, on the same weights; `crosscheck/captum_numbers.py` says under which settings."""

from __future__ import annotations

from pathlib import Path

import nets
import numpy as np
import pytest
from nets import agree, relevance

CROSSCHECK = Path(__file__).parent / "crosscheck"


@pytest.mark.parametrize("name", ["epsilon", "gamma", "zplus"])
def test_relevance_is_that_of_captum(name):
    wanted = np.load(CROSSCHECK / "captum.npz")
    model = nets.vgg(bias=name != "gamma")
    weights = np.load(CROSSCHECK / "weights.npz")
    for layer in model.layers:  # those that Captum had
        for weight in layer.weights:
            biased = weight.name == "kernel" or name != "gamma"
            np.testing.assert_array_equal(weight, weights[f"{layer.name}.{weight.name}"] * biased)

    batch, found = relevance(model, name, targets=["top"], photos=nets.pictures(4), epsilon=1e-6, gamma=0.4)

    np.testing.assert_allclose(batch.scores, wanted[f"{name}.scores"], rtol=1e-4, atol=1e-5)
    comparable = [place for place, target in enumerate(batch.targets) if target.score > 0]
    assert len(comparable) >= 3
    for place in comparable:
        agree(found[place], wanted[name][place], 1e-4)
