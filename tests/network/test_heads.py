"""Heads: probabilities from scores, and what a score is called."""

import math

import numpy as np
import pytest

from xcnn.network.heads import Head


def scores_of(*rows):
    return np.array(rows, np.float32)


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


def test_a_head_on_probabilities_says_so_and_needs_no_conversion():
    head = Head("softmax", 2, "probability")

    assert head.score == "probability (after the softmax)"
    assert head.probabilities(scores_of([0.25, 0.75])).tolist() == [[0.25, 0.75]]


def test_a_head_of_maps_has_no_probability_per_image():
    head = Head("sigmoid", 2, size=(4, 4))

    assert head.score == "mean over the predicted area of: logit (before the sigmoid)"
    assert head.probabilities(scores_of([0.0, 1.0])) is None
