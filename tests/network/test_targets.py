import math

import numpy as np
import pytest

from xcnn.errors import TargetError
from xcnn.network import targets
from xcnn.network.heads import Head
from xcnn.network.targets import Forms, Named, Outcome
from xcnn.plugin import Contrast, Top

LABELS = ("tench", "crane", "African elephant", "Crane", "tabby", "maillot", "maillot")


def scores_of(*rows):
    return np.array(rows, np.float32)


def described(scores, best, head, labels=None, given=(), areas=None):
    outcome = Outcome(scores, None if areas is None else scores_of(*areas))
    return targets.Describer(head, labels).rows(outcome, np.array(best).reshape(len(scores), -1), given)


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
        ("African elephant", Named("African elephant")),
        ("top hat", Named("top hat")),
        ("topping", Named("topping")),
        ("top-3", Named("top-3")),
        ("3.5", Named("3.5")),
        ("1e3", Named("1e3")),
    ],
)
def test_a_target_is_the_best_classes_an_index_or_a_name(text, expected):
    assert targets.parse(text) == expected


def test_the_best_no_class_is_refused():
    with pytest.raises(TargetError) as caught:
        targets.parse("top0")

    assert caught.value.message == "top0 asks for no class"
    assert caught.value.hint == "top, top3, a class index or name, 'A vs B', not:A"


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

    assert caught.value.message == "no class is named 'tench': the class names of this model are not known"
    assert caught.value.hint == "top, top3 or a class index, or give the names with --labels labels.txt"


def test_indices_need_no_names():
    assert targets.resolve(["3", "top"], None) == (3, Top(1))


def test_the_largest_number_of_best_classes_and_each_index_once_are_wanted():
    assert Forms.of([Top(2), 5, Top(4), 3, 5]) == Forms(4, (5, 3))


def test_indices_alone_want_none_of_the_best():
    assert Forms.of([7]) == Forms(0, (7,))


@pytest.mark.parametrize("index", [-1, 3, 10**15])
def test_an_index_that_is_no_class_is_refused_with_the_range(index):
    with pytest.raises(TargetError) as caught:
        Forms(0, (0, index)).matrix(Head("softmax", 3), "net.h5")

    assert caught.value.message == f"class {index} does not exist: net.h5 has 3 (0..2)"


def test_the_first_and_the_last_class_are_accepted():
    assert Forms(0, (0, 2)).matrix(Head("softmax", 3), "net.h5").tolist() == [[1, 0, 0], [0, 0, 1]]


# Ranking and describing


def test_the_best_classes_come_first():
    assert targets.ranked(scores_of([0.1, 0.9, 0.5], [3.0, 1.0, 2.0]), 2).tolist() == [[1, 2], [0, 2]]


def test_of_equal_scores_the_lower_index_is_better():
    scores = scores_of([0.0, 1.0] * 100)

    ranked = targets.ranked(scores, 200)

    assert ranked.tolist() == [[*range(1, 200, 2), *range(0, 200, 2)]]


def test_more_than_all_classes_are_all_classes():
    assert targets.ranked(scores_of([0.1, 0.9]), 5).tolist() == [[1, 0]]


def test_each_row_describes_one_class_of_one_image():
    scores = scores_of([1.0, 3.0], [4.0, 0.0])

    found = described(scores, [[1, 0], [0, 1]], Head("softmax", 2), ("cat", "dog"))

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

    negative, positive = described(scores_of([-logit, logit]), [[0, 1]], Head("binary", 2))

    assert (negative.coefficients, positive.coefficients) == (((0, 1.0),), ((1, 1.0),))
    assert (negative.score, positive.score) == (-logit, logit)
    assert negative.probability + positive.probability == pytest.approx(1)
    assert positive.probability == pytest.approx(1 / (1 + math.exp(-logit)))


@pytest.mark.parametrize("head", [Head("softmax", 2), Head("binary", 2), Head("sigmoid", 2)])
def test_the_score_of_a_target_is_its_linear_form_of_the_scores(head):
    scores = scores_of([-0.75, 0.75])

    found = described(scores, [[0, 1]], head)

    for target in found:
        assert target.of(scores).tolist() == pytest.approx([target.score])


def test_a_linear_output_is_described_without_a_probability():
    (found,) = described(scores_of([2.5]), [[0]], Head("linear", 1))

    assert (found.label, found.score, found.probability) == ("output", 2.5, None)


@pytest.mark.parametrize("labels", [None, ("cat", "dog"), ()])
def test_classes_without_fitting_names_are_called_by_their_number(labels):
    assert targets.Describer(Head("softmax", 3), labels).label(2) == "class 2"


