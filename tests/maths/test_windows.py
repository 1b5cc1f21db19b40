"""Where windows lie, and what they tell about a pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xcnn.maths import Windows


@st.composite
def placed(draw):
    """Windows over a small picture."""
    sizes = [draw(st.integers(1, 9)) for _ in range(2)]
    windows = [draw(st.integers(1, size)) for size in sizes]
    strides = [draw(st.integers(1, window)) for window in windows]
    return Windows(tuple(sizes), tuple(windows), tuple(strides))


def boxes_by_definition(windows):
    """Top, bottom, left and right of each window, line by line: go on until one reaches the edge."""

    def ends(size, window, stride):
        found = [(0, window)]
        while found[-1][1] < size:
            start = found[-1][0] + stride
            found.append((start, min(start + window, size)))
        return found

    lines, columns = map(ends, windows.size, windows.window, windows.stride)
    return [(*line, *column) for line in lines for column in columns]


def means_by_definition(windows, values, numbers):
    """The mean over the given windows that cover each pixel; None where none does."""
    boxes = boxes_by_definition(windows)
    means = []
    for y in range(windows.size[0]):
        for x in range(windows.size[1]):
            found = [
                value
                for value, number in zip(values, numbers, strict=True)
                if boxes[number][0] <= y < boxes[number][1] and boxes[number][2] <= x < boxes[number][3]
            ]
            means.append(sum(found) / len(found) if found else None)
    return means


@given(placed())
def test_windows_go_on_until_one_reaches_the_edge_and_are_cut_there(windows):
    parts = [windows.part(number) for number in range(windows.count)]

    assert [(y.start, y.stop, x.start, x.stop) for y, x in parts] == boxes_by_definition(windows)
    assert windows.count == windows.grid[0] * windows.grid[1]


@given(placed())
def test_every_pixel_is_covered_and_no_window_lies_within_another(windows):
    covered = np.zeros(windows.size, int)
    for number in range(windows.count):
        assert covered[windows.part(number)].size
        assert (covered[windows.part(number)] == 0).any()  # each covers something that none before it did
        covered[windows.part(number)] += 1

    assert covered.all()


@given(placed(), st.randoms(use_true_random=False))
def test_a_pixel_has_the_mean_of_its_windows(windows, random):
    values = [[random.uniform(-5, 5) for _ in range(windows.count)] for _ in range(2)]
    numbers = random.sample(range(windows.count), windows.count)

    means = windows.means(values, numbers)

    assert means.shape == (2, *windows.size)
    for mean, each in zip(means, values, strict=True):
        np.testing.assert_allclose(mean.reshape(-1), means_by_definition(windows, each, numbers), atol=1e-12)


@given(placed(), st.randoms(use_true_random=False))
def test_a_pixel_without_a_measured_window_borrows_from_the_nearest(windows, random):
    numbers = random.sample(range(windows.count), random.randint(1, windows.count))
    values = [random.uniform(-5, 5) for _ in numbers]

    mean = windows.means([values], numbers)[0].reshape(-1)

    for got, expected in zip(mean, means_by_definition(windows, values, numbers), strict=True):
        if expected is None:
            assert min(values) - 1e-9 <= got <= max(values) + 1e-9
        else:
            assert got == pytest.approx(expected)


def test_the_nearest_window_is_the_one_with_the_fewest_steps_to_it():
    windows = Windows((1, 6), (1, 1), (1, 1))

    assert windows.means([[7, 9]], [1, 5])[0].tolist() == [[7, 7, 7, 7, 9, 9]]  # halfway, the left one counts


@given(st.integers(1, 7), st.integers(1, 7), st.randoms(use_true_random=False))
def test_no_other_window_is_fewer_steps_away_than_the_nearest(rows, columns, random):
    windows = Windows((rows, columns), (1, 1), (1, 1))
    numbers = random.sample(range(windows.count), random.randint(1, windows.count))

    nearest = windows.spread(numbers, numbers)

    for place, chosen in np.ndenumerate(nearest):
        steps = {number: sum(map(abs, np.subtract(divmod(number, columns), place))) for number in numbers}
        assert steps[chosen] == min(steps.values())


@given(placed())
def test_values_of_zero_stay_exactly_zero(windows):
    values = np.zeros(windows.count)
    values[0] = 0.1

    means = windows.means([values], range(windows.count))[0]

    assert not means[windows.part(0)[0].stop :].any()
    assert not means[:, windows.part(0)[1].stop :].any()


@given(placed())
def test_the_order_takes_every_window_once(windows):
    assert sorted(windows.coarse_to_fine()) == list(range(windows.count))


@pytest.mark.parametrize("grid", [(16, 16), (30, 30), (13, 13), (9, 31), (1, 20)])
def test_the_first_windows_lie_all_over_the_picture(grid):
    windows = Windows(grid, (1, 1), (1, 1))
    order = windows.coarse_to_fine()

    for level in (1, 2, 3):
        step = 2 ** ((max(grid) - 1).bit_length() - level)
        coarse = {(y, x) for y in range(0, grid[0], step) for x in range(0, grid[1], step)}

        assert {divmod(number, grid[1]) for number in order[: len(coarse)]} == coarse


def test_a_pixel_shows_the_window_whose_middle_is_nearest():
    windows = Windows((2, 7), (2, 3), (1, 2))  # one line; columns 0-3, 2-5, 4-7 with middles 1.5, 3.5, 5.5

    places = windows.spread([5, 6, 7], [0, 1, 2])

    assert places.tolist() == [[5, 5, 5, 6, 6, 7, 7]] * 2
    assert places.dtype == np.int32


def test_the_middle_of_a_cut_window_is_that_of_what_is_left():
    windows = Windows((1, 5), (1, 4), (1, 4))  # columns 0-4 and 4-5, with middles 2 and 4.5

    assert windows.spread([0, 1], [0, 1]).tolist() == [[0, 0, 0, 1, 1]]


def test_windows_that_are_not_known_show_the_nearest_that_is():
    windows = Windows((1, 6), (1, 1), (1, 1))

    assert windows.spread([3, 8], [0, 5]).tolist() == [[3, 3, 3, 8, 8, 8]]


@given(placed(), st.integers(0, 80))
def test_only_the_window_is_hidden(windows, number):
    number %= windows.count
    picture = np.zeros((*windows.size, 2), np.float32)
    fill = np.ones_like(picture)

    copies = windows.hidden(picture, fill, [number, 0])

    expected = picture.copy()
    expected[windows.part(number)] = 1
    np.testing.assert_array_equal(copies[0], expected)
    assert not picture.any()


@pytest.mark.parametrize(
    ("size", "window", "stride"), [((4, 4), (5, 1), (1, 1)), ((4, 4), (1, 5), (1, 1)), ((4, 4), (2, 3), (2, 4))]
)
def test_windows_that_leave_pixels_out_are_refused(size, window, stride):
    with pytest.raises(ValueError, match="stride <= window <= picture"):
        Windows(size, window, stride)


@pytest.mark.parametrize("stride", [(0, 1), (1, 0), (-1, 1)])
def test_windows_that_do_not_move_on_are_refused(stride):
    with pytest.raises(ValueError, match="don't cover"):
        Windows((4, 4), (2, 2), stride)
