"""The pictures that hide pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xcnn import maths

RNG = np.random.default_rng(0)


def blurred_by_definition(line, deviation):
    """A Gaussian over one line that goes on as in a mirror, one value at a time."""
    size, reach = len(line), math.ceil(4 * deviation)
    mirrored = [*line, *reversed(line)]
    made = []
    for place in range(size):
        total = weight = 0.0
        for step in range(-reach, reach + 1):
            share = math.exp(-(step**2) / (2 * deviation**2))
            total += share * mirrored[(place + step) % (2 * size)]
            weight += share
        made.append(total / weight)
    return made


@pytest.mark.parametrize(
    ("fill", "expected"),
    [("gray", [127.5] * 3), ("black", [0] * 3), ("#80a0fF", [128, 160, 255]), ("#000000", [0] * 3)],
)
def test_a_colour_is_the_same_everywhere(fill, expected):
    pixels = RNG.integers(0, 256, (2, 3, 4, 3), np.uint8)

    made = maths.filled(pixels, fill)

    assert (made.dtype, made.shape) == (np.float32, pixels.shape)
    assert (made == expected).all()


def test_the_mean_is_that_of_each_picture_and_channel():
    pixels = RNG.integers(0, 256, (2, 3, 5, 3), np.uint8)

    made = maths.filled(pixels, "mean")

    for number in range(2):
        for channel in range(3):
            mean = sum(int(value) for value in pixels[number, :, :, channel].flat) / 15
            np.testing.assert_allclose(made[number, :, :, channel], mean, rtol=1e-6)


def test_one_picture_is_filled_like_one_of_many():
    pixels = RNG.integers(0, 256, (2, 20, 24, 3), np.uint8)

    for fill in ("mean", "blur", "gray"):
        np.testing.assert_array_equal(maths.filled(pixels[1], fill), maths.filled(pixels, fill)[1])


def test_the_opacity_is_left_as_it_is_and_so_is_the_picture():
    pixels = RNG.integers(0, 256, (1, 20, 24, 4), np.uint8)
    before = pixels.copy()

    for fill in ("mean", "gray", "black", "blur", "#102030"):
        made = maths.filled(pixels, fill)

        np.testing.assert_array_equal(made[..., 3], pixels[..., 3])
        assert (made[..., :3] != pixels[..., :3]).any()
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize("deviation", [0.7, 2.0, 9.0])
def test_the_blur_is_a_gaussian_along_both_axes_with_mirrored_edges(deviation):
    picture = RNG.uniform(0, 255, (5, 7, 2))
    expected = np.apply_along_axis(blurred_by_definition, 0, picture, deviation)
    expected = np.apply_along_axis(blurred_by_definition, 1, expected, deviation)

    np.testing.assert_allclose(maths.blurred(picture, deviation), expected, rtol=1e-5)


def test_the_blur_is_as_strong_as_the_shorter_side_tells():
    pixels = RNG.integers(0, 256, (32, 64, 3), np.uint8)

    np.testing.assert_array_equal(maths.filled(pixels, "blur"), maths.blurred(pixels, 2.0))


def test_blurring_by_nothing_changes_nothing_and_keeps_the_mean_otherwise():
    picture = RNG.uniform(0, 255, (1, 6, 3)).astype(np.float32)

    np.testing.assert_array_equal(maths.blurred(picture, 0), picture)
    np.testing.assert_allclose(maths.blurred(picture, 3).mean(), picture.mean(), rtol=1e-5)


@pytest.mark.parametrize("fill", ["grey", "", "#12345", "#1234567", "#12345g", "#rrggbb", "Mean", "#123456\n"])
def test_another_word_is_refused_with_those_that_are_known(fill):
    with pytest.raises(ValueError, match="one of mean, gray, black, blur, #rrggbb"):
        maths.filled(np.zeros((2, 2, 3), np.uint8), fill)