# The whole grammar


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tench vs tabby", Contrast(0, 4)),
        ("Tench VS 4", Contrast(0, 4)),
        ("3 vs 1", Contrast(3, 1)),
        ("not:tabby", Contrast(None, 4)),
        ("NOT: 2", Contrast(None, 2)),
        ("afr", 2),
        ("tabb", 4),
        ("label:tench", 0),
        ("LABEL: African elephant", 2),
    ],
)
def test_contrasts_negations_and_prefixes_are_understood(text, expected):
    assert targets.resolve([text], LABELS) == (expected,)


def test_a_bare_number_is_an_index_even_where_a_label_looks_the_same():
    digits = ("9", "8", "7", "6")

    assert targets.resolve(["3", "label:7"], digits) == (3, 2)


def test_a_label_that_looks_like_a_contrast_wins_over_it():
    assert targets.resolve(["us vs them", "not:a"], ("not:a", "us vs them", "a")) == (1, 0)


def test_the_best_class_is_meant_even_where_a_class_is_named_top():
    assert targets.resolve(["top", "label:top"], ("shirt", "top")) == (Top(1), 1)


def test_an_exact_label_beats_a_prefix():
    assert targets.resolve(["cat"], ("caterpillar", "cat", "cathedral")) == (1,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cat", "3 classes begin with 'cat'"),
        ("a vs top", "top can't be part of a contrast"),
        ("a vs a", "'a vs a' compares a class with itself"),
        ("a vs b vs c", "'a vs b vs c' compares more than two classes"),
        ("not:", "the target is empty"),
        ("not:top3", "top3 can't be part of a contrast"),
        ("2,3", "the target '2,3' is no class"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(text, message):
    with pytest.raises(TargetError) as caught:
        targets.resolve([text], ("caterpillar", "catfish", "cathedral", "a", "b", "c"))

    assert caught.value.message == message


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("top3", False),
        ("7", False),
        ("3 vs 4", False),
        ("not:2", False),
        ("cat", True),
        ("3 vs cat", True),
        ("label:7", True),
    ],
)
def test_names_are_looked_up_only_for_targets_that_use_them(text, needed):
    assert targets.names_class(text) is needed


def test_a_contrast_is_a_linear_form_of_the_scores():
    forms = Forms.of([Contrast(2, 0), Contrast(None, 1), 1])

    assert forms.matrix(Head("softmax", 3), "net").tolist() == [[-1, 0, 1], [0, -1, 0], [0, 1, 0]]


def test_a_contrast_is_described_by_both_names_and_has_no_probability():
    (found,) = described(scores_of([1.0, 3.0]), [[]], Head("softmax", 2), ("cat", "dog"), given=[Contrast(1, 0)])

    assert (found.label, found.score, found.probability) == ("dog vs cat", 2.0, None)
    assert found.coefficients == ((1, 1.0), (0, -1.0))


def test_what_speaks_against_a_class_has_the_probability_of_the_others():
    (found,) = described(scores_of([1.0, 3.0]), [[]], Head("softmax", 2), ("cat", "dog"), given=[Contrast(None, 0)])

    assert (found.label, found.score) == ("not cat", -1.0)
    assert found.probability == pytest.approx(1 / (1 + math.exp(-2)))


def test_against_the_positive_class_of_one_sigmoid_is_its_negated_logit():
    (found,) = described(scores_of([-1.5, 1.5]), [[]], Head("binary", 2), given=[Contrast(None, 1)])

    assert found.coefficients == ((1, -1.0),)
    assert found.score == -1.5


@pytest.mark.parametrize(("score", "said"), [(20.0, True), (2.0, False)])
def test_a_saturated_probability_is_noted(score, said):
    found, _ = described(scores_of([score, 0.0]), [[0, 1]], Head("softmax", 2))

    assert bool(found.notes) is said
    assert not said or "saturated at 100%; the map explains the logit" in found.notes[0]


def test_a_saturated_probability_that_is_explained_itself_says_to_use_the_logit():
    (found,) = described(scores_of([1.0, 0.0]), [[0]], Head("softmax", 2, "probability"))

    assert "its gradient all but vanishes, so explain the logit instead" in found.notes[0]


def test_the_class_of_a_map_says_how_much_of_it_is_covered():
    some, none = described(scores_of([1.0, 2.0]), [[0, 1]], Head("softmax", 2, size=(2, 2)), areas=[[0.25, 0.0]])

    assert some.notes == ("predicted on 25.0% of the output",)
    assert none.notes == ("predicted nowhere: the score is the mean over the whole output",)
