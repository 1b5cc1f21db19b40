"""Occlusion against its definition, and on the net of the golden values."""

from __future__ import annotations

import time

import numpy as np
import pytest
from fakes import FakeNetwork
from hypothesis import given
from hypothesis import strategies as st

import xcnn
from xcnn import maths
from xcnn.errors import OptionError
from xcnn.explainers.occlusion import Occlusion
from xcnn.plugin import Attribution, Batch, Contrast, Labels, Table, Target, Top

GOLDEN_INPUT = np.arange(16, dtype=np.uint8).reshape(4, 4, 1).repeat(3, axis=2)


class Weighing(FakeNetwork):
    """Scores are roots of weighted sums of squares, so that windows do not just add up; counts its inputs."""

    def __init__(self, size, classes=3, seconds=0.0, seed=0):
        super().__init__()
        self.input_size = size
        self.weights = np.random.default_rng(seed).uniform(-1, 1, (*size, 3, classes))
        self.seconds = seconds
        self.calls = []
        self.places = []

    def scores(self, inputs, points=None):
        self.calls.append(len(inputs))
        self.places.append(None if points is None else points.tolist())
        time.sleep(self.seconds)
        sums = np.einsum("nhwc,hwck->nk", np.square(inputs, dtype=np.float64), self.weights)
        return np.cbrt(sums).astype(np.float32)

    def batch(self, pictures, wanted, rng):
        scale = np.array([0.5, 2.0, -1.0], np.float32)
        return Batch(np.stack(pictures), lambda pixels: pixels[..., ::-1] * scale + 3, tuple(wanted), rng)

    def predict(self, batch):
        batch.scores = self.scores(batch.inputs)
        batch.targets = tuple(
            contrast(row, want) if isinstance(want, Contrast) else self._target(row, best(row, want))
            for row in batch.scores
            for want in batch.wanted
        )


def best(row, want):
    return int(row.argmax()) if isinstance(want, Top) else want


def contrast(row, want):
    score = float(row[want.plus] - row[want.minus])
    return Target(want.plus, "contrast", score, None, ((want.plus, 1.0), (want.minus, -1.0)))


def drawn(count, size, seed=1):
    return list(np.random.default_rng(seed).integers(0, 256, (count, *size, 3), np.uint8))


def explained(network, pictures, wanted=(0,), **options):
    batch = network.batch(pictures, wanted, np.random.default_rng(0))
    return Occlusion(**options).explain(network, batch)


def drop_by_definition(network, picture, fill, target):
    """f(x) - f(x with the window filled) for one window at a time, averaged pixel by pixel; everything in pixels."""

    def occluded(window, stride):
        height, width = picture.shape[:2]
        hidden = maths.filled(picture, fill)
        total, times = np.zeros((height, width)), np.zeros((height, width))
        prepare = network.batch([picture], (0,), None).prepare
        score = target.of(network.scores(prepare(picture[np.newaxis].astype(np.float32))))[0]
        top = 0
        while True:
            left = 0
            while True:
                changed = picture.astype(np.float32)
                for y in range(top, min(top + window[0], height)):
                    for x in range(left, min(left + window[1], width)):
                        changed[y, x] = hidden[y, x]
                drop = score - target.of(network.scores(prepare(changed[np.newaxis])))[0]
                for y in range(top, min(top + window[0], height)):
                    for x in range(left, min(left + window[1], width)):
                        total[y, x] += drop
                        times[y, x] += 1
                if left + window[1] >= width:
                    break
                left += stride[1]
            if top + window[0] >= height:
                break
            top += stride[0]
        return total / times

    return occluded


@pytest.mark.parametrize("fill", ["mean", "gray", "black", "blur", "#10f080"])
@pytest.mark.parametrize(
    ("size", "window", "stride"),
    [((6, 9), (2, 3), (2, 1)), ((9, 6), (4, 3), (3, 2)), ((5, 8), (5, 2), (4, 2)), ((7, 7), (3, 3), (1, 1))],
)
def test_it_is_the_mean_drop_pixel_by_pixel(size, window, stride, fill):
    network, picture = Weighing(size), drawn(1, size)[0]
    target = Target(1, "green", 0.0, None, ((1, 1.0),))

    panel = explained(network, [picture], (1,), window=window, stride=stride, fill=fill)[0][0]

    expected = drop_by_definition(network, picture, fill, target)(window, stride)
    np.testing.assert_allclose(panel.values, expected, rtol=0, atol=1e-5 * abs(expected).max())
    assert abs(expected).max() > 0
    assert (panel.sign, panel.unit, panel.layer, panel.fine, panel.notes) == ("signed", "score", "", False, ())
    assert panel.values.dtype == np.float32


