import math

import numpy as np
import pytest

from xcnn.errors import TargetError
from xcnn.network import targets
from xcnn.network.targets import Head
from xcnn.plugin import Top

LABELS = ("tench", "crane", "African elephant", "Crane", "tabby", "maillot", "maillot")


def scores_of(*rows):
    return np.array(rows, np.float32)


# Reading


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("top", Top(1)),
        ("top1", Top(1)),
        ("top12", Top(12)),
        ("TOP3", Top(3)),
        (" top2 ", Top(2)),
        ("0", 0),
        ("386", 386),
        (" 7 ", 7),
        ("-1", -1),
        ("African elephant", "African elephant"),
        ("top hat", "top hat"),
        ("topping", "topping"),
        ("top-3", "top-3"),
        ("3.5", "3.5"),
        ("1e3", "1e3"),
    ],
)
def test_a_target_is_the_best_classes_an_index_or_a_name(text, expected):
    assert targets.parse(text) == expected


def test_the_best_no_class_is_refused():
    with pytest.raises(TargetError) as caught:
        targets.parse("top0")

    assert caught.value.message == "top0 asks for no class"
    assert caught.value.hint == "top, top3, a class index or a class name"


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_an_empty_target_is_refused(text):
    with pytest.raises(TargetError, match="the target is empty"):
        targets.parse(text)


# Names


def test_names_become_indices_and_the_rest_stays():
    assert targets.resolve(["tench", "top2", "4", "African elephant"], LABELS) == (0, Top(2), 4, 2)


@pytest.mark.parametrize("text", ["african elephant", "AFRICAN ELEPHANT", " African elephant "])
def test_case_does_not_matter_where_the_name_is_clear(text):
    assert targets.resolve([text], LABELS) == (2,)


def test_the_exact_name_wins_over_its_twin_in_another_case():
    assert targets.resolve(["crane", "Crane"], LABELS) == (1, 3)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("CRANE", "2 classes are named 'CRANE'", "choose 1 or 3"),
        ("maillot", "2 classes are named 'maillot'", "choose 5 or 6"),
    ],
)
def test_a_name_of_several_classes_is_refused_with_their_indices(text, message, hint):
    with pytest.raises(TargetError) as caught:
        targets.resolve([text], LABELS)

    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_name_nearly_hit_is_suggested():
    with pytest.raises(TargetError) as caught:
        targets.resolve(["african elefant"], LABELS)

    assert caught.value.message == "no class is named 'african elefant'"
    assert caught.value.hint == "African elephant (did you mean this?), or an index in 0..6"


def test_a_model_without_names_knows_indices_alone():
    with pytest.raises(TargetError) as caught:
        targets.resolve(["3", "tench"], None)

    assert caught.value.message == "no class is named 'tench': this model's file has no class names"
    assert caught.value.hint == "top, top3 or a class index"


def test_indices_need_no_names():
    assert targets.resolve(["3", "top"], None) == (3, Top(1))


def test_the_largest_number_of_best_classes_and_each_index_once_are_wanted():
    assert targets.split([Top(2), 5, Top(4), 3, 5]) == (4, (5, 3))


def test_indices_alone_want_none_of_the_best():
    assert targets.split([7]) == (0, (7,))


@pytest.mark.parametrize("index", [-1, 3, 10**15])
def test_an_index_that_is_no_class_is_refused_with_the_range(index):
    with pytest.raises(TargetError) as caught:
        targets.check([0, index], Head("softmax", 3), "net.h5")

    assert caught.value.message == f"class {index} does not exist: net.h5 has 3 (0..2)"


def test_the_first_and_the_last_class_are_accepted():
    targets.check([0, 2], Head("softmax", 3), "net.h5")

    assert targets.split([0, 2]) == (0, (0, 2))


# Probabilities


def test_softmax_is_the_share_of_each_exponential():
    scores = scores_of([1.0, 2.0, 3.0], [-1.0, 0.0, 0.5])

    found = Head("softmax", 3).probabilities(scores)

    for row, probabilities in zip(scores.tolist(), found.tolist(), strict=True):
        total = sum(math.exp(score) for score in row)
        assert probabilities == pytest.approx([math.exp(score) / total for score in row], rel=1e-6)


@pytest.mark.parametrize("kind", ["sigmoid", "binary"])
def test_each_sigmoid_is_the_logistic_function(kind):
    scores = scores_of([-3.0, 0.0], [0.5, 8.0])

    found = Head(kind, 2).probabilities(scores)

    expected = [[1 / (1 + math.exp(-score)) for score in row] for row in scores.tolist()]
    assert found.tolist() == [pytest.approx(row, rel=1e-5) for row in expected]


