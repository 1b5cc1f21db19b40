"""Maps that are averaged side by side, added."""

from __future__ import annotations

import numpy as np
import pytest

from xcnn import maths

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def test_one_map_stays_as_it_is():
    one = normal(2, 3, 4)

    np.testing.assert_array_equal(maths.added([one]), one)


def test_maps_of_one_size_are_added_each_picture_for_itself():
    one, two = normal(2, 3, 4), normal(2, 3, 4)

    np.testing.assert_allclose(maths.added([one, two]), one + two, rtol=1e-6)


@pytest.mark.parametrize("fine", [(6, 8), (9, 12), (3, 20)])
def test_the_mean_of_the_sum_is_the_sum_of_the_means_where_sizes_are_multiples(fine):
    coarse, finer = normal(2, 3, 4), normal(2, *fine)

    total = maths.added([coarse, finer])

    assert total.shape == (2, *fine)
    assert total.dtype == np.float32
    np.testing.assert_allclose(total.mean((1, 2)), coarse.mean((1, 2)) + finer.mean((1, 2)), atol=1e-6)


def test_it_is_as_high_as_the_highest_and_as_wide_as_the_widest_in_whatever_order():
    high, wide = normal(1, 6, 2), normal(1, 3, 5)

    total = maths.added([high, wide])

    assert total.shape == (1, 6, 5)
    np.testing.assert_allclose(total, maths.added([wide, high]), rtol=1e-5)