def test_a_contrast_is_explained_as_a_linear_form_of_the_scores():
    network, picture = Weighing((5, 6)), drawn(1, (5, 6))[0]
    target = Target(0, "", 0.0, None, ((0, 1.0), (2, -1.0)))

    panel = explained(network, [picture], (Contrast(0, 2),), window=2, stride=1)[0][0]

    expected = drop_by_definition(network, picture, "mean", target)((2, 2), (1, 1))
    np.testing.assert_allclose(panel.values, expected, rtol=0, atol=1e-5 * abs(expected).max())


@given(st.integers(1, 7), st.integers(1, 7), st.sampled_from(["mean", "blur", "#123456"]))
def test_a_window_of_the_whole_picture_is_the_score_less_that_of_the_fill(height, width, fill):
    network, picture = Weighing((height, width)), drawn(1, (height, width))[0]
    batch = network.batch([picture], (0,), None)

    panel = explained(network, [picture], window=(height, width), fill=fill)[0][0]

    hidden = batch.prepare(maths.filled(batch.pixels, fill))
    whole = network.scores(batch.inputs)
    expected = whole[0, 0] - network.scores(hidden)[0, 0]
    np.testing.assert_allclose(panel.values, np.full((height, width), expected), atol=2e-6 * abs(whole).max())


def test_filling_prepared_inputs_is_preparing_filled_pixels():
    network, picture = Weighing((6, 7)), drawn(1, (6, 7))[0]
    batch = network.batch([picture], (0,), None)
    windows = Occlusion(window="2x3", stride=1).windows((6, 7))
    fill = maths.filled(picture, "blur")

    after = windows.hidden(batch.inputs[0], batch.prepare(fill[np.newaxis])[0], range(windows.count))
    before = batch.prepare(windows.hidden(picture.astype(np.float32), fill, range(windows.count)))

    np.testing.assert_array_equal(after, before)


def test_a_batch_is_what_a_loop_over_its_images_and_targets_is():
    network, pictures = Weighing((8, 6)), drawn(3, (8, 6))

    together = explained(network, pictures, (0, 2), window=3, stride=2)

    alone = [explained(network, [one], (want,), window=3, stride=2)[0][0] for one in pictures for want in (0, 2)]
    assert len(together) == 6
    for row, panel in zip(together, alone, strict=True):
        np.testing.assert_allclose(row[0].values, panel.values, atol=1e-6)


def test_each_image_has_its_own_best_class():
    network, pictures = Weighing((8, 6)), drawn(6, (8, 6))
    batch = network.batch(pictures, (Top(1),), None)

    together = Occlusion(window=3, stride=2).explain(network, batch)

    assert len({target.index for target in batch.targets}) > 1
    for row, picture in zip(together, pictures, strict=True):
        alone = explained(network, [picture], (Top(1),), window=3, stride=2)[0][0]
        np.testing.assert_allclose(row[0].values, alone.values, atol=1e-6)


def test_all_targets_of_an_image_share_its_passes_which_are_few_inputs_at_a_time():
    network = Weighing((10, 10))

    explained(network, drawn(2, (10, 10)), (0, 1, 2), window=2, stride=1)

    # The prediction; then each image as it is, and its 81 windows.
    assert network.calls == [2, 1, *[16] * 5, 1, 1, *[16] * 5, 1]


def test_large_inputs_are_scored_fewer_at_a_time():
    network = Weighing((600, 700))

    explained(network, drawn(1, (600, 700)), window=350, stride=300)

    assert max(network.calls[1:]) == 2  # 2 * 600 * 700 pixels are less than a million, nearly


def test_networks_of_maps_are_asked_at_the_place_of_the_image():
    network = Weighing((4, 4))
    batch = network.batch(drawn(2, (4, 4)), (0,), None)
    batch.points = np.array([[0.25, 0.5], [0.75, 0.5]], np.float32)

    Occlusion(window=2, stride=2).explain(network, batch)

    left, right = [0.25, 0.5], [0.75, 0.5]
    assert network.places[1:] == [[left], [left] * 4, [right], [right] * 4]


def test_progress_counts_the_windows_of_all_images():
    network, heard = Weighing((5, 5)), []
    batch = network.batch(drawn(2, (5, 5)), (0,), None)
    batch.progress = lambda done, total: heard.append((done, total))

    Occlusion(window=1).explain(network, batch)

    assert heard[0] == (16, 50)
    assert (25, 50) in heard
    assert heard[-1] == (50, 50)
    assert heard == sorted(heard)


# --- what wins ---------------------------------------------------------------------------------------------------------


