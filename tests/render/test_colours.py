import matplotlib as mpl
import numpy as np
import pytest

from xcnn.errors import OptionError
from xcnn.plugin import Attribution
from xcnn.render import colours
from xcnn.render.colours import Scale

SIGNS = ["positive", "signed"]


def floats(*rows):
    return np.array(rows, np.float32)


# Palettes


@pytest.mark.parametrize("name", ["viridis", "jet", "gray", "RdBu_r", "tab10"])
def test_a_palette_is_matplotlibs_own(name):
    table = colours.palette(name, "positive")

    for level in (0, 1, 100, 254, 255):
        expected = [round(part * 255) for part in mpl.colormaps[name](level / 255)[:3]]
        assert table[level].tolist() == expected


def test_the_automatic_palette_depends_on_the_sign():
    assert (colours.palette("auto", "positive") == colours.palette("viridis", "positive")).all()
    assert (colours.palette("auto", "signed") == colours.palette("RdBu_r", "signed")).all()


def test_the_automatic_signed_palette_is_blue_below_pale_at_and_red_above_zero():
    table = colours.palette("auto", "signed").astype(int)

    assert table[20, 2] > table[20, 0] + 80
    assert table[128].min() > 240
    assert table[235, 0] > table[235, 2] + 80


def test_nobody_can_change_a_palette():
    with pytest.raises(ValueError, match="read-only"):
        colours.palette("viridis", "positive")[0] = 0


def test_an_unknown_palette_gets_the_nearest_one():
    with pytest.raises(OptionError) as caught:
        colours.check("virdis")

    assert caught.value.message == "there is no colormap 'virdis'"
    assert caught.value.hint.startswith("viridis (did you mean this?)")


@pytest.mark.parametrize("name", ["auto", "jet", "viridis_r"])
def test_a_known_palette_is_accepted(name):
    colours.check(name)

    assert len(colours.palette(name, "positive")) == 256


def test_stops_run_from_the_first_to_the_last_colour():
    assert colours.stops("gray", "positive", count=3) == ["#000000", "#7f7f7f", "#ffffff"]


# Scales


def test_the_scale_of_positive_maps_reaches_from_zero_to_their_common_maximum():
    scale = Scale.of([floats([0.5, 2.0]), floats([3.0])], "positive")

    assert (scale.low, scale.high) == (0.0, 3.0)


@pytest.mark.parametrize("values", [[-4.0, 2.0], [-1.0, 4.0]])
def test_the_scale_of_signed_maps_has_zero_in_its_middle(values):
    scale = Scale.of([floats(values)], "signed")

    assert (scale.low, scale.high) == (-4.0, 4.0)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("maps", [[], [floats([0.0, 0.0])], [np.zeros((0, 3), np.float32)]])
def test_maps_without_any_evidence_have_an_empty_scale(maps, sign):
    scale = Scale.of(maps, sign)

    assert scale.empty
    assert scale.high == 0


def test_a_scale_with_a_single_value_is_not_empty():
    assert not Scale.of([floats([0.0, 1e-30])], "positive").empty


@pytest.mark.parametrize("value", [1e-38, 1e-10, 1.0, 1e10, 1e37])
@pytest.mark.parametrize("sign", SIGNS)
def test_levels_do_not_depend_on_the_size_of_the_values(value, sign):
    values = floats([-1.0, -0.5, 0.0, 0.25, 1.0]) * np.float32(value)
    scale = Scale.of([values], sign)

    levels = scale.levels(values).tolist()

    assert levels == [[0, 64, 128, 159, 255] if sign == "signed" else [0, 0, 0, 64, 255]]


def test_values_are_spread_evenly_over_the_levels():
    values = np.linspace(-3, 5, 81, dtype=np.float32)

    levels = Scale(-2.0, 4.0).levels(values)

    for value, level in zip(values.tolist(), levels.tolist(), strict=True):
        assert abs(level - 255 * min(max((value + 2) / 6, 0), 1)) <= 0.5001


def test_a_map_of_zeros_stays_at_the_first_level():
    assert Scale(0.0, 0.0).levels(np.zeros((2, 2), np.float32)).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("sign", SIGNS)
def test_a_map_of_zeros_stays_at_the_colour_of_zero(sign):
    table = colours.palette("auto", sign)
    empty, full = floats([0.0, 0.0]), floats([0.0, 1.0])

    alone = colours.coloured(empty, Scale.of([empty], sign), table, sign=sign)
    beside = colours.coloured(empty, Scale.of([full], sign), table, sign=sign)

    zero = table[128 if sign == "signed" else 0].tolist()
    assert alone.tolist() == [[zero, zero]]
    assert beside.tolist() == [[zero, zero]]


def test_each_value_gets_the_colour_of_its_level():
    table = np.stack([np.arange(256), 255 - np.arange(256), np.full(256, 7)], axis=1).astype(np.uint8)

    picture = colours.coloured(floats([0.0, 0.4], [1.0, 2.0]), Scale(0.0, 1.0), table, sign="positive")

    assert picture.tolist() == [[[0, 255, 7], [102, 153, 7]], [[255, 0, 7], [255, 0, 7]]]


def test_a_coloured_map_may_be_painted_on():
    table = colours.palette("auto", "signed")

    picture = colours.coloured(floats([0.0]), Scale(0.0, 0.0), table, sign="signed")
    picture[0, 0] = 1

    assert table[128].tolist() != [1, 1, 1]


