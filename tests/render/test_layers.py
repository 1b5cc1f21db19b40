import numpy as np
import pytest

from xcnn.plugin import Attribution
from xcnn.render import colours, layers
from xcnn.render.colours import Scale
from xcnn.render.figure import GAP, HEADER, MARGIN, Words
from xcnn.render.layers import BAR, EDGE, LEAST
from xcnn.render.style import Style

WORDS = Words("", "", "", "", "")


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def map_of(*values, **more):
    return Attribution(np.array([values], np.float32), **{"sign": "positive", "unit": "score", **more})


@pytest.mark.parametrize("size", [(EDGE, EDGE), (EDGE, 100), (100, EDGE)])
def test_the_picture_and_each_map_on_a_scale_of_its_own_stand_side_by_side(size):
    height, width = size
    pixels = noise(*size)
    maps = [("a", map_of(0.0, 1.0), Scale(0.0, 1.0)), ("b", map_of(-3.0, 3.0, sign="signed"), Scale(-3.0, 3.0))]

    canvas = layers.layers(pixels, maps, Style(), WORDS)

    slot = max(width, LEAST)
    assert canvas.shape[1] == 2 * MARGIN + 3 * slot + 2 * GAP
    assert (canvas[HEADER : HEADER + height, MARGIN : MARGIN + width] == pixels).all()
    for column, (_, panel, scale) in enumerate(maps, start=1):
        x = MARGIN + column * (slot + GAP)
        expected = Style().overlay(pixels, panel, scale)
        assert (canvas[HEADER : HEADER + height, x : x + width] == expected).all()
        # As wide as the place: below a narrow picture, the numbers of its ends would touch.
        bar = canvas[HEADER + height + 36 + BAR // 2, x : x + slot]
        table = colours.palette("auto", panel.sign)
        assert bar[1].tolist() in table[:4].tolist()
        assert bar[-2].tolist() in table[-4:].tolist()


def test_the_numbers_of_a_narrow_picture_do_not_touch():
    one, wide = map_of(-1.23e-05, 1.23e-05, sign="signed"), Scale(-1.23e-05, 1.23e-05, clipped=True)
    canvas = layers.layers(noise(EDGE, 20), [("a", one, wide)], Style(), WORDS)

    x, y = MARGIN + LEAST + GAP, HEADER + EDGE + 36 + BAR + 4
    blank = (canvas[y : y + 24, x : x + LEAST] == 255).all(axis=(0, 2))
    inked = np.flatnonzero(~blank)
    assert np.diff(inked).max() > 20


def test_hostile_and_long_names_stay_in_their_places():
    pixels = noise(EDGE, EDGE)
    maps = [(name, map_of(1.0), Scale(0.0, 1.0)) for name in ("W" * 400, "a\x00b\u202ec\udce9")]
    plain = layers.layers(pixels, [("", panel, scale) for _, panel, scale in maps], Style(), WORDS)

    canvas = layers.layers(pixels, maps, Style(), Words("W" * 400, "x" * 900, "y" * 900, "", ""))

    written = (canvas != plain).any(axis=2)
    assert written.sum() == written[4:-4, MARGIN // 2 : -MARGIN // 2].sum()
    assert not written[HEADER : HEADER + EDGE].any()