class Halves(Weighing):
    """Red is the mean of the left half, green that of the right one, blue a constant."""

    def scores(self, inputs, points=None):
        half = inputs.shape[2] // 2
        left, right = inputs[:, :, :half].mean(axis=(1, 2, 3)), inputs[:, :, half:].mean(axis=(1, 2, 3))
        return np.stack([left, right, np.ones_like(left)], axis=1)

    def batch(self, pictures, wanted, rng):
        return Batch(np.stack(pictures), lambda pixels: pixels.astype(np.float32), tuple(wanted), rng)


def halves(left, right):
    picture = np.full((4, 8, 3), left, np.uint8)
    picture[:, 4:] = right
    return picture


def test_the_second_picture_tells_the_class_under_each_window_and_a_table_how_often_each_wins():
    rows = explained(Halves((4, 8)), [halves(200, 120)], (0, 1), window=4, stride=4, fill="black")

    _, labels, table = rows[0]
    assert labels.values.tolist() == [[1, 0]]
    assert labels.names == {0: "red", 1: "green"}
    assert labels.title == "predicted class under each window"
    assert isinstance(labels, Labels)
    assert table == Table(
        "how often each class wins", ("class", "windows", "share"), (("red", 1, "50.0%"), ("green", 1, "50.0%"))
    )


def test_the_most_frequent_winner_comes_first():
    table = explained(Halves((4, 8)), [halves(120, 200)], window=(4, 3), stride=(4, 3), fill="black")[0][2]

    assert table.rows == (("green", 2, "66.7%"), ("red", 1, "33.3%"))


def test_what_wins_is_shown_once_per_image():
    rows = explained(Weighing((4, 4)), drawn(2, (4, 4)), (0, 1, 2), window=2)

    assert [len(row) for row in rows] == [3, 1, 1, 3, 1, 1]


def test_a_network_with_one_output_has_no_winner():
    rows = explained(Weighing((4, 4), classes=1), drawn(1, (4, 4)), window=2)

    assert [len(row) for row in rows] == [1]


def test_maps_of_scores_have_a_winner_only_at_a_point():
    network = Weighing((4, 4))
    batch = network.batch(drawn(1, (4, 4)), (0,), None)
    batch.areas = np.ones((1, 3), np.float32)

    assert len(Occlusion(window=2).explain(network, batch)[0]) == 1

    batch.points = np.full((1, 2), 0.5, np.float32)
    assert len(Occlusion(window=2).explain(network, batch)[0]) == 3


# --- nothing to see, and no time ---------------------------------------------------------------------------------------


def test_a_score_that_no_window_changes_makes_a_map_of_zeros_and_is_said():
    network = Halves((4, 8))

    panel = explained(network, [halves(200, 120)], (2,), window=2)[0][0]

    assert panel.notes == ("no window changes the score",)
    assert not panel.values.any()


def test_a_change_within_rounding_is_none():
    class Noisy(Weighing):
        def scores(self, inputs, points=None):
            alternating = np.arange(len(inputs))[:, np.newaxis] % 2
            return (100 + 1e-5 * alternating + np.zeros(3)).astype(np.float32)

    panel = explained(Noisy((4, 4)), drawn(1, (4, 4)), window=2)[0][0]

    assert panel.notes == ("no window changes the score",)
    assert not panel.values.any()
    assert not np.signbit(panel.values).any()


def test_enough_time_changes_nothing():
    network, pictures = Weighing((12, 9)), drawn(2, (12, 9))

    for row, other in zip(
        explained(network, pictures, window=2, stride=1, budget="1h"),
        explained(network, pictures, window=2, stride=1),
        strict=True,
    ):
        np.testing.assert_array_equal(row[0].values, other[0].values)
        np.testing.assert_array_equal(row[1].values, other[1].values)
        assert row[0].notes == other[0].notes == ()
        assert row[2] == other[2]


def test_when_the_time_is_used_up_the_map_so_far_covers_the_picture_and_says_how_far_it_came():
    network, heard = Weighing((20, 20), seconds=0.02), []
    batch = network.batch(drawn(2, (20, 20)), (0, 1), None)
    batch.progress = lambda *steps: heard.append(steps)

    begun = time.monotonic()
    rows = Occlusion(window=2, stride=1, budget=0.1).explain(network, batch)
    spent = time.monotonic() - begun

    assert spent < 23 * 2 * 0.02  # all the windows of both images would take that
    for row in rows:
        assert np.isfinite(row[0].values).all()
        assert row[0].values.any()
        (note,) = row[0].notes
        assert note.endswith(" of 361 windows within 0.1 s")
        assert 16 <= int(note.split()[0]) < 361
    assert rows[0][1].notes == rows[0][2].notes == rows[0][0].notes
    assert rows[0][1].values.shape == (19, 19)
    assert sum(row[1] for row in rows[0][2].rows) == int(rows[0][0].notes[0].split()[0])
    assert (361, 722) in heard
    assert heard[-1] == (722, 722)


