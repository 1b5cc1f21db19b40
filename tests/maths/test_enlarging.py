"""Maps at the size of the picture, against OpenCV and against the definition."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from xcnn import maths

RNG = np.random.default_rng(0)
SIZES = [(7, 5, 224, 160), (3, 4, 3, 4), (2, 2, 5, 7), (1, 1, 4, 6), (1, 3, 8, 8)]


def bilinear_by_definition(values, height, width):
    """Each pixel from the four middles around it, one pixel at a time."""
    rows, columns = values.shape
    made = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            y = min(max((i + 0.5) * rows / height - 0.5, 0), rows - 1)
            x = min(max((j + 0.5) * columns / width - 0.5, 0), columns - 1)
            top, left = min(int(y), rows - 1), min(int(x), columns - 1)
            bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            down, across = y - top, x - left
            upper = values[top, left] * (1 - across) + values[top, right] * across
            lower = values[bottom, left] * (1 - across) + values[bottom, right] * across
            made[i, j] = upper * (1 - down) + lower * down
    return made


@pytest.mark.parametrize(("rows", "columns", "height", "width"), SIZES)
def test_bilinear_is_the_definition_and_what_opencv_does(rows, columns, height, width):
    maps = RNG.normal(size=(2, rows, columns)).astype(np.float32)

    made = maths.enlarged(maps, (height, width))

    assert made.dtype == np.float32
    for one, large in zip(maps, made, strict=True):
        np.testing.assert_allclose(large, bilinear_by_definition(one, height, width), atol=1e-6)
        np.testing.assert_allclose(large, cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR), atol=2e-5)


@pytest.mark.parametrize(("rows", "columns", "height", "width"), [*SIZES, (6, 4, 4, 3), (7, 7, 3, 2)])
def test_nearest_takes_the_cell_in_which_the_middle_of_a_pixel_lies(rows, columns, height, width):
    maps = RNG.normal(size=(1, rows, columns))

    made = maths.enlarged(maps, (height, width), nearest=True)

    for i in range(height):
        for j in range(width):
            assert made[0, i, j] == maps[0, int((i + 0.5) * rows / height), int((j + 0.5) * columns / width)]


def test_an_enlarged_map_keeps_its_range_and_a_constant_stays_constant():
    maps = RNG.normal(size=(1, 3, 4))

    assert np.ptp(maths.enlarged(maps, (30, 31))) <= np.ptp(maps)
    np.testing.assert_allclose(maths.enlarged(np.full((1, 3, 4), 2.5), (10, 11)), 2.5)
