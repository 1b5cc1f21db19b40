import itertools

import numpy as np
import pytest

from xcnn.plugin import Curve
from xcnn.render import curve
from xcnn.render.curve import COLOURS


def drawn(series, title="title", subtitle=""):
    return curve.curve(Curve("t", {k: np.array(v, np.float32) for k, v in series.items()}, "step", "loss"), title=title, subtitle=subtitle)  # fmt: skip


def places(pixels, colour):
    wanted = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
    return np.nonzero(np.abs(pixels.astype(int) - wanted).max(axis=2) < 12)


def test_a_line_runs_from_its_first_value_to_its_last():
    rows, columns = places(drawn({"up": [0.0, 1.0, 2.0]}), COLOURS[0])

    left, right = columns < columns.min() + 20, columns > columns.min() + 500
    assert rows[left].mean() > rows[right].mean() + 100


def test_the_axis_begins_where_something_is_known():
    late, early = (places(drawn({"a": values}), COLOURS[0])[1] for values in ([np.nan, 0.0, 1.0], [0.0, 1.0]))

    assert (late.min(), late.max()) == (early.min(), early.max())


def test_each_of_few_series_has_a_colour_of_its_own():
    pixels = drawn({"a": [0.0, 1.0], "b": [1.0, 0.0], "c": [2.0, 2.0]})

    assert all(len(places(pixels, colour)[0]) > 300 for colour in COLOURS[:3])
    assert len(places(pixels, COLOURS[3])[0]) < 100


def test_many_series_share_a_colour():
    pixels = drawn({str(number): [0.0, number] for number in range(30)})

    assert all(len(places(pixels, colour)[0]) < 100 for colour in COLOURS[1:4])
    red, blue = pixels[..., 0].astype(int), pixels[..., 2].astype(int)
    assert (blue - red > 40).sum() > 1000


@pytest.mark.parametrize(
    "series",
    [
        {},
        {"empty": []},
        {"one": [1.0]},
        {"gone": [np.nan, np.nan]},
        {"gaps": [np.nan, 1.0, np.inf, 2.0]},
        {"flat": [0.0] * 5},
        {"short": [1.0], "long": list(range(100))},
    ],
    ids=str,
)
def test_any_series_make_a_picture(series):
    assert drawn(series).shape == (672, 1200, 3)


@pytest.mark.parametrize("text", ["$x$", r"$\frac{", "W" * 500, "a\nb\x00\u202e", "猫 \udce9", r"\textbf{x}"])
def test_hostile_names_are_written_and_never_read_as_formulas(text):
    series = {text: [0.0, 1.0], "other": [1.0, 0.0]}
    named = Curve(text, {k: np.array(v, np.float32) for k, v in series.items()}, text, text)

    assert curve.curve(named, title=text, subtitle=text).shape == (672, 1200, 3)


def test_a_dollar_sign_is_drawn():
    assert (drawn({}, title="$x$") != drawn({}, title="x")).any()


def test_names_of_lines_that_end_together_are_moved_apart():
    spots = curve._apart([0.9, 0.5, 0.5, 0.5, 0.1])

    assert spots == sorted(spots, reverse=True)
    assert all(above - below >= curve.APART - 1e-9 for above, below in itertools.pairwise(spots))
    assert (spots[0], spots[2], spots[4]) == (0.9, 0.5, 0.1)
