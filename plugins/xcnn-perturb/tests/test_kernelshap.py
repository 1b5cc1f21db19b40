"""KernelSHAP: against the definition of Shapley values, and on scores whose values are known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from fakes import PICTURE, Toy, game, of_quarters, patches, values_of, weighing

from xcnn_perturb import masking, superpixels
from xcnn_perturb.kernelshap import KernelSHAP
from xcnn_perturb.superpixels import Shapley


def shapley(function, count):
    """The definition: the mean of what each adds over all orders."""
    values = np.zeros(count)
    for order in itertools.permutations(range(count)):
        shown = np.zeros(count)
        for one in order:
            before = function(shown)
            shown[one] = 1
            values[one] += function(shown) - before
    return values / math.factorial(count)


def test_all_coalitions_give_the_shapley_values():
    network = of_quarters(game)

    panel = KernelSHAP(segments=4, samples=14, fill="black").explain(network, network.batch([PICTURE]))[0][0]

    np.testing.assert_allclose(values_of(panel), shapley(game, 4), rtol=1e-5)
    assert panel.flat
    assert panel.notes == (
        "the values of 4 superpixels sum to 4: 6 for the picture less 2 for what hides it",
        "exact: all 14 coalitions",
    )


@pytest.mark.parametrize("count", [2, 3, 5, 6])
def test_all_coalitions_give_the_shapley_values_of_any_game(count):
    rng = np.random.default_rng(count)
    table = rng.normal(size=2**count)

    def lookup(shown):
        return table[int(shown @ 2 ** np.arange(count))]

    plan = Shapley(np.arange(count)[np.newaxis], 2**count)
    draws = masking.drawn(plan, 0, plan.most, (0,))
    found = masking.Scored(
        draws,
        np.array([[lookup(draw) for draw in draws]]),
        np.array([lookup(np.ones(count, int))]),
        np.array([lookup(np.zeros(count, int))]),
    )

    assert len(np.unique(draws, axis=0)) == 2**count - 2
    values = plan.estimated(found, 1).values[0, 0]
    np.testing.assert_allclose(values, shapley(lambda shown: lookup(shown.astype(int)), count), atol=1e-12)


@pytest.mark.parametrize("samples", [2, 6, 30])
def test_values_sum_to_the_score_less_that_of_what_hides_the_picture(samples):
    function, _ = weighing((24, 24))
    network = Toy(lambda picture: float(np.cbrt(function(picture))))
    picture = patches()
    batch = network.batch([picture])

    panel = KernelSHAP(samples=samples, segments=16, fill="black").explain(network, batch)[0][0]

    labels = superpixels.segmented(picture, 16)
    values = [panel.values[labels == number][0] for number in range(labels.max() + 1)]
    assert len(values) > 8
    gap = network.scores(batch.inputs)[0, 0] - network.scores(batch.inputs * 0)[0, 0]
    assert abs(sum(values) - gap) < 1e-5 * abs(gap) + 1e-6
    assert abs(panel.residual) < 1e-6
    assert panel.notes[0].startswith(f"the values of {len(values)} superpixels sum to {gap:.4g}")


def test_an_additive_score_is_recovered_from_a_few_random_coalitions():
    worth = np.random.default_rng(2).normal(size=30)
    plan = Shapley(np.arange(30)[np.newaxis], 80)
    draws = masking.drawn(plan, 0, 80, (0,))
    found = masking.Scored(draws, (5 + draws @ worth)[np.newaxis], np.array([5 + worth.sum()]), np.array([5.0]))

    np.testing.assert_allclose(plan.estimated(found, 1).values[0, 0], worth, atol=1e-10)
    assert plan.most is None


def test_random_coalitions_come_in_complements_with_sizes_by_the_kernel():
    plan = Shapley(np.arange(8)[np.newaxis], 20)

    draws = masking.drawn(plan, 0, 8000, (0,))

    np.testing.assert_array_equal(draws[::2] + draws[1::2], 1)
    chances = np.array([math.comb(8, size) * superpixels.kernel(8, size) for size in range(1, 8)])
    seen = np.bincount(draws.sum(axis=1), minlength=9)
    assert seen[0] == seen[8] == 0
    np.testing.assert_allclose(seen[1:8] / 8000, chances / chances.sum(), atol=5 * np.sqrt(0.25 / 4000))
    np.testing.assert_allclose(draws.mean(axis=0), 0.5)


def test_random_coalitions_come_near_the_shapley_values():
    rng = np.random.default_rng(1)
    pull = rng.normal(size=(6, 6))

    def quadratic(shown):
        return float(shown @ pull @ shown)

    plan = Shapley(np.arange(6)[np.newaxis], 61)
    draws = masking.drawn(plan, 0, 20 * 61, (4,))
    ends = np.array([quadratic(np.ones(6))]), np.array([0.0])
    found = masking.Scored(draws, np.array([[quadratic(draw) for draw in draws]]), *ends)

    # Complements make the estimate exact for scores with interactions of two (Covert and Lee, 2021).
    np.testing.assert_allclose(plan.estimated(found, 1).values[0, 0], shapley(quadratic, 6), atol=0.2)


def test_one_superpixel_has_the_whole_gap():
    network = Toy(lambda picture: float(picture.mean()))

    panel = KernelSHAP(segments=1, fill="black").explain(network, network.batch([np.full((6, 6, 3), 90, np.uint8)]))[0][
        0
    ]

    np.testing.assert_allclose(panel.values, 90, rtol=1e-6)
    assert panel.notes == (
        "the value of 1 superpixel is 90: 90 for the picture less 0 for what hides it",
        "exact: one superpixel",
    )


def test_exact_values_have_no_interval_however_many_estimates_are_asked_for():
    network = of_quarters(game)

    shown = KernelSHAP(segments=4, repeats=5, fill="black").explain(network, network.batch([PICTURE]))[0]

    assert len(shown) == 1
    assert network.calls == [1, 14, 2]
