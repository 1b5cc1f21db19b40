"""What the report asks of a folder: levels, where a map is strong, statistics and curves."""

import base64
import itertools

import cv2
import numpy as np
import pytest

from xcnn.render.style import Style
from xcnn.saving.pictures import MOST_BYTES, Pictures


@pytest.fixture
def asked(tmp_path):
    def ask(values, sign="positive", end=None, *, fine=True):
        np.save(tmp_path / "a.npy", np.asarray(values, np.float32))
        top = float(np.abs(values).max()) if end is None else end
        panel = {
            "kind": "map",
            "sign": sign,
            "fine": fine,
            "scale": [-top if sign == "signed" else 0.0, top],
            "files": {"values": "a.npy"},
        }
        return Pictures(tmp_path, Style()), panel

    return ask


def read(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def test_a_map_is_shipped_as_gray_levels_of_its_own_size(asked):
    pictures, panel = asked([[0.0, 1.0, 2.0], [4.0, 3.0, 0.5]])

    np.testing.assert_array_equal(read(pictures.heat(panel)), [[0, 64, 128], [255, 191, 32]])


def test_zero_of_a_signed_map_is_a_level_of_its_own(asked):
    pictures, panel = asked([[-2.0, 0.0, 2.0]], sign="signed")

    np.testing.assert_array_equal(read(pictures.heat(panel)), [[0, 127, 254]])


def test_what_is_no_number_is_zero_and_a_map_of_zeros_stays_zero(asked):
    pictures, panel = asked([[np.nan, 1.0]], end=1.0)
    np.testing.assert_array_equal(read(pictures.heat(panel)), [[0, 255]])

    pictures, panel = asked([[0.0, 0.0]])
    np.testing.assert_array_equal(read(pictures.heat(panel)), [[0, 0]])
    assert pictures.glance(panel) == {}


def test_a_map_of_noise_shrinks_until_it_fits_the_page(asked):
    pictures, panel = asked(np.random.default_rng(0).random((900, 600)))

    data = pictures.heat(panel)

    assert len(data) <= MOST_BYTES
    assert len(base64.b64encode(data)) <= 60_000
    height, width = read(data).shape
    assert height > 200
    assert height / width == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize(
    ("row", "column", "place"),
    [(0, 0, "upper left"), (0, 3, "upper centre"), (3, 6, "right"), (3, 3, "centre"), (6, 2, "lower centre")],
)
def test_the_strongest_place_is_told_by_thirds(asked, row, column, place):
    values = np.zeros((7, 7))
    values[row, column] = -3.0
    pictures, panel = asked(values, sign="signed")

    assert pictures.glance(panel) == {"above": "", "below": place, "share": pytest.approx(1 / 49)}


def test_the_strongest_places_above_and_below_zero_are_told_apart(asked):
    values = np.zeros((7, 7))
    values[0, 3], values[6, 0], values[5, 0] = 2.0, -1.5, -1.0
    pictures, panel = asked(values, sign="signed")

    assert pictures.glance(panel) == {"above": "upper centre", "below": "lower left", "share": pytest.approx(2 / 49)}


def test_one_stray_pixel_is_not_where_a_fine_map_is_strongest(asked):
    values = np.zeros((60, 60))
    values[45:, 45:] = 1.0
    values[0, 0] = 1.5
    pictures, panel = asked(values)

    assert pictures.glance(panel)["above"] == "lower right"


@pytest.fixture
def categories(tmp_path):
    def ask(values, *groups):
        np.save(tmp_path / "a.npy", np.asarray(values, np.int32))
        legend = [{"numbers": list(numbers)} for numbers in groups]
        return Pictures(tmp_path, Style()).categories(
            {"kind": "labels", "legend": legend, "files": {"values": "a.npy"}}
        )

    return ask


def test_a_category_is_where_it_takes_most_of_a_third(categories):
    values = np.full((9, 9), 5)
    values[:3, 6:] = 7
    values[8, 0] = 2

    told = categories(values, [5], [7], [2], [7, 2])

    assert told["places"] == ["centre", "upper right", "lower left", "upper right"]


@pytest.mark.parametrize(("values", "place"), [([[1]], "centre"), ([[1, 0]], "left"), ([[0], [1]], "lower centre")])
def test_a_map_of_few_cells_has_places_too(categories, values, place):
    assert categories(values, [1])["places"] == [place]


def test_the_cells_of_a_map_of_categories_are_runs_that_make_it_again(categories):
    values = np.random.default_rng(0).integers(-1, 2, (6, 5)).repeat(3, axis=1)

    runs = categories(values, [0])["runs"]

    again = [number for count, number in runs for _ in range(count)]
    np.testing.assert_array_equal(np.reshape(again, values.shape), values)
    assert all(first[1] != second[1] for first, second in itertools.pairwise(runs))


def test_tiles_have_statistics(asked):
    pictures, panel = asked(np.array([[[0.0, 2.0], [-1.0, 3.0]], [[0.0, 0.0], [0.0, 0.0]]]))

    assert pictures.statistics(panel) == [[-1.0, 1.0, 3.0, 0.5], [0.0, 0.0, 0.0, 0.0]]


def test_the_numbers_of_a_curve_are_read_back_by_name(tmp_path):
    (tmp_path / "c.csv").write_text("step,17,18\n0,1.5,2\n1,2.5,\n")

    told = Pictures(tmp_path, Style()).series({"names": ["17", "18"], "files": {"table": "c.csv"}})

    assert told == {"17": [1.5, 2.5], "18": [2.0]}


@pytest.mark.parametrize(
    ("shape", "factor"), [((7, 7), 11), ((14, 10), 5), ((2, 3), 27), ((40, 30), 1), ((100, 90), 1)]
)
def test_a_coarse_map_is_enlarged_smoothly_and_keeps_its_values_in_the_middle_of_their_cells(asked, shape, factor):
    values = np.random.default_rng(0).random(shape)
    values.flat[0] = 1.0
    pictures, panel = asked(values, fine=False)

    picture = read(pictures.heat(panel))

    assert picture.shape == (factor * shape[0], factor * shape[1])
    middle = picture[factor // 2 :: factor, factor // 2 :: factor].astype(int)
    assert np.abs(middle - np.rint(255 * values)).max() <= 1


def test_a_flat_map_is_not_smoothed(asked):
    pictures, panel = asked([[0.0, 1.0], [2.0, 4.0]], fine=False)

    np.testing.assert_array_equal(read(pictures.heat(panel | {"flat": True})), [[0, 64], [128, 255]])
