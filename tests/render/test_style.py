import numpy as np
import pytest

from xcnn.errors import OptionError
from xcnn.plugin import Attribution
from xcnn.render import colours
from xcnn.render.colours import Scale
from xcnn.render.style import Style, opaque, shrunk


def panel_of(*rows, sign="positive"):
    return Attribution(np.array(rows, np.float32), sign=sign, unit="score")


def picture_of(height, width):
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.4, 0.5, 1.0])
def test_an_overlay_is_the_weighted_sum_of_picture_and_colours(alpha):
    pixels, values = picture_of(4, 4), np.arange(-8, 8, dtype=np.float32).reshape(4, 4)
    scale = Scale(0.0, 7.0)

    overlay = Style(alpha=alpha).overlay(pixels, Attribution(values, sign="positive", unit="score"), scale)

    table = colours.palette("viridis", "positive")
    for y in range(4):
        for x in range(4):
            expected = blended(pixels[y, x], table[scale.levels(values[y, x])], alpha)
            assert np.abs(overlay[y, x] - expected).max() <= 1


@pytest.mark.parametrize("alpha", [0.0, 0.25, 0.5, 1.0])
def test_a_signed_map_covers_its_picture_the_more_the_stronger_it_is(alpha):
    pixels, values = picture_of(4, 4), np.arange(-8, 8, dtype=np.float32).reshape(4, 4)
    scale = Scale(-8.0, 8.0)

    overlay = Style(alpha=alpha).overlay(pixels, Attribution(values, sign="signed", unit="score"), scale)

    table = colours.palette("RdBu_r", "signed")
    for y in range(4):
        for x in range(4):
            value = values[y, x]
            # From half of the scale on as opaque as asked for; never paler than what stands at 0.7 of it.
            strong = np.sign(value) * max(abs(value), 5.6)
            expected = blended(pixels[y, x], table[scale.levels(np.float32(strong))], alpha * min(abs(value) / 4, 1))
            assert np.abs(overlay[y, x] - expected).max() <= 1


def blended(below, above, share):
    return np.array([(1 - share) * one + share * other for one, other in zip(below, above, strict=True)])


def test_a_neutral_signed_map_is_the_bare_picture():
    pixels = picture_of(3, 3)

    for values in ([0.0, 0.0], [1e-9, -1e-9]):
        panel = panel_of(values, sign="signed")
        scale = Scale(-1.0, 1.0) if any(values) else Scale.of([panel.values], "signed")
        assert (Style(alpha=1.0).overlay(pixels, panel, scale) == pixels).all()


def test_a_palette_of_the_user_that_is_not_pale_in_its_middle_is_taken_as_it_is():
    panel = panel_of([0.25], sign="signed")

    overlay = Style("jet", 1.0).overlay(np.zeros((1, 1, 3), np.uint8), panel, Scale(-1.0, 1.0))

    expected = colours.palette("jet", "signed")[Scale(-1.0, 1.0).levels(np.float32(0.25))] * 0.5
    assert np.abs(overlay[0, 0] - expected).max() <= 1


def test_below_its_threshold_a_map_shows_the_bare_picture():
    pixels = picture_of(1, 4)
    panel = Attribution(np.array([[0.0, 1.9, 2.0, 10.0]], np.float32), sign="positive", unit="score", threshold=0.2)

    overlay = Style("gray", 1.0).overlay(pixels, panel, Scale(0.0, 10.0))

    assert overlay[0, :2].tolist() == pixels[0, :2].tolist()
    assert overlay[0, 2:].tolist() == [[51] * 3, [255] * 3]


def test_a_map_of_zeros_with_a_threshold_shows_the_bare_picture():
    pixels = picture_of(2, 2)
    panel = Attribution(np.zeros((2, 2), np.float32), sign="positive", unit="score", threshold=0.2)

    assert (Style(alpha=1.0).overlay(pixels, panel, Scale(0.0, 0.0)) == pixels).all()


def test_a_veil_over_a_picture_is_the_overlay():
    pixels = picture_of(4, 4)
    panel = panel_of([-1.0, -0.2, 0.1, 0.9], sign="signed")
    style, scale = Style(alpha=0.5), Scale(-1.0, 1.0)

    veil = style.veil(panel, scale, (4, 4)).astype(float)

    opacity = 0.5 * veil[..., 3:] / 255
    assert np.abs((1 - opacity) * pixels + opacity * veil[..., :3] - style.overlay(pixels, panel, scale)).max() <= 1.5


@pytest.mark.parametrize(
    ("panel", "expected"),
    [
        (panel_of([1.0]), True),
        (panel_of([1.0], sign="signed"), False),
        (Attribution(np.ones((1, 1), np.float32), sign="positive", unit="", threshold=0.1), False),
        (Attribution(np.ones((1, 1), np.float32), sign="signed", unit="", fine=True), True),
    ],
)
def test_only_signed_maps_and_those_with_a_threshold_have_parts_that_are_clear(panel, expected):
    assert opaque(panel) is expected


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
