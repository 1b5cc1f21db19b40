"""What every explainer owes on every kind of model, and on three more kinds that these methods could trip over."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest

import xcnn
import xcnn_cams
from xcnn.testing import parametrize_with_checks, pictures
from xcnn.testing.nets import segmentation

KINDS = [getattr(xcnn_cams, name) for name in xcnn_cams.__all__]
every = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@parametrize_with_checks(KINDS)
def test_an_explainer_keeps_its_contract(check):
    check()


def found(opened, explainer, **settings):
    run = xcnn.explain(opened, pictures(), explainer, target="0", **settings)
    assert not run.failures
    return [result.panels[0].values for result in run.results]


@every
def test_a_silent_layer_makes_a_map_of_nothing(kind):
    model = nets.pooled()
    model.get_layer("last").bias.assign([-1000.0] * 5)

    for values in found(xcnn.open_network(model, preprocess="unit"), kind()):
        np.testing.assert_array_equal(values, np.zeros_like(values))


@every
def test_a_place_of_a_segmentation_can_be_explained(kind):
    opened = xcnn.open_network(segmentation(), preprocess="unit", at="3,4")

    assert all(np.isfinite(values).all() for values in found(opened, kind(layer="fine")))


@every
def test_a_network_without_a_map_is_refused_in_words(kind):
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3, name="scores")])

    assert "map" in kind().fits(xcnn.open_network(model, preprocess="unit"))