@pytest.mark.parametrize("kind", ["softmax", "sigmoid", "binary"])
def test_extreme_scores_give_certainty_and_no_overflow(kind):
    found = Head(kind, 2).probabilities(scores_of([1e38, -1e38], [-1e5, 1e5]))

    assert found.tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_softmax_does_not_depend_on_what_is_added_to_all_scores():
    head = Head("softmax", 3)

    shifted = head.probabilities(scores_of([1001.0, 1002.0, 1003.0]))

    assert shifted.tolist() == [pytest.approx(head.probabilities(scores_of([1.0, 2.0, 3.0]))[0].tolist())]


def test_a_linear_head_has_no_probabilities():
    assert Head("linear", 3).probabilities(scores_of([1.0, 2.0, 3.0])) is None


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("softmax", "logit (before the softmax)"),
        ("sigmoid", "logit (before the sigmoid)"),
        ("binary", "logit (before the sigmoid)"),
        ("linear", "output (no softmax or sigmoid found)"),
    ],
)
def test_a_head_says_what_its_scores_are(kind, expected):
    assert Head(kind, 2).score == expected


# Ranking and describing


def test_the_best_classes_come_first_and_the_given_ones_behind():
    ranked = targets.ranked(scores_of([0.1, 0.9, 0.5], [3.0, 1.0, 2.0]), 2, (2, 0))

    assert ranked.tolist() == [[1, 2, 2, 0], [0, 2, 2, 0]]


def test_of_equal_scores_the_lower_index_is_better():
    scores = scores_of([0.0, 1.0] * 100)

    ranked = targets.ranked(scores, 200)

    assert ranked.tolist() == [[*range(1, 200, 2), *range(0, 200, 2)]]


def test_given_classes_alone_are_ranked_as_given():
    assert targets.ranked(scores_of([0.1, 0.9], [0.9, 0.1]), 0, (1,)).tolist() == [[1], [1]]


def test_more_than_all_classes_are_all_classes():
    assert targets.ranked(scores_of([0.1, 0.9]), 5).tolist() == [[1, 0]]


def test_each_row_describes_one_class_of_one_image():
    scores = scores_of([1.0, 3.0], [4.0, 0.0])

    found = targets.describe(scores, np.array([[1, 0], [0, 1]]), Head("softmax", 2), ("cat", "dog"))

    assert [(one.index, one.label, one.score) for one in found] == [
        (1, "dog", 3.0),
        (0, "cat", 1.0),
        (0, "cat", 4.0),
        (1, "dog", 0.0),
    ]
    assert found[0].probability == pytest.approx(1 / (1 + math.exp(-2)))
    assert [one.coefficients for one in found[:2]] == [((1, 1.0),), ((0, 1.0),)]


def test_the_two_classes_of_one_sigmoid_are_its_logit_and_the_negated_one():
    logit = 1.5

    negative, positive = targets.describe(scores_of([-logit, logit]), np.array([[0, 1]]), Head("binary", 2), None)

    assert (negative.coefficients, positive.coefficients) == (((0, -1.0),), ((0, 1.0),))
    assert (negative.score, positive.score) == (-logit, logit)
    assert negative.probability + positive.probability == pytest.approx(1)
    assert positive.probability == pytest.approx(1 / (1 + math.exp(-logit)))


@pytest.mark.parametrize("head", [Head("softmax", 2), Head("binary", 2), Head("sigmoid", 2)])
def test_the_score_of_a_target_is_its_linear_form_of_the_outputs(head):
    scores = scores_of([-0.75, 0.75])
    outputs = scores[:, 1:] if head.kind == "binary" else scores

    found = targets.describe(scores, np.array([[0, 1]]), head, None)

    for target in found:
        assert sum(weight * outputs[0, output] for output, weight in target.coefficients) == pytest.approx(target.score)


def test_a_linear_output_is_described_without_a_probability():
    (found,) = targets.describe(scores_of([2.5]), np.array([[0]]), Head("linear", 1), None)

    assert (found.label, found.score, found.probability) == ("output", 2.5, None)


@pytest.mark.parametrize("labels", [None, ("cat", "dog"), ()])
def test_classes_without_fitting_names_are_called_by_their_number(labels):
    assert targets.label_of(2, Head("softmax", 3), labels) == "class 2"
