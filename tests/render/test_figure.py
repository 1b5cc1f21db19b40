import numpy as np
import pytest

from xcnn.plugin import Attribution
from xcnn.render import colours, figure
from xcnn.render.colours import Scale
from xcnn.render.figure import EDGE, FOOTER, GAP, HEADER, LEGEND, MARGIN, MIN_HEIGHT, MIN_WIDTH, Words
from xcnn.render.style import Style

SILENT = Words("", "", "", "", "")
ODD = {
    "long": "W" * 400,
    "long words": "a very long class name " * 40,
    "Chinese": "非洲象" * 100,
    "Arabic": "فيل أفريقي " * 50,
    "emoji": "\N{ELEPHANT}" * 100,
    "control characters": "a\x00b\x1b[31mc\nd\te\x7f",
    "lone surrogates": "caf\udce9 \ud800",
    "overrides": "abc\u202egpj.exe",
    "many accents": "e" + "\N{COMBINING ACUTE ACCENT}" * 80,
    "spaces": " \u3000\u2028 ",
}


def panel_of(values, sign="positive"):
    return Attribution(np.array(values, np.float32), sign=sign, unit="score")


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def drawn(pixels, panel, words=SILENT, scale=None, style=None):
    scale = scale or Scale.of([panel.values], panel.sign)
    return figure.figure(pixels, panel, scale, style or Style(), words)


def parts(canvas, height, width):
    """Cut the picture, the overlay and the colour bar out of a figure, where the constants say they are."""
    slot = max(width, MIN_WIDTH)
    left, middle, right = MARGIN, MARGIN + slot + GAP, MARGIN + 2 * (slot + GAP)
    rows = canvas[HEADER : HEADER + height]
    return rows[:, left : left + width], rows[:, middle : middle + width], rows[:, right : right + figure.BAR]


@pytest.mark.parametrize("size", [(EDGE, EDGE), (EDGE, 200), (200, EDGE), (EDGE, 1), (1, EDGE)])
def test_picture_overlay_and_colour_bar_stand_side_by_side(size):
    pixels, panel = noise(*size), panel_of([[0.0, 1.0], [2.0, 3.0]])

    canvas = drawn(pixels, panel)

    slot = max(size[1], MIN_WIDTH)
    assert canvas.shape == (HEADER + max(size[0], MIN_HEIGHT) + FOOTER, 2 * MARGIN + 2 * (slot + GAP) + LEGEND, 3)
    left, middle, bar = parts(canvas, *size)
    assert (left == pixels).all()
    assert (middle == Style().overlay(pixels, panel, Scale(0.0, 3.0))).all()
    assert (bar == bar[:, :1]).all()


