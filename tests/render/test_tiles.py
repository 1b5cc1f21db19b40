import numpy as np
import pytest

from xcnn.plugin import Attribution, Tiles
from xcnn.render import colours, tiles
from xcnn.render.colours import Scale
from xcnn.render.figure import MARGIN, Words
from xcnn.render.style import Style
from xcnn.render.tiles import LARGEST, LEAST, LONGEST, SMALLEST

SILENT = Words("", "", "", "", "")
VIRIDIS = colours.palette("viridis", "positive")
RDBU = colours.palette("RdBu_r", "signed")


def tiles_of(values, **more):
    values = np.array(values, np.float32)
    given = {"captions": ("",) * len(values), "sign": "positive", "unit": "activation", **more}
    return Tiles(values, **given)


def level(value):
    return round(255 * value)


def test_each_tile_on_a_scale_of_its_own_reaches_the_end_of_the_palette():
    pixels, shared = tiles.coloured(tiles_of([[[0.0, 2.0]], [[0.0, 8.0]], [[0.0, 0.0]]], scale="each"), Style())

    first, last = VIRIDIS[0].tolist(), VIRIDIS[255].tolist()
    assert pixels.tolist() == [[[first, last]], [[first, last]], [[first, first]]]
    assert shared is None


def test_tiles_on_a_shared_scale_compare():
    pixels, shared = tiles.coloured(tiles_of([[[0.0, 2.0]], [[0.0, 8.0]]], scale="shared"), Style())

    assert pixels[0, 0, 1].tolist() == VIRIDIS[level(0.25)].tolist()
    assert pixels[1, 0, 1].tolist() == VIRIDIS[255].tolist()
    assert shared == Scale(0.0, 8.0)


@pytest.mark.parametrize(("scale", "expected"), [("each", (0.0, 0.75)), ("shared", (0.375, 0.5625))])
def test_zero_is_the_middle_of_the_palette_of_signed_tiles(scale, expected):
    panel = tiles_of([[[-2.0, 1.0, 0.0]], [[8.0, 0.0, 0.0]]], scale=scale, sign="signed")

    pixels, _ = tiles.coloured(panel, Style())

    for x, share in enumerate(expected):
        assert pixels[0, 0, x].tolist() == RDBU[level(share)].tolist()
    assert pixels[0, 0, 2].tolist() == RDBU[128].tolist()


def test_standard_tiles_lose_their_mean_and_are_divided_by_their_deviation():
    values = np.array([[1.0, 2.0, 3.0, 10.0], [5.0, 5.0, 5.0, 5.0]], np.float32)[:, np.newaxis]

    pixels, _ = tiles.coloured(tiles_of(values, scale="standard", deviation=0.25), Style("gray"))

    row = values[0, 0]
    mean = sum(row) / 4
    deviation = (sum((value - mean) ** 2 for value in row) / 4) ** 0.5
    for x, value in enumerate(row):
        share = min(max(0.5 + 0.25 * (value - mean) / deviation, 0), 1)
        assert abs(int(pixels[0, 0, x, 0]) - 255 * share) <= 0.51
    assert pixels[1, 0].tolist() == [[128] * 3] * 4


def test_pictures_are_shown_as_they_are_and_what_lies_outside_is_cut():
    pixels, _ = tiles.coloured(tiles_of([[[[0.0, 0.5, 1.0], [-1.0, 2.0, 0.2]]]], scale="picture"), Style())

    assert pixels.tolist() == [[[[0, 128, 255], [0, 255, 51]]]]


def test_pictures_of_one_channel_are_gray():
    pixels, _ = tiles.coloured(tiles_of([[[0.0, 0.5, 2.0]]], scale="picture"), Style())

    assert pixels.tolist() == [[[[0] * 3, [128] * 3, [255] * 3]]]


def test_signed_tiles_of_three_channels_have_gray_at_zero():
    pixels, _ = tiles.coloured(tiles_of([[[[0.0, -4.0, 4.0], [2.0, 0.0, 0.0]]]], scale="each", sign="signed"), Style())

    assert pixels.tolist() == [[[[128, 0, 255], [191, 128, 128]]]]