def test_windows_that_would_end_too_late_are_not_begun():
    network = Weighing((20, 20), seconds=0.1)

    panel = explained(network, drawn(1, (20, 20)), window=2, stride=1, budget="0.15s")[0][0]

    # The time of the first pass does not count: it may have traced the network.
    assert panel.notes == ("32 of 361 windows within 0.15 s",)


def test_no_time_at_all_still_makes_a_coarse_map():
    network = Weighing((20, 20))

    panel = explained(network, drawn(1, (20, 20)), window=2, stride=1, budget=0)[0][0]

    assert panel.notes == ("16 of 361 windows within 0 s",)
    assert all(part.any() for part in (panel.values[:9, :9], panel.values[11:, 11:]))


# --- options -----------------------------------------------------------------------------------------------------------


def test_the_default_window_is_a_fifth_of_the_shorter_side_and_moves_by_a_quarter_of_itself():
    assert Occlusion().windows((224, 320)) == maths.Windows((224, 320), (45, 45), (11, 11))
    assert Occlusion(window="21x9").windows((224, 320)).stride == (5, 2)
    assert Occlusion().windows((2, 3)) == maths.Windows((2, 3), (1, 1), (1, 1))


def test_height_comes_before_width_and_one_number_is_a_square():
    options = Occlusion(window="2x3px", stride=1)

    assert (options.window, options.stride) == ((2, 3), (1, 1))


def test_the_cost_is_one_pass_per_window():
    network = Weighing((224, 224))

    assert Occlusion().cost(network) == 18 * 18
    assert Occlusion(window=224).cost(network) == 1
    assert Occlusion().fits(network) is None


@pytest.mark.parametrize("window", ["8x9", "9x8", "300"])
def test_a_window_larger_than_the_input_is_refused_with_both_sizes(window):
    with pytest.raises(
        OptionError, match=rf"--window is {window if 'x' in window else '300x300'}, .* of 8x8"
    ) as caught:
        explained(Weighing((8, 8)), drawn(1, (8, 8)), window=window)

    assert "smaller window" in caught.value.hint


def test_a_stride_larger_than_the_window_is_refused():
    with pytest.raises(OptionError, match="--stride is 2x4, but with windows of 3x3 that leaves pixels out"):
        explained(Weighing((8, 8)), drawn(1, (8, 8)), window=3, stride="2x4")


@pytest.mark.parametrize("options", [{"window": 0}, {"stride": "0x2"}, {"budget": -1}, {"budget": "soon"}])
def test_an_impossible_number_is_refused(options):
    with pytest.raises(OptionError, match=f"--{next(iter(options))} is"):
        Occlusion(**options)


def test_an_unknown_fill_is_refused_with_the_known_ones():
    with pytest.raises(OptionError, match="--fill is 'white'") as caught:
        Occlusion(fill="white")

    assert caught.value.hint == "one of mean, gray, black, blur, #rrggbb"


def test_the_publication_is_named():
    assert "1311.2901" in str(Occlusion.source)


# --- numbers that nobody here chose ------------------------------------------------------------------------------------


@pytest.mark.keras
@pytest.mark.parametrize(
    ("bias", "options", "expected"),
    [
        ((-50, -75), {"window": 2, "stride": 2}, [[7, 7, 4, 4]] * 2 + [[36, 36, 47, 47]] * 2),
        (
            (-50, -75),
            {"window": 2, "stride": 1},
            [[7, 8, 6.5, 4], [15.5, 20.75, 22.25, 18.5], [30, 39.25, 44.25, 40], [36, 45, 50.5, 47]],
        ),
        (
            (-41, -66),
            {"window": "2x3", "stride": "2x1"},
            [[17, 17, 17, 17]] * 2 + [[64, 65.5, 65.5, 67]] * 2,
        ),
    ],
)
def test_the_golden_net_has_the_golden_values(bias, options, expected):
    import nets

    network = xcnn.open_network(nets.one_conv(bias), preprocess="none")
    batch = network.batch([GOLDEN_INPUT], ["0"], np.random.default_rng(0))

    rows = Occlusion(fill="black", **options).explain(network, batch)

    assert isinstance(rows[0][0], Attribution)
    np.testing.assert_allclose(rows[0][0].values, expected, rtol=0, atol=1e-6)