@pytest.mark.parametrize("sign", ["positive", "signed"])
def test_the_colour_bar_runs_from_the_highest_value_down_to_the_lowest(sign):
    canvas = drawn(noise(EDGE, EDGE), panel_of([[-1.0, 1.0]], sign))

    bar = parts(canvas, EDGE, EDGE)[2][:, 0]

    table = colours.palette("auto", sign)
    assert bar[0].tolist() == table[255].tolist()
    assert bar[-1].tolist() == table[0].tolist()
    assert np.abs(bar[EDGE // 2].astype(int) - table[128]).max() <= 4


@pytest.mark.parametrize(
    ("size", "expected"), [((100, 200), (224, 448)), ((1000, 500), (448, 224)), ((7, 7), (448, 448))]
)
def test_pictures_of_any_size_keep_their_shape(size, expected):
    canvas = drawn(np.full((*size, 3), (10, 200, 30), np.uint8), panel_of([[1.0]]))

    left, _, _ = parts(canvas, *expected)

    assert canvas.shape[0] == HEADER + expected[0] + FOOTER
    assert (left == (10, 200, 30)).all()


def test_one_figure_does_not_leave_its_traces_in_the_next():
    pixels, panel = noise(EDGE, EDGE), panel_of([[1.0, 2.0]])
    before = drawn(pixels, panel)

    drawn(noise(EDGE, EDGE) // 2, panel, Words("title", "subtitle", "left", "right", "unit"))

    assert (drawn(pixels, panel) == before).all()


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("size", [(20, EDGE), (EDGE, 20)])
def test_words_stay_between_the_margins_and_off_the_pictures(text, size):
    pixels, panel = noise(*size), panel_of([[0.0, 1.0]])

    silent, canvas = drawn(pixels, panel), drawn(pixels, panel, Words(text, text, text, text, text))

    written = (canvas != silent).any(axis=2)
    frame = MARGIN // 2
    inside = written[4:-4, frame:-frame]
    assert written.sum() == inside.sum()
    assert not any(part.any() for part in parts(written, *size))


def test_title_and_subtitle_are_written_above_and_captions_below():
    height = 20
    pixels, panel = noise(height, EDGE), panel_of([[0.0, 1.0]])
    silent = drawn(pixels, panel)

    def rows_of(**words):
        canvas = drawn(
            pixels, panel, Words(**{"title": "", "subtitle": "", "left": "", "right": "", "unit": "", **words})
        )
        rows, columns, _ = np.nonzero(canvas != silent)
        return rows.min(), rows.max(), columns.min(), columns.max()

    title, subtitle, left, right = (rows_of(**{name: "Elephant"}) for name in ("title", "subtitle", "left", "right"))
    assert title[1] < subtitle[0]
    assert subtitle[1] < HEADER
    assert left[0] >= HEADER + height
    assert left[3] < MARGIN + EDGE
    assert right[0] >= HEADER + height
    assert right[2] >= MARGIN + EDGE + GAP


def legend_rows(canvas, height=EDGE, width=EDGE):
    """The rows beside the colour bar on which something is written."""
    x = MARGIN + 2 * (max(width, MIN_WIDTH) + GAP) + figure.BAR + 2
    return np.flatnonzero((canvas[: HEADER + height, x:] != 255).any(axis=(1, 2)))


def test_numbers_stand_at_the_ends_and_the_middle_of_the_colour_bar():
    rows = legend_rows(drawn(noise(EDGE, EDGE), panel_of([[0.0, 1.0]])))

    groups = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)

    assert len(groups) == 3
    for group, at in zip(groups, (HEADER, HEADER + EDGE // 2, HEADER + EDGE - 1), strict=True):
        assert abs(group.mean() - at) < 12


def test_a_map_of_zeros_has_one_number_at_the_end_of_its_colour_bar():
    rows = legend_rows(drawn(noise(EDGE, EDGE), panel_of([[0.0, 0.0]])))

    assert rows.max() - rows.min() < 20
    assert abs(rows.mean() - (HEADER + EDGE - 1)) < 12


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (12.345, "12.3"),
        (999.5, "1e+03"),
        (0.001234, "0.00123"),
        (-0.00001234, "-1.23e-05"),
        (1234567.0, "1.23e+06"),
    ],
)
def test_a_number_has_three_significant_digits(value, expected):
    assert figure.number(value) == expected


def test_the_zero_of_an_empty_signed_map_stands_in_the_middle():
    panel = Attribution(np.zeros((1, 2), np.float32), sign="signed", unit="score")
    canvas = figure.figure(
        np.zeros((448, 448, 3), np.uint8),
        panel,
        Scale.of([panel.values], "signed"),
        Style(),
        figure.Words("", "", "", "", ""),
    )
    x = 28 + 2 * (448 + 20) + 16 + 2
    rows = np.flatnonzero((canvas[:, x:] != 255).any(axis=(1, 2)))
    assert abs(rows.mean() - (92 + 224)) < 12


def test_the_numbers_beside_a_very_wide_picture_do_not_touch():
    canvas = drawn(np.zeros((4, 2000, 3), np.uint8), panel_of([[0.0, 1.234]]))
    x = canvas.shape[1] - MARGIN - LEGEND + figure.BAR + 8

    rows = np.flatnonzero((canvas[HEADER : HEADER + MIN_HEIGHT, x : x + 60] < 128).any(axis=(1, 2)))

    assert len(np.flatnonzero(np.diff(rows) > 1)) == 2


def test_a_fine_map_stands_alone_beside_the_picture():
    pixels = noise(EDGE, EDGE)
    values = np.tile(np.array([[0.0, 1.0], [2.0, 3.0]], np.float32), (2, 2))
    panel = Attribution(values, sign="positive", unit="gradient", fine=True)

    left, middle, _ = parts(drawn(pixels, panel), EDGE, EDGE)

    table = colours.palette("viridis", "positive")
    assert (left == pixels).all()
    assert middle[0, 0].tolist() == table[0].tolist()
    assert middle[-1, -1].tolist() == table[255].tolist()


@pytest.mark.parametrize(
    ("scale", "sign", "expected"),
    [
        (Scale(0.0, 2.0), "positive", [(0.0, "0"), (0.5, "1"), (1.0, "2")]),
        (Scale(0.0, 2.0, clipped=True), "positive", [(0.0, "0"), (0.5, "1"), (1.0, "≥ 2")]),
        (Scale(-2.0, 2.0, clipped=True), "signed", [(0.0, "≤ -2"), (0.5, "0"), (1.0, "≥ 2")]),
        (Scale(0.0, 0.0), "positive", [(0.0, "0")]),
        (Scale(0.0, 0.0), "signed", [(0.5, "0")]),
    ],
)
def test_the_numbers_of_a_scale_say_when_values_lie_beyond_its_ends(scale, sign, expected):
    assert figure.ticks(scale, sign) == expected


@pytest.mark.parametrize("unit", ["score", "score per input unit", "W" * 200])
def test_a_unit_of_any_length_ends_before_the_margin_and_leaves_the_caption_room(unit):
    pixels, panel = noise(20, EDGE), panel_of([[0.0, 1.0]])
    silent = drawn(pixels, panel)

    with_unit = (drawn(pixels, panel, Words("", "", "", "", unit)) != silent).any(axis=(0, 2))
    caption = (drawn(pixels, panel, Words("", "", "", "W" * 200, unit)) != silent).any(axis=(0, 2))

    columns = np.flatnonzero(with_unit)
    assert columns[-1] < silent.shape[1] - MARGIN // 2
    assert not caption[columns[0] - 8 : columns[0] - 1].any()
