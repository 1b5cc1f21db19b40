import numpy as np
import pytest

from xcnn.plugin import Labels
from xcnn.render import labels
from xcnn.render.figure import EDGE, GAP, HEADER, MARGIN, Words
from xcnn.render.labels import COLOURS, OTHER, ROW, STRENGTH, SWATCH


def labels_of(*rows, **names):
    return Labels(np.array(rows, np.int32), {int(key[1:]): name for key, name in names.items()})


def rgb(colour):
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def test_the_legend_lists_categories_by_their_share_of_the_map():
    found = labels.entries(labels_of([7, 7, 3], [7, 3, 9], _7="cat", _3="dog"))

    assert [(one.numbers, one.name, one.share) for one in found] == [
        ((7,), "cat", 0.5),
        ((3,), "dog", pytest.approx(1 / 3)),
        ((9,), "9", pytest.approx(1 / 6)),
    ]
    assert [one.colour for one in found] == list(COLOURS[:3])


def test_of_many_categories_the_rare_ones_share_one_colour():
    counts = range(20, 0, -1)
    panel = labels_of([number for number, count in enumerate(counts) for _ in range(count)])

    *own, rest = labels.entries(panel)

    assert [one.numbers for one in own] == [(number,) for number in range(len(COLOURS))]
    assert (rest.name, rest.colour) == (f"{20 - len(COLOURS)} other", OTHER)
    assert rest.numbers == tuple(range(len(COLOURS), 20))
    assert sum(one.share for one in [*own, rest]) == pytest.approx(1)


def test_each_position_has_the_colour_of_its_category_and_borders_stay_sharp():
    panel = labels_of([1, 1, 2])

    pixels = labels.coloured(panel, labels.entries(panel), (2, 6))

    assert pixels.tolist() == [[rgb(COLOURS[0])] * 4 + [rgb(COLOURS[1])] * 2] * 2


def test_input_map_and_legend_stand_side_by_side():
    pixels = np.random.default_rng(0).integers(0, 256, (EDGE, EDGE, 3), np.uint8)
    panel = labels_of([1, 2], [1, 1], _1="cat", _2="dog")

    canvas = labels.figure(pixels, panel, Words("", "", "", "", ""))

    x = MARGIN + EDGE + GAP
    assert (canvas[HEADER : HEADER + EDGE, MARGIN : MARGIN + EDGE] == pixels).all()
    middle = canvas[HEADER : HEADER + EDGE, x : x + EDGE].astype(float)
    expected = (1 - STRENGTH) * pixels[-1, 0] + STRENGTH * np.array(rgb(COLOURS[0]))
    assert np.abs(middle[-1, 0] - expected).max() <= 1
    x += EDGE + GAP
    for row, colour in enumerate(COLOURS[:2]):
        assert canvas[HEADER + row * ROW + SWATCH // 2, x + SWATCH // 2].tolist() == rgb(colour)


def test_hostile_names_stay_in_the_legend():
    pixels = np.zeros((EDGE, EDGE, 3), np.uint8)
    silent = labels.figure(pixels, labels_of([1, 2], _1="", _2=""), Words("", "", "", "", ""))

    canvas = labels.figure(pixels, labels_of([1, 2], _1="W" * 500, _2="a\x00\u202e\udce9"), Words("", "", "", "", ""))

    rows, columns = np.nonzero((canvas != silent).any(axis=2))
    assert columns.min() > MARGIN + 2 * (EDGE + GAP)
    assert columns.max() < canvas.shape[1] - MARGIN // 2
    assert rows.max() < HEADER + 2 * ROW


def test_one_category_everywhere_leaves_the_picture_to_be_seen():
    gray = np.full((4, 4, 3), 100, np.uint8)
    one = Labels(np.zeros((2, 2), np.int32), {0: "cat"})
    two = Labels(np.array([[0, 0], [0, 1]], np.int32), {0: "cat", 1: "dog"})

    faint, strong = (labels.overlay(gray, panel, labels.entries(panel))[0, 0] for panel in (one, two))

    colour = labels.coloured(one, labels.entries(one), (4, 4))[0, 0]
    np.testing.assert_allclose(faint, 0.8 * 100 + 0.2 * colour, atol=1)
    np.testing.assert_allclose(strong, 0.35 * 100 + 0.65 * colour, atol=1)