def test_values_that_are_not_finite_do_not_spoil_their_neighbours():
    panel = tiles_of([[[np.nan, np.inf]], [[0.0, 2.0]]], scale="shared")

    pixels, shared = tiles.coloured(panel, Style())

    assert shared == Scale(0.0, 2.0)
    assert pixels[0, 0].tolist() == [VIRIDIS[0].tolist()] * 2
    assert pixels[1, 0, 1].tolist() == VIRIDIS[255].tolist()


def shown(panel, picture=None):
    """The canvas, the places of the tiles, and the upper left corner of the grid on the canvas."""
    canvas, _ = tiles.grid(panel, Style(), SILENT, picture)
    found = tiles.laid_out(panel, None if picture is None else picture.shape[:2])
    top = 92 + (26 if tiles.how(panel) else 0)
    return canvas, found, (MARGIN, top)


def test_tiles_stand_row_by_row_and_the_last_row_may_be_short():
    values = np.arange(5.0).reshape(5, 1, 1) * np.ones((5, 2, 2)) / 4
    canvas, found, (left, top) = shown(tiles_of(values, scale="shared", columns=3, margin=5))

    assert (found.columns, found.rows) == (3, 2)
    for number in range(5):
        row, column = divmod(number, 3)
        x, y = left + column * (found.width + 5), top + row * (found.height + 5)
        tile = canvas[y : y + found.height, x : x + found.width]
        assert (tile == VIRIDIS[level(number / 4)]).all()
    x, y = found.corner(5)
    assert (canvas[top + y + 1 : top + y + found.height, left + x + 1 : left + x + found.width] == 255).all()
    assert (canvas[top : top + found.height, left + found.width : left + found.width + 5] == 255).all()


def test_the_pixels_of_small_maps_become_whole_squares():
    canvas, found, (left, top) = shown(tiles_of([[[0.0, 1.0], [1.0, 0.0]]], scale="each"))

    half = found.width // 2
    assert found.width == found.height == LARGEST
    tile = canvas[top : top + found.height, left : left + found.width]
    assert (tile[:half, :half] == VIRIDIS[0]).all()
    assert (tile[:half, half:] == VIRIDIS[255]).all()


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [(1, (1, 1), 0), (64, (224, 224), 8), (512, (14, 14), 16), (2048, (7, 7), 16), (2048, (7, 7), 0), (12, (3, 300), 4), (4096, (56, 56), 0), (96, (112, 112), 96)],
)  # fmt: skip
def test_a_grid_of_any_size_stays_within_its_bounds(count, size, columns):
    found = tiles.laid_out(tiles_of(np.zeros((count, *size)), columns=columns, captions=("name",) * count))

    height, width = found.size
    assert max(height, width) <= LONGEST + 200
    assert found.columns * found.rows >= count > found.columns * (found.rows - 1)
    assert max(found.height, found.width) <= LARGEST
    if max(found.columns, found.rows) < LONGEST // (SMALLEST + 2):
        assert max(found.height, found.width) > SMALLEST / 2


def test_without_a_number_of_columns_a_grid_is_nearly_square():
    for count in (2, 10, 64, 100):
        found = tiles.laid_out(tiles_of(np.zeros((count, 5, 5))))
        assert abs(found.columns - found.rows) <= 1


def test_a_grid_has_no_more_columns_than_tiles():
    assert tiles.laid_out(tiles_of(np.zeros((3, 5, 5)), columns=16)).columns == 3


def changed(panel, **more):
    """Where a grid differs from the same one without captions and marks."""
    values = {"sign": panel.sign, "unit": panel.unit, "columns": panel.columns, "scale": panel.scale}
    with_more = Tiles(panel.values, **{"captions": panel.captions, **values, **more})
    one, other = (tiles.grid(each, Style(), SILENT)[0] for each in (with_more, panel))
    return with_more, one, other


def test_captions_stand_below_their_tiles_and_not_on_them():
    values = np.zeros((4, 5, 5))
    panel = tiles_of(values, columns=2, captions=("W" * 99, "b\x00\u202e", "=1+1", ""))
    canvas, found, (left, top) = shown(panel)

    assert found.line
    for number in range(4):
        x, y = found.corner(number)
        tile = canvas[top + y : top + y + found.height, left + x : left + x + found.width]
        below = canvas[
            top + y + found.height + 1 : top + y + found.height + found.line, left + x : left + x + found.width
        ]
        assert (tile == VIRIDIS[0]).all()
        assert (below != 255).any() == bool(panel.captions[number])


