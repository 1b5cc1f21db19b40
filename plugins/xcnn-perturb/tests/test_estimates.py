"""Intervals of means of independent estimates."""

from __future__ import annotations

import numpy as np
from scipy import stats

from xcnn_perturb.estimates import counted, interval, told


def test_the_interval_is_that_of_students_t():
    estimates = np.random.default_rng(0).normal(size=(5, 3, 2))

    mean, half = interval(estimates)

    low, high = stats.t.interval(0.95, 4, loc=mean, scale=stats.sem(estimates, axis=0))
    np.testing.assert_allclose(mean - half, low)
    np.testing.assert_allclose(mean + half, high)


def test_one_estimate_has_none():
    mean, half = interval(np.array([[1.0, 2.0]]))

    assert (mean.tolist(), half) == ([1.0, 2.0], None)


def test_it_covers_the_truth_nineteen_times_of_twenty():
    mean, half = interval(np.random.default_rng(1).normal(3.0, 2.0, size=(4, 20_000)))

    assert abs((np.abs(mean - 3.0) < half).mean() - 0.95) < 0.01


def test_one_thing_is_told_as_one():
    assert [counted(number, "superpixel") for number in (1, 2)] == ["1 superpixel", "2 superpixels"]


def test_values_of_zero_have_no_largest_one():
    assert told(np.zeros((1, 1)), np.ones((1, 1)), 2) == (
        "95 % interval of 2 estimates: ±1 on average, beside values of zero; without zero on 0% of the picture"
    )
