import numpy as np
import pytest

from xcnn.render import labelled
from xcnn.render.labelled import BAR, EDGE, GAP, LEAST, MARGIN, PANEL, ROW, STRIP, TRACK

ROWS = [("African elephant", 0.75), ("tusker", 0.2), ("Indian elephant", 0.05)]


def noise(height, width):
    return np.random.default_rng(0).integers(0, 200, (height, width, 3), np.uint8)


def filled(canvas, colour):
    """How many pixels of `colour` each row of the list of classes has."""
    return (canvas[:, -MARGIN - PANEL : -MARGIN] == colour).all(axis=2).sum(axis=1)


@pytest.mark.parametrize("size", [(EDGE, EDGE), (EDGE, 400), (400, EDGE), (1, EDGE), (EDGE, 1)])
def test_the_picture_stands_on_its_label_beside_the_classes(size):
    pixels = noise(*size)

    canvas = labelled.labelled(pixels, "cat", ROWS)

    slot, tall = max(size[1], LEAST), max(size[0] + STRIP, 3 * ROW)
    assert canvas.shape == (2 * MARGIN + tall, 2 * MARGIN + slot + GAP + PANEL, 3)
    top, left = MARGIN + (tall - size[0] - STRIP) // 2, MARGIN + (slot - size[1]) // 2
    assert (canvas[top : top + size[0], left : left + size[1]] == pixels).all()
    strip = canvas[top + size[0] : top + size[0] + STRIP, MARGIN : MARGIN + slot]
    assert (strip[0] == labelled.INK).all()
    assert (strip[10:40] > 200).any()


@pytest.mark.parametrize(
    ("size", "shown"), [((28, 28), (512, 512)), ((3000, 4000), (384, 512)), ((4000, 1000), (512, 128))]
)
def test_pictures_of_any_size_keep_their_shape(size, shown):
    canvas = labelled.labelled(np.full((*size, 3), (10, 200, 30), np.uint8), "cat", ROWS)

    rows, columns = np.nonzero((canvas == (10, 200, 30)).all(axis=2))
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == shown


def test_bars_are_as_long_as_the_probabilities():
    canvas = labelled.labelled(noise(EDGE, EDGE), "cat", ROWS)

    bars = filled(canvas, BAR)
    lengths = [int(bars[start]) for start in np.flatnonzero(np.diff(bars, prepend=0) > 0)]
    assert lengths == [round(PANEL * share) for _, share in ROWS]
    assert set(filled(canvas, TRACK)[bars > 0].tolist()) == {PANEL - length for length in lengths}


@pytest.mark.parametrize("share", [0.0, 1.0, 1.7, -0.5, float("nan"), float("inf")])
def test_a_bar_never_leaves_its_track(share):
    canvas = labelled.labelled(noise(EDGE, EDGE), "cat", [("a", share)])

    lengths = filled(canvas, BAR)
    assert lengths.max() == (PANEL if share in {1.0, 1.7} else 0)
    assert (canvas[:, -MARGIN:] == 255).all()


def test_without_probabilities_there_are_scores_and_no_bars():
    canvas = labelled.labelled(noise(EDGE, EDGE), "output", [("steering", None)], scores=[-0.25])
    silent = labelled.labelled(noise(EDGE, EDGE), "output", [("steering", None)])

    assert not filled(canvas, BAR).any()
    assert not filled(canvas, TRACK).any()
    columns = np.flatnonzero((canvas != silent).any(axis=(0, 2)))
    assert canvas.shape[1] - MARGIN - labelled.VALUE_ROOM <= columns.min()
    assert columns.max() < canvas.shape[1] - MARGIN


def test_no_classes_are_no_list():
    canvas = labelled.labelled(noise(EDGE, EDGE), "cat", [])

    assert (canvas[:, -MARGIN - PANEL :] == 255).all()


def test_many_classes_make_the_picture_longer():
    canvas = labelled.labelled(noise(20, EDGE), "cat", [("a", 0.1)] * 10, heading="model")

    assert canvas.shape[0] == 2 * MARGIN + labelled.HEADER + 10 * ROW


ODD = {
    "long": "W" * 400,
    "Chinese": "非洲象" * 100,
    "Arabic": "فيل أفريقي " * 50,
    "control characters": "a\x00b\x1b[31mc\nd\te\x7f",
    "lone surrogates": "caf\udce9 \ud800",
    "overrides": "abc\u202egpj.exe",
    "empty": "",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
@pytest.mark.parametrize("size", [(20, EDGE), (EDGE, 20)])
def test_words_stay_in_their_places(text, size):
    pixels = noise(*size)
    rows = [(text, 0.5), (text, 0.25)]

    silent = labelled.labelled(pixels, "", [("", 0.5), ("", 0.25)], heading=" ")
    canvas = labelled.labelled(pixels, text, rows, heading=text or " ")

    written = (canvas != silent).any(axis=2)
    inside = np.zeros_like(written)
    inside[MARGIN // 2 : -MARGIN // 2, MARGIN + 8 : -MARGIN // 2] = True
    assert not (written & ~inside).any()
    picture = (silent != 255).any(axis=2) & (silent != labelled.INK).any(axis=2)
    columns = slice(MARGIN, MARGIN + max(size[1], LEAST))
    height = size[0]
    top = MARGIN + (canvas.shape[0] - 2 * MARGIN - height - STRIP) // 2
    assert picture[top : top + height, columns].any()
    assert not written[top : top + height, columns].any()


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.123, "12.3%"),
        (0.9994, ">99.9%"),
        (0.999, "99.9%"),
        (0.0006, "<0.1%"),
        (0.001, "0.1%"),
        (1.0, "100%"),
        (0.0, "0%"),
        (float("nan"), "nan%"),
    ],
)
def test_a_probability_is_never_rounded_to_certainty(share, expected):
    assert labelled.percent(share) == expected