# Sizes


def bilinear(values, size):
    """Interpolate between the four nearest cells, one pixel at a time; cells end where the picture ends."""
    rows, columns = values.shape
    height, width = size
    result = np.zeros(size)
    for y in range(height):
        for x in range(width):
            row = min(max((y + 0.5) * rows / height - 0.5, 0), rows - 1)
            column = min(max((x + 0.5) * columns / width - 0.5, 0), columns - 1)
            top, left = int(row), int(column)
            bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            down, along = row - top, column - left
            result[y, x] = (
                values[top, left] * (1 - down) * (1 - along)
                + values[top, right] * (1 - down) * along
                + values[bottom, left] * down * (1 - along)
                + values[bottom, right] * down * along
            )
    return result


@pytest.mark.parametrize(
    ("shape", "size"),
    [((1, 1), (3, 4)), ((2, 2), (5, 7)), ((3, 2), (7, 9)), ((7, 7), (20, 31)), ((2, 5), (6, 3)), ((4, 4), (4, 4))],
)
def test_a_map_is_stretched_bilinearly(shape, size):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)

    stretched = colours.enlarged(values, size)

    assert np.abs(stretched - bilinear(values, size)).max() < 1e-5


def test_a_map_larger_than_the_picture_is_averaged():
    values = np.arange(24, dtype=np.float32).reshape(4, 6) ** 2

    shrunk = colours.enlarged(values, (2, 2))

    expected = [[values[y : y + 2, x : x + 3].mean() for x in (0, 3)] for y in (0, 2)]
    assert np.abs(shrunk - expected).max() < 1e-4


def test_a_stretched_map_keeps_to_the_range_of_its_values():
    values = np.random.default_rng(1).normal(size=(5, 5)).astype(np.float32)

    stretched = colours.enlarged(values, (64, 48))

    assert stretched.min() >= values.min() - 1e-6
    assert stretched.max() <= values.max() + 1e-6


@pytest.mark.parametrize(
    ("size", "edge", "grow", "expected"),
    [
        ((300, 451), 512, False, (300, 451)),
        ((600, 1200), 512, False, (256, 512)),
        ((1200, 600), 512, False, (512, 256)),
        ((512, 512), 512, False, (512, 512)),
        ((28, 28), 448, True, (448, 448)),
        ((14, 28), 448, True, (224, 448)),
        ((1, 10_000), 448, False, (1, 448)),
        ((10_000, 3), 448, True, (448, 1)),
        ((1, 1), 448, True, (448, 448)),
    ],
)
def test_the_longer_side_is_fitted_and_the_shape_kept(size, edge, grow, expected):
    assert colours.fitted(size, edge, grow=grow) == expected


def maps_of(*rows, sign="positive", fine=True):
    return [Attribution(np.array([row], np.float32), sign=sign, unit="score", fine=fine) for row in rows]


def test_the_scale_of_fine_maps_ends_at_the_99_5th_percentile_of_all_their_sizes():
    first, second = np.arange(500.0), -np.arange(500.0, 1000.0)
    expected = np.percentile(np.arange(1000.0), 99.5)

    scale = Scale.shared(maps_of(first, second, sign="signed"))

    assert (scale.low, scale.high, scale.clipped) == (pytest.approx(-expected), pytest.approx(expected), True)
    positive = Scale.shared(maps_of(first, -second))
    assert (positive.low, positive.high, positive.clipped) == (0.0, pytest.approx(expected), True)


def test_the_scale_of_maps_of_regions_leaves_nothing_out():
    scale = Scale.shared(maps_of(np.r_[np.ones(999), 50.0], fine=False))

    assert (scale.low, scale.high, scale.clipped) == (0.0, 50.0, False)


@pytest.mark.parametrize("row", [np.r_[np.zeros(999), 3.0], np.full(1000, 3.0)], ids=["one pixel", "all the same"])
def test_the_scale_of_a_fine_map_without_outliers_ends_at_its_largest_value(row):
    scale = Scale.shared(maps_of(row))

    assert (scale.high, scale.clipped) == (3.0, False)


def test_a_fine_map_of_zeros_stays_empty():
    assert Scale.shared(maps_of([0.0, 0.0], sign="signed")).empty


def test_the_borders_of_a_flat_map_stay_sharp_however_little_it_grows():
    values = np.array([[0.0, 1.0]], np.float32)

    assert colours.enlarged(values, (1, 2), flat=True).tolist() == [[0, 1]]
    assert colours.enlarged(values, (2, 3), flat=True).tolist() in ([[0, 0, 1]] * 2, [[0, 1, 1]] * 2)
    assert colours.enlarged(values, (1, 4), flat=True).tolist() == [[0, 0, 1, 1]]


def test_the_pixels_of_a_small_fine_map_stay_squares():
    values = np.array([[0.0, 1.0]], np.float32)

    assert colours.enlarged(values, (3, 6), fine=True).tolist() == [[0, 0, 0, 1, 1, 1]] * 3
    assert 0 < colours.enlarged(values, (3, 6)).tolist()[0][2] < 1
    assert 0 < colours.enlarged(values, (2, 4), fine=True).tolist()[0][1] < 1
