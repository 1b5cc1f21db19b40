import numpy as np
import pytest

from xcnn.errors import OptionError
from xcnn.plugin import Attribution
from xcnn.render import colours
from xcnn.render.colours import Scale
from xcnn.render.style import Style, shrunk


def panel_of(*rows, sign="positive"):
    return Attribution(np.array(rows, np.float32), sign=sign, unit="score")


def picture_of(height, width):
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.4, 0.5, 1.0])
@pytest.mark.parametrize("sign", ["positive", "signed"])
def test_an_overlay_is_the_weighted_sum_of_picture_and_colours(alpha, sign):
    pixels, values = picture_of(4, 4), np.arange(-8, 8, dtype=np.float32).reshape(4, 4)
    scale = Scale(0.0, 7.0) if sign == "positive" else Scale(-8.0, 8.0)

    overlay = Style(alpha=alpha).overlay(pixels, Attribution(values, sign=sign, unit="score"), scale)

    table = colours.palette("viridis" if sign == "positive" else "RdBu_r", sign)
    for y in range(4):
        for x in range(4):
            heat = table[scale.levels(values[y, x])]
            expected = [(1 - alpha) * below + alpha * above for below, above in zip(pixels[y, x], heat, strict=True)]
            assert np.abs(overlay[y, x] - np.array(expected)).max() <= 1


def test_an_overlay_without_strength_is_the_picture():
    pixels = picture_of(5, 7)

    overlay = Style(alpha=0.0).overlay(pixels, panel_of([1.0]), Scale(0.0, 1.0))

    assert (overlay == pixels).all()


@pytest.mark.parametrize("size", [(3, 50), (50, 3), (1, 1), (37, 91)])
def test_an_overlay_has_the_pixels_of_its_picture_whatever_its_shape(size):
    pixels = picture_of(*size)

    overlay = Style(alpha=1.0).overlay(pixels, panel_of([1.0, 1.0], [1.0, 1.0]), Scale(0.0, 1.0))

    last = colours.palette("viridis", "positive")[255].tolist()
    assert overlay.tolist() == [[last] * size[1]] * size[0]


def test_the_map_lies_over_the_picture_the_right_way_round():
    pixels = np.zeros((2, 4, 3), np.uint8)
    panel = panel_of([0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0])

    overlay = Style(colormap="gray", alpha=1.0).overlay(pixels, panel, Scale(0.0, 1.0))

    assert overlay[..., 0].tolist() == [[0, 0, 0, 0], [0, 0, 0, 255]]


def test_the_picture_and_the_map_stay_as_they_were():
    pixels, panel = picture_of(6, 6), panel_of([0.0, 1.0])
    before = pixels.copy(), panel.values.copy()

    Style().overlay(pixels, panel, Scale(0.0, 1.0))

    assert (pixels == before[0]).all()
    assert (panel.values == before[1]).all()


def test_the_heat_of_a_shared_scale_shows_a_weak_map_weakly():
    heat = Style(colormap="gray").heat(panel_of([0.2]), Scale(0.0, 1.0), (1, 1))

    assert heat.tolist() == [[[51, 51, 51]]]


def test_a_style_with_an_unknown_palette_can_not_be_made():
    with pytest.raises(OptionError, match="there is no colormap 'no such'"):
        Style(colormap="no such")


def test_a_small_picture_grows_in_whole_pixels():
    pixels = picture_of(2, 3)

    grown = shrunk(pixels, 9, grow=True)

    assert grown.tolist() == [[pixels[y // 3, x // 3].tolist() for x in range(9)] for y in range(6)]


def test_a_large_picture_shrinks_by_area():
    pixels = np.zeros((4, 8, 3), np.uint8)
    pixels[::2] = 100

    assert shrunk(pixels, 4).tolist() == [[[50, 50, 50]] * 4] * 2


def test_a_small_picture_stays_unless_it_may_grow():
    pixels = picture_of(2, 3)

    assert (shrunk(pixels, 9) == pixels).all()
