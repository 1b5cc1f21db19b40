"""What alternative texts say of maps, and the cells that the page reads of maps of categories."""

import json

import pytest

from xcnn.report import seen


class Seeing:
    """Pictures whose maps look as told."""

    def __init__(self, **told):
        self.told = told

    def glance(self, _panel):
        return self.told

    categories = glance


def of_values(sign, *, of_class=True, **told):
    return seen.of_values({"sign": sign}, Seeing(**told), of_class=of_class)


def of_categories(*entries, places, runs=()):
    legend = [{"name": name, "share": share} for name, share in entries]
    return seen.of_categories({"legend": legend, "names": {"7": "lynx", "3": "cat"}}, Seeing(places=places, runs=runs))


def test_a_signed_map_tells_what_speaks_for_a_class_and_what_against_it():
    told = of_values("signed", above="upper centre", below="lower left", share=0.14)

    assert told == "strongest for it: upper centre; strongest against it: lower left; 14% of the area above half"


def test_a_signed_map_of_one_sign_says_that_the_other_side_is_empty():
    assert of_values("signed", above="left", below="", share=0.001).startswith(
        "strongest for it: left; nothing against it; less than 1%"
    )
    assert of_values("signed", above="", below="left", share=0.5).startswith(
        "nothing for it; strongest against it: left"
    )


def test_a_signed_map_of_no_class_speaks_of_zero():
    assert "above zero: left; nothing below zero" in of_values(
        "signed", of_class=False, above="left", below="", share=1
    )


def test_a_positive_map_has_one_place_and_a_map_of_zeros_none():
    assert of_values("positive", above="left", below="", share=0.1) == "strongest left, 10% of the area above half"
    assert of_values("signed") == of_values("positive") == "the map is zero everywhere"


def test_a_map_of_categories_tells_the_largest_with_share_and_place():
    entries = [("tabby", 0.612), ("lynx", 0.2), ("cat\u202e", 0.1), ("dog", 0.05), ("fox", 0.03), ("2 other", 0.008)]

    told = of_categories(*entries, places=["centre", "upper left", "left", "right", "right", ""])["seen"]

    assert told == (
        "tabby on 61.2%, mostly centre; lynx on 20.0%, mostly upper left; cat\\u202e on 10.0%, mostly left; "
        "dog on 5.0%, mostly right; and 2 more"
    )


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, "a everywhere"), (0.8, "a on 80.0%, nearly everywhere"), (0.7, "a on 70.0%, mostly left")],
)
def test_a_category_that_is_everywhere_has_no_place(share, words):
    assert of_categories(("a", share), places=["left"])["seen"] == words


def test_cells_are_runs_of_names_and_a_number_without_a_name_is_its_own():
    told = of_categories(("a", 1.0), places=[""], runs=[(4, 7), (2, 3), (1, 7), (1, 9)])

    assert told["cells"] == "4 0 2 1 1 0 1 2"
    assert json.loads(told["known"]) == ["lynx", "cat", "9"]


def test_a_map_of_too_many_runs_has_no_cells():
    told = of_categories(("a", 1.0), places=[""], runs=[(1, number % 2) for number in range(seen.MOST_RUNS + 1)])

    assert (told["cells"], told["known"]) == ("", "[]")
