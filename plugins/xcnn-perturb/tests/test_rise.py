"""RISE against its definition, its masks against scikit-image, and its expectation on a linear score."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fakes import Toy, drawn, weighing
from skimage.transform import resize

from xcnn.plugin import maths
from xcnn_perturb import masking
from xcnn_perturb.grids import Grids
from xcnn_perturb.rise import RISE


@pytest.mark.parametrize(("size", "cells"), [((224, 224), 7), ((30, 47), 8), ((5, 6), 7), ((9, 9), 3)])
def test_masks_are_grids_enlarged_by_one_cell_and_cut_at_a_shift(size, cells):
    plan = Grids(size, cells, 0.5)
    draws = masking.drawn(plan, 0, 6, (3,))
    steps = [-(-side // cells) for side in size]

    for draw, mask in zip(draws, plan.kept(draws), strict=True):
        grid, (down, right) = draw[:-2].reshape(cells, cells).astype(float), draw[-2:]
        whole = resize(grid, [(cells + 1) * step for step in steps], order=1, mode="symmetric", anti_aliasing=False)
        np.testing.assert_allclose(mask, whole[down : down + size[0], right : right + size[1]], atol=1e-6)
        assert 0 <= down < steps[0]
        assert 0 <= right < steps[1]


def test_cells_are_kept_with_their_probability_and_shifts_are_even():
    draws = masking.drawn(Grids((40, 40), 4, 0.2), 0, 4000, (0,))

    np.testing.assert_allclose(draws[:, :-2].mean(), 0.2, atol=5 * 0.4 / np.sqrt(16 * 4000))
    for shifts in draws[:, -2:].T:
        np.testing.assert_allclose(np.bincount(shifts, minlength=10) / 4000, 0.1, atol=5 * np.sqrt(0.09 / 4000))


def test_the_map_is_the_formula_one_mask_at_a_time():
    function, _ = weighing((12, 10), shift=3.0)
    network, (picture,) = Toy(lambda one: np.cbrt(function(one))), drawn()
    batch = network.batch([picture])
    options = RISE(samples=30, grid=3, keep=0.3, fill="gray")

    panel = options.explain(network, batch)[0][0]

    plan, base = Grids((12, 10), 3, 0.3), masking.base(network.batch([picture]).rng_of(0))
    masks, scores = [], []
    for number in range(30):
        mask = plan.kept(plan.drawn(number, np.random.default_rng([*base, number])))[0].astype(float)
        seen = mask[..., np.newaxis] * picture + (1 - mask[..., np.newaxis]) * maths.filled(picture, "gray")
        masks.append(mask)
        scores.append(np.cbrt(function(seen)))
    published = sum(score * mask for score, mask in zip(scores, masks, strict=True)) / (30 * 0.3)
    ours = published - np.mean(scores) * sum(masks) / (30 * 0.3)
    np.testing.assert_allclose(panel.values, ours * 30 / 29, atol=1e-5 * np.abs(ours).max())
    assert (panel.sign, panel.unit, panel.flat, panel.layer) == ("signed", "score", False, "")
    assert panel.notes == (
        f"mean score under the masks {np.mean(scores):.3g}: the published map is this one plus that",
    )


def test_its_expectation_on_a_linear_score_is_the_covariance_of_the_masks():
    size, cells, keep = (6, 6), 2, 0.5
    function, weights = weighing(size, seed=3)
    (picture,) = drawn(size=size)
    plan = Grids(size, cells, keep)
    # All masks there are: 16 grids at 9 shifts, each as probable as the others.
    every = np.array(
        [
            [*grid, *shift]
            for grid in itertools.product((0, 1), repeat=4)
            for shift in itertools.product(range(3), repeat=2)
        ]
    )
    masks = plan.kept(every).astype(float).reshape(len(every), -1)
    scores = masks @ (picture * weights).sum(axis=2).ravel()
    expected = ((masks * scores[:, np.newaxis]).mean(axis=0) / masks.mean(axis=0) - scores.mean()).reshape(size)
    np.testing.assert_allclose(masks.mean(axis=0), keep)

    network = Toy(function)
    shown, half = RISE(samples=400, repeats=20, grid=cells, keep=keep, fill="black").explain(
        network, network.batch([picture])
    )[0]

    # Five standard errors, which the interval itself tells: 2.09 of them.
    assert (np.abs(shown.values - expected) < 5 / 2.09 * half.values).all()
    assert half.values.max() < 0.3 * np.abs(expected).max()


def test_an_interval_has_a_map_of_its_own_and_a_note():
    network = Toy(weighing((12, 10))[0])

    shown, half = RISE(samples=50, repeats=4).explain(network, network.batch(drawn()))[0]

    assert (half.sign, half.unit, half.title) == ("positive", "score, ± at 95 %", "95 % interval")
    assert shown.notes[-1].startswith("95 % interval of 4 estimates: ±")
    assert len(RISE(samples=50).explain(network, network.batch(drawn()))[0]) == 1


def test_too_few_samples_for_all_estimates_make_fewer_estimates():
    network = Toy(weighing((12, 10))[0])

    shown, _ = RISE(samples=2, repeats=30, budget=0).explain(network, network.batch(drawn()))[0]

    assert shown.notes[-1].startswith("95 % interval of 8 estimates")
