"""What is said of channels, and the weights of pooled heads."""

from __future__ import annotations

import numpy as np
import pytest

from xcnn import maths

RNG = np.random.default_rng(0)


def test_the_strongest_channels_have_the_largest_means_and_equals_keep_their_order():
    maps = np.array([[[1, 4, 4, 0, 9]], [[1, 0, 0, 0, -9]]], np.float32)

    assert maths.strongest(maps, 5) == [1, 2, 0, 3, 4]
    assert maths.strongest(maps, 2) == [1, 2]
    assert maths.strongest(maps, 0) == []


def test_a_channel_with_one_value_is_constant_and_one_with_nan_is_not():
    maps = np.zeros((2, 2, 4), np.float32)
    maps[..., 1] = 3
    maps[1, 1, 2] = -1
    maps[0, 0, 3] = np.nan

    assert maths.constant_channels(maps) == [True, True, False, False]


def test_numbers_and_ranges_are_channels_in_the_order_given_each_once():
    assert maths.numbered(["7", "0-3", "2", "5-5"], 8) == [7, 0, 1, 2, 3, 5]
    assert maths.numbered([], 3) == [0, 1, 2]


@pytest.mark.parametrize("word", ["a", "3-1", "-1", "1-", "1.5", "²", "0-3-5", ""])
def test_what_is_no_channel_is_refused(word):
    with pytest.raises(ValueError, match="neither a channel nor a range"):
        maths.numbered([word], 8)


def test_a_channel_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match="no channel 9; there are 8, 0 to 7"):
        maths.numbered(["0-9"], 8)


def test_the_weights_behind_global_average_pooling_are_the_gradients_times_the_positions():
    weights = RNG.normal(size=(2, 5)).astype(np.float32)
    gradients = np.broadcast_to(weights[:, np.newaxis, np.newaxis] / 12, (2, 3, 4, 5))

    np.testing.assert_allclose(maths.pooled_weights(gradients), weights, rtol=1e-6)


def test_gradients_that_differ_between_positions_have_no_pooled_weights():
    gradients = np.full((2, 3, 4, 5), 1e-3, np.float32)
    gradients[1] = 100
    assert maths.pooled_weights(gradients).shape == (2, 5)
    gradients[0, 1, 1, 2] *= 1.01

    with pytest.raises(ValueError, match="differ between positions"):
        maths.pooled_weights(gradients)


def test_gradients_of_zero_are_weights_of_zero():
    assert (maths.pooled_weights(np.zeros((1, 2, 2, 3), np.float32)) == 0).all()
