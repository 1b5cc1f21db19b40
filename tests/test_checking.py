"""What explainers may return: panels, and nothing that only looks like them."""

from __future__ import annotations

import numpy as np
import pytest

from xcnn import checking
from xcnn.errors import PluginError
from xcnn.plugin import Attribution, Curve, Labels, Section, Table, Tiles


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (lambda: None, "returned NoneType; explain returns a list"),
        (list, "returned 0 rows for 1"),
        (lambda: [()], "returned no panel"),
        (lambda: [7], "returned int where a tuple of panels belongs"),
        (lambda: [("map",)], "returned str; a panel is an Attribution"),
        (lambda: [(Attribution([[1.0]], sign="positive", unit=""),)], "returned list; a map is (h, w) numbers"),
        (lambda: [(Attribution(np.ones(3), sign="positive", unit=""),)], "of shape (3,); a map is (h, w) numbers"),
        (lambda: [(Attribution(np.ones((0, 3)), sign="positive", unit=""),)], "returned an empty array"),
        (lambda: [(Attribution(np.array([["a"]]), sign="positive", unit=""),)], "a map is (h, w) numbers"),
        (lambda: [(Attribution(-np.ones((2, 2)), sign="positive", unit=""),)], "negative values"),
        (lambda: [(Attribution(np.ones((2, 2)), sign="both", unit=""),)], "returned the sign 'both'; it is one of"),
        (lambda: [(Attribution(np.ones((2, 2)), sign="signed", unit=3),)], "returned int as unit; it is text"),
        (lambda: [(Attribution(np.ones((2, 2)), sign="signed", unit="", notes="one"),)], "it is a tuple of texts"),
        (lambda: [(Attribution(np.ones((2, 2)), sign="signed", unit="", notes=(object(),)),)], "returned object as"),
        (lambda: [(Labels(np.ones((2, 2)), {1: "a"}),)], "labels are (h, w) whole numbers"),
        (lambda: [(Labels(np.ones((2, 2), int), {1: 2}),)], "returned int as names"),
        (lambda: [(Tiles(np.ones((2, 3, 3)), ("a",), "positive", ""),)], "1 captions for 2 tiles"),
        (lambda: [(Tiles(np.ones((1, 3, 3, 4)), ("a",), "positive", ""),)], "tiles are (k, h, w) or (k, h, w, 3)"),
        (lambda: [(Tiles(np.ones((1, 3, 3)), ("a",), "positive", "", scale="own"),)], "returned the scale 'own'"),
        (lambda: [(Table("t", ("a",), ((1, 2),)),)], "2 cells under 1 headings"),
        (lambda: [(Table("t", ("a",), ((None,),)),)], "a table with NoneType in a cell"),
        (lambda: [(Curve("c", {"a": [1, 2]}, "x", "y"),)], "returned list as the series 'a'"),
    ],
)
def test_what_is_no_panel_is_refused_with_the_name_of_the_plugin(found, words):
    with pytest.raises(PluginError) as caught:
        checking.rows(found(), 1, "plugin xcnn-mean: mean")

    assert caught.value.message.startswith("plugin xcnn-mean: mean returned")
    assert words in caught.value.message


GOOD = (
    Attribution(np.ones((2, 2), np.float32), sign="positive", unit="", residual=0.5, state={"count": np.array(3)}),
    Labels(np.ones((2, 2), int), {1: "a"}),
    Tiles(np.ones((1, 3, 3, 3), np.float32), ("a",), "signed", "", marks=("dead",)),
    Table("t", ("a", "b"), (("x", 1.5),)),
    Curve("c", {"a": np.ones(4)}, "step", "loss"),
)


def test_what_is_a_panel_passes_as_it_is():
    (row,) = checking.rows([GOOD], 1, "mean")

    assert row == GOOD


def test_a_section_is_text_and_panels():
    assert checking.section(Section("a", "b", GOOD), "mean").panels == GOOD
    for wrong in ("text", Section(1), Section("a", b"b"), Section("a", "b", (1,))):
        with pytest.raises(PluginError):
            checking.section(wrong, "mean")


def test_the_words_of_an_object_are_not_believed():
    class Liar:
        def __str__(self):
            return "an Attribution"

        __repr__ = __html__ = __str__

    with pytest.raises(PluginError) as caught:
        checking.rows([(Liar(),)], 1, "mean")

    assert caught.value.message == "mean returned Liar; a panel is an Attribution, Tiles, Labels, ..."
