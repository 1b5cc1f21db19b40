"""LIME and KernelSHAP against the libraries lime and shap, on numbers stored by reference/make_numbers.py."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from xcnn_perturb import masking
from xcnn_perturb.superpixels import Linear, Shapley

REFERENCE = Path(__file__).parent / "reference"
sys.path.insert(0, str(REFERENCE))
from games import COUNT, game  # noqa: E402

LABELS = np.arange(COUNT)[np.newaxis]


@pytest.fixture(scope="module")
def numbers():
    with np.load(REFERENCE / "numbers.npz") as found:
        return dict(found)


def scored(draws):
    whole, hidden = game([np.ones(COUNT), np.zeros(COUNT)])
    return masking.Scored(draws, game(draws).T, whole, hidden)


def test_lime_is_that_of_the_library_lime(numbers):
    # Its first mask is the picture itself, which ours adds.
    masks = numbers["lime_masks"].astype(np.int64)
    assert masks[0].all()

    found = Linear(LABELS).estimated(scored(masks[1:]), 1)

    np.testing.assert_allclose(found.values[0], numbers["lime_values"], atol=1e-9)
    assert f"explains {numbers['lime_fit']:.0%}" in found.notes[0][0]


def test_kernelshap_is_that_of_the_library_shap(numbers):
    plan = Shapley(LABELS, 1000)

    found = plan.estimated(scored(masking.drawn(plan, 0, plan.most, (0,))), 1)

    np.testing.assert_allclose(found.values[0], numbers["shap_values"], atol=1e-9)
