"""LIME and KernelSHAP: against their definitions, and on scores whose values are known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from fakes import Toy, drawn, patches, quarters, weighing

from xcnn.errors import OptionError
from xcnn_perturb import masking, superpixels
from xcnn_perturb.kernelshap import KernelSHAP
from xcnn_perturb.lime import LIME
from xcnn_perturb.superpixels import Shapley

PICTURE, LABELS = quarters()


def of_quarters(function):
    """A network whose score is a function of how much of each quarter is shown, over black."""

    def score(picture):
        return function(
            [float(picture[number == LABELS].mean() / PICTURE[number == LABELS].mean()) for number in range(4)]
        )

    return Toy(score)


def values_of(panel):
    """One value for each quarter, which must be flat."""
    for number in range(4):
        assert len(np.unique(panel.values[number == LABELS])) == 1
    return np.array([panel.values[number == LABELS][0] for number in range(4)])


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


def game(shown):
    """Neither additive nor symmetric."""
    return 2 + 3 * shown[0] - shown[1] + 4 * shown[0] * shown[2] - 2 * shown[1] * shown[2] * shown[3]


# --- superpixels -------------------------------------------------------------------------------------------------------


def test_superpixels_are_numbered_without_gaps_and_repeat():
    picture = patches((40, 30), side=5)

    labels = superpixels.segmented(picture, 20)

    assert labels.shape == (40, 30)
    assert labels.max() > 10
    np.testing.assert_array_equal(np.unique(labels), np.arange(labels.max() + 1))
    np.testing.assert_array_equal(labels, superpixels.segmented(picture, 20))


def test_flat_quarters_are_cut_at_their_borders():
    labels = superpixels.segmented(PICTURE, 4)

    assert len({tuple(np.unique(labels[number == LABELS])) for number in range(4)}) == 4
    assert labels.max() == 3


@pytest.mark.parametrize("size", [(64, 64), (30, 47), (9, 8), (2, 2), (1, 3)])
def test_a_small_picture_is_cut_into_as_many_superpixels_as_it_has_room_for(size):
    height, width = size
    (noise,) = drawn(size=size)

    for picture in (noise, np.full_like(noise, 90)):
        made = superpixels.segmented(picture, 2000).max() + 1
        assert height * width // 8 <= made <= max(1, height * width // 4)


@pytest.mark.parametrize("asked", [50, 200, 500, 700, 1000])
def test_about_as_many_superpixels_as_were_asked_for_are_made(asked):
    (picture,) = drawn(size=(64, 64))

    assert 2 / 3 < (superpixels.segmented(picture, asked).max() + 1) / asked < 1.5


@pytest.mark.parametrize("kind", [LIME, KernelSHAP])
def test_a_picture_without_room_for_the_superpixels_asked_for_says_so(kind):
    network, (picture,) = Toy(weighing((12, 10))[0]), drawn()

    crowded, fitting = (
        kind(samples=20, segments=segments).explain(network, network.batch([picture]))[0][0].notes
        for segments in (31, 30)
    )

    assert crowded == ("12x10 pixels have room for about 30 superpixels, not 31", *fitting)


def test_opacity_neither_cuts_nor_is_averaged():
    opaque = np.dstack([PICTURE, np.arange(64, dtype=np.uint8).reshape(8, 8)])

    np.testing.assert_array_equal(superpixels.segmented(opaque, 4), superpixels.segmented(PICTURE, 4))
    np.testing.assert_array_equal(superpixels.averaged(opaque, LABELS), opaque)


def test_the_mean_colour_of_each_superpixel_can_hide_it():
    (picture,) = drawn(size=(8, 8))

    hidden = superpixels.averaged(picture, LABELS)

    for number in range(4):
        np.testing.assert_allclose(hidden[number == LABELS], [picture[number == LABELS].mean(axis=0)] * 16, rtol=1e-6)


@pytest.mark.parametrize("kind", [LIME, KernelSHAP])
def test_a_picture_hidden_by_its_own_flat_quarters_does_not_change(kind):
    network = of_quarters(game)

    shown = kind(segments=4, fill="superpixel", samples=20).explain(network, network.batch([PICTURE]))[0]

    assert not shown[0].values.any()


@pytest.mark.parametrize("kind", [LIME, KernelSHAP])
def test_an_unknown_fill_is_refused_with_all_words(kind):
    with pytest.raises(OptionError, match="--fill is 'white'") as caught:
        kind(fill="white")

    assert caught.value.hint == "one of superpixel, mean, gray, black, blur, #rrggbb"


# --- KernelSHAP --------------------------------------------------------------------------------------------------------


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


# --- LIME --------------------------------------------------------------------------------------------------------------


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
