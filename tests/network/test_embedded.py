"""The embedded model is the real one: known pictures, known classes, and maps that look where the thing is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

import xcnn
from xcnn.network import zoo

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def network():
    return xcnn.open_network("efficientnet-lite0")


@pytest.mark.parametrize(
    ("picture", "index", "label", "probability"),
    [
        ("chelsea", 285, "Egyptian cat", 0.78),
        ("coffee", 967, "espresso", 0.90),
        ("camera", 872, "tripod", 0.95),
    ],
)
def test_known_pictures_get_their_known_classes(network, picture, index, label, probability):
    run = xcnn.explain(network, getattr(skimage.data, picture)())

    target = run.results[0].target
    assert (target.index, target.label) == (index, label)
    assert target.probability == pytest.approx(probability, abs=0.01)


def test_the_maps_of_a_cat_beside_a_cup_lie_in_the_half_of_each(network):
    halves = [
        cv2.resize(picture(), (112, 224), interpolation=cv2.INTER_AREA)
        for picture in (skimage.data.chelsea, skimage.data.coffee)
    ]

    for order in (1, -1):
        both = np.hstack(halves[::order])
        cat, cup = (result.panels[0].values for result in xcnn.explain(network, both, target=[285, 967]).results)
        left = [
            cv2.resize(values, (224, 224))[:, :112].sum() / cv2.resize(values, (224, 224)).sum()
            for values in (cat, cup)
        ]
        in_cats_half, in_cups_half = (left[0], 1 - left[1]) if order == 1 else (1 - left[0], left[1])
        assert in_cats_half >= 0.7
        assert in_cups_half >= 0.7


def test_its_thousand_classes_have_names():
    labels = zoo.imagenet_labels()

    assert len(labels) == 1000
    assert (labels[285], labels[386], labels[967], labels[872]) == (
        "Egyptian cat",
        "African elephant",
        "espresso",
        "tripod",
    )
    assert all(label.strip() == label and label for label in labels)


def test_its_file_is_an_ordinary_keras_file_of_float32_weights(network):
    assert {weight.dtype for weight in network.model.weights} == {"float32"}
    assert network.default_layer().value == "top_act"
    assert network.notes == ()
