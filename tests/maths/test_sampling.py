"""Gradients averaged over streams of inputs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from xcnn import maths

RNG = np.random.default_rng(0)


def test_the_sum_is_that_of_every_gradient_times_its_weight():
    inputs, weights = RNG.normal(size=(150, 2, 3, 1)), RNG.normal(size=150)

    made = maths.accumulated(
        zip(weights, inputs, strict=True), lambda x: np.stack([x**2, 3 * x], axis=1).astype(np.float32)
    )

    expected = np.zeros((2, 2, 3, 1))
    for weight, one in zip(weights, inputs, strict=True):
        expected += weight * np.stack([one**2, 3 * one])
    assert made.dtype == np.float64
    np.testing.assert_allclose(made, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("side", "sizes"), [(224, [16, 16, 8]), (448, [4] * 10), (2000, [1] * 40), (8, [40]), (300, [8] * 5)]
)
def test_as_many_inputs_go_at_once_as_make_sixteen_pictures_of_224(side, sizes):
    asked, heard = [], []
    alive = np.zeros((side, side, 1), np.float32)

    def slopes(inputs):
        asked.append(len(inputs))
        return np.zeros((len(inputs), 1, 1, 1, 1), np.float32)

    maths.accumulated(((1.0, alive) for _ in range(40)), slopes, heard=heard.append)

    assert asked == sizes
    assert heard == [sum(asked[: place + 1]) for place in range(len(asked))]


def test_no_more_than_sixty_four_small_inputs_go_at_once():
    asked = []

    maths.accumulated(
        ((1.0, np.zeros((2, 2, 1))) for _ in range(150)),
        lambda x: (asked.append(len(x)), x[:, np.newaxis])[1],
    )

    assert asked == [64, 64, 22]


def test_a_stream_is_read_one_call_ahead_and_no_further():
    read, pending = [], []

    def samples():
        for number in range(100):
            read.append(number)
            yield 1.0, np.zeros((224, 224, 1), np.float32)

    maths.accumulated(samples(), lambda x: (pending.append(len(read)), np.zeros((len(x), 1, 1, 1, 1)))[1])

    for call, so_far in enumerate(pending, start=1):
        assert min(100, 16 * call) <= so_far <= min(100, 16 * (call + 1))


def test_an_empty_stream_is_an_error():
    with pytest.raises(ValueError, match="no sample"):
        maths.accumulated([], lambda x: x)


def test_parts_that_nearly_cancel_keep_their_digits():
    big = np.float32(1e8)
    gradients = iter([[big], [np.float32(1)], [-big]])

    made = maths.accumulated(
        [(1.0, np.zeros((2000, 2000, 1), np.float32))] * 3, lambda _: np.asarray(next(gradients)).reshape(1, 1, 1, 1, 1)
    )

    assert made.item() == 1


@pytest.mark.parametrize("steps", [1, 2, 5, 50, 300])
def test_the_path_integrates_polynomials_exactly_up_to_twice_the_steps(steps):
    start, end = np.zeros(1), np.ones(1)
    path = list(maths.straight_path(start, end, steps))

    assert len(path) == steps
    assert sum(weight for weight, _ in path) == pytest.approx(1)
    for degree in {0, 1, 2 * steps - 1}:
        integral = sum(weight * place.item() ** degree for weight, place in path)
        assert integral == pytest.approx(1 / (degree + 1), rel=1e-9)


def test_the_path_goes_from_start_to_end_in_the_type_of_the_input():
    start, end = RNG.normal(size=(2, 3, 3, 1)).astype(np.float32)

    path = list(maths.straight_path(start, end, 40))

    assert path[0][1].dtype == np.float32
    np.testing.assert_allclose(path[0][1], start, atol=0.01)
    np.testing.assert_allclose(path[-1][1], end, atol=0.01)


def test_noise_has_the_deviation_asked_for_in_each_channel_and_no_mean():
    inputs = RNG.normal(size=(50, 60, 3)).astype(np.float32)
    deviation = np.array([1.0, 0.5, 4.0], np.float32)

    copies = list(maths.noisy_copies(inputs, deviation, count=20, rng=np.random.default_rng(1)))
    noise = np.stack([copy for _, copy in copies]) - inputs

    assert [weight for weight, _ in copies] == [1 / 20] * 20
    assert copies[0][1].dtype == np.float32
    count = noise[..., 0].size
    for channel in range(3):
        assert noise[..., channel].std() == pytest.approx(deviation[channel], rel=4 / math.sqrt(2 * count))
        assert abs(noise[..., channel].mean()) < 4 * deviation[channel] / math.sqrt(count)
    assert len({copy.tobytes() for _, copy in copies}) == 20


def test_the_range_of_a_picture_leaves_out_its_opacity():
    pixels = np.full((2, 2, 4), 255, np.uint8)
    pixels[..., :3] = [[[10, 20, 30], [10, 20, 30]], [[10, 20, 30], [61, 20, 30]]]

    assert maths.brightness_range(pixels) == pytest.approx(51 / 255)