def test_tiles_too_small_for_captions_have_the_name_of_each_row_on_the_left():
    canvas, found, (left, top) = shown(tiles_of(np.zeros((2000, 7, 7)), captions=tuple(map(str, range(2000)))))

    assert found.line == 0
    assert found.gutter > 0
    assert (canvas[top:, left : left + found.gutter - 2] != 255).any()
    _, bare, _ = shown(tiles_of(np.zeros((2000, 7, 7))))
    assert bare.gutter == 0


def test_a_marked_tile_is_hatched_and_the_others_stay_as_they_were():
    panel = tiles_of(np.ones((2, 4, 4)), scale="shared")
    with_mark, one, other = changed(panel, marks=("", "dead"))
    found = tiles.laid_out(with_mark)

    differs = (one != other).any(axis=2)
    rows, columns = np.nonzero(differs)
    x, y = found.corner(1)
    assert (columns.min(), columns.max()) == (MARGIN + x, MARGIN + x + found.width - 1)
    assert (rows.min(), rows.max()) == (92 + 26 + y, 92 + 26 + y + found.height - 1)
    assert differs.sum() == found.width * found.height


def test_a_shared_scale_has_a_colour_bar_and_other_scales_have_none():
    heights = [
        tiles.grid(tiles_of(np.ones((2, 4, 4)), scale=scale), Style(), SILENT)[0].shape[0]
        for scale in ("shared", "each")
    ]

    assert heights[0] > heights[1]
    canvas = tiles.grid(tiles_of(np.ones((1, 4, 4)), scale="shared"), Style(), SILENT)[0]
    bar = canvas[92 + 26 + LARGEST + 16 + 5]
    assert bar[MARGIN + 1].tolist() in VIRIDIS[:3].tolist()
    assert bar[MARGIN + 358].tolist() in VIRIDIS[-3:].tolist()


@pytest.mark.parametrize("scale", ["each", "shared"])
def test_overlaid_tiles_lie_over_the_picture(scale):
    picture = np.random.default_rng(0).integers(0, 256, (80, 160, 3), np.uint8)
    panel = tiles_of([[[0.0, 1.0]], [[2.0, 4.0]]], scale=scale, overlaid=True, columns=2)

    canvas, found, (left, top) = shown(panel, picture)

    assert (found.height, found.width) == (80, 160)
    for number, values in enumerate(panel.values):
        x, y = found.corner(number)
        scaled = Scale(0.0, 4.0 if scale == "shared" else float(values.max()))
        expected = Style().overlay(picture, Attribution(values, sign="positive", unit=""), scaled)
        assert (canvas[top + y : top + y + 80, left + x : left + x + 160] == expected).all()


def test_overlaid_tiles_without_a_picture_are_shown_alone():
    panel = tiles_of(np.ones((1, 2, 2)), overlaid=True)

    canvas, _, (left, top) = shown(panel)

    assert canvas[top, left].tolist() == VIRIDIS[255].tolist()


def test_no_tiles_at_all_are_no_error():
    canvas, _ = tiles.grid(tiles_of(np.zeros((0, 4, 4))), Style(), SILENT)

    assert canvas.ndim == 3


@pytest.mark.parametrize("size", [(96, 96), (40, 120), (120, 40), (500, 500)], ids=str)
@pytest.mark.parametrize("count", [1, 4, 5])
def test_few_patterns_fill_the_width(count, size):
    panel = tiles_of(np.zeros((count, *size, 3)), columns=count, scale="picture")
    found = tiles.laid_out(panel)

    assert abs(found.width / found.height - size[1] / size[0]) < 0.1 * size[1] / size[0]
    if size[0] == size[1] and count > 2:
        assert found.size[1] >= LEAST - count
    assert found.size[1] <= max(LEAST, count * (LARGEST + panel.margin))
    assert max(found.height, found.width) <= 2 * LARGEST
    shown(panel)


def test_a_column_of_patterns_stays_within_its_bounds():
    found = tiles.laid_out(tiles_of(np.zeros((64, 96, 96, 3)), columns=1, scale="picture"))

    assert found.size[0] <= LONGEST


def test_maps_do_not_grow_between_whole_pixels():
    assert tiles.laid_out(tiles_of(np.zeros((4, 96, 96)), columns=4)).width == 96
