"""LIME: against its definition, and on scores whose values are known."""

from __future__ import annotations

import math

import numpy as np
from fakes import PICTURE, Toy, game, of_quarters, patches, values_of, weighing

from xcnn_perturb import superpixels
from xcnn_perturb.kernelshap import KernelSHAP
from xcnn_perturb.lime import LIME


def test_a_linear_score_is_recovered():
    worth = np.array([3.0, -1.0, 0.5, 2.0])
    network = of_quarters(lambda shown: float(7 + np.dot(shown, worth)))

    panel = LIME(segments=4, samples=2000, fill="black").explain(network, network.batch([PICTURE]))[0][0]

    # The ridge pulls values of 2000 samples towards zero by less than a hundredth.
    np.testing.assert_allclose(values_of(panel), worth, rtol=0.01)
    assert panel.notes == ("4 superpixels; the linear model explains 100% of the scores' variance",)
    assert (panel.sign, panel.unit, panel.flat) == ("signed", "score", True)


def test_a_score_that_no_line_explains_says_so():
    network = of_quarters(lambda shown: float(sum(round(one) for one in shown) % 2))

    panel = LIME(segments=4, samples=400, fill="black").explain(network, network.batch([PICTURE]))[0][0]

    assert int(panel.notes[0].split("explains ")[1].split("%")[0]) < 30


def test_the_ridge_is_the_least_of_its_penalised_squares():
    rng = np.random.default_rng(0)
    masks, scores = rng.integers(0, 2, (20, 6)).astype(float), rng.normal(size=(20, 2))
    weights = superpixels.closeness(masks)

    coefficients, fit = superpixels.ridge(masks, scores, weights)

    # Penalties as rows of zeros to be met: an intercept has none.
    roots = np.sqrt(weights)[:, np.newaxis]
    rows = np.vstack([roots * np.c_[masks, np.ones(20)], np.sqrt(superpixels.RIDGE) * np.eye(7)[:6]])
    wanted = np.vstack([roots * scores, np.zeros((6, 2))])
    slow = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    np.testing.assert_allclose(coefficients, slow[:6], atol=1e-10)
    left = weights @ (scores - np.c_[masks, np.ones(20)] @ slow) ** 2
    around = weights @ (scores - np.average(scores, axis=0, weights=weights)) ** 2
    np.testing.assert_allclose(fit, 1 - left / around)


def test_masks_count_by_their_cosine_to_the_whole_picture():
    masks = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]], float)

    slow = []
    for mask in masks:
        length = np.linalg.norm(mask)
        distance = 1 - (mask @ np.ones(4) / (length * 2) if length else 0)
        slow.append(math.sqrt(math.exp(-(distance**2) / 0.25**2)))
    np.testing.assert_allclose(superpixels.closeness(masks), slow)


def test_too_few_masks_for_the_superpixels_are_noted():
    network = Toy(weighing((24, 24))[0])

    panel = KernelSHAP(samples=4, segments=16).explain(network, network.batch([patches()]))[0][0]

    assert panel.notes[1] == "4 masked pictures for 14 superpixels: too few to tell them apart"


def test_a_line_through_too_few_scores_does_not_boast_of_explaining_them():
    network = of_quarters(game)

    few, enough = (
        LIME(samples=samples, segments=4, fill="black").explain(network, network.batch([PICTURE]))[0][0].notes
        for samples in (5, 6)
    )

    assert few == (
        "5 masked pictures for 4 superpixels: too few to tell them apart, or how much of the scores a line explains",
    )
    assert len(enough) == 1
    assert enough[0].startswith("4 superpixels; the linear model explains ")
