"""Guided Grad-CAM: the product of two maps that have tests of their own."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeNetwork, pictures

import xcnn
from xcnn import GradCAM, GuidedGradCAM, maths
from xcnn.errors import MisfitError, OptionError
from xcnn.plugin import Rectifiers

RNG = np.random.default_rng(0)


class RuledNetwork(FakeNetwork):
    """Gives each rule its own gradients."""

    def __init__(self, features, gradients, guided):
        super().__init__(features, gradients)
        self.ruled = {"guided": np.asarray(guided, np.float32)}

    def input_gradients(self, batch, rule="plain"):
        self.predict(batch)
        return self.ruled[rule]


def explained(explainer, network, *shapes, wanted=("top",)):
    batch = network.batch(pictures(*(shapes or [network.input_size])), list(wanted), np.random.default_rng(0))
    return batch, explainer.explain(network, batch)


def random_network():
    features, gradients = RNG.normal(size=(2, 1, 2, 2, 3))
    return RuledNetwork(features, gradients, RNG.normal(size=(1, 4, 4, 3)))


def test_it_is_the_guided_gradient_of_each_channel_times_the_enlarged_map_then_reduced():
    network = random_network()

    for reduce in ("max", "mean", "l2", "signed"):
        _, ((panel,),) = explained(GuidedGradCAM(enlarge="nearest", reduce=reduce), network)
        _, ((regions,),) = explained(GradCAM(), network)
        products = np.zeros((4, 4, 3))
        for y, x, c in np.ndindex(4, 4, 3):
            products[y, x, c] = network.ruled["guided"][0, y, x, c] * regions.values[y // 2, x // 2]
        by_hand = {
            "max": np.abs(products).max(axis=-1),
            "mean": np.abs(products).mean(axis=-1),
            "l2": np.sqrt((products**2).sum(axis=-1)),
            "signed": products.sum(axis=-1),
        }
        np.testing.assert_allclose(panel.values, by_hand[reduce], atol=1e-6)
        assert panel.sign == ("signed" if reduce == "signed" else "positive")


def test_the_map_grows_bilinearly_unless_told_otherwise():
    network = random_network()

    _, ((panel,),) = explained(GuidedGradCAM(reduce="signed"), network)
    _, ((regions,),) = explained(GradCAM(), network)

    large = maths.enlarged(regions.values[None], (4, 4))[0]
    expected = (network.ruled["guided"][0] * large[..., None]).sum(axis=-1)
    np.testing.assert_allclose(panel.values, expected, atol=1e-6)
    assert (panel.layer, panel.fine) == ("conv", True)


def test_where_no_region_raises_the_score_it_is_zero():
    network = RuledNetwork(np.ones((1, 2, 2, 1)), -np.ones((1, 2, 2, 1)), np.ones((1, 4, 4, 3)))

    _, ((panel,),) = explained(GuidedGradCAM(), network)

    assert (panel.values == 0).all()


def test_a_network_without_rectifiers_does_not_fit():
    network = random_network()
    network.rectifiers = lambda: Rectifiers(0, {"swish": 2})
    fitting = random_network()
    fitting.rectifiers = lambda: Rectifiers(1, {"swish": 2})

    assert GuidedGradCAM().fits(fitting) is None
    assert "swish" in GuidedGradCAM().fits(network)


def test_other_words_are_refused():
    with pytest.raises(OptionError, match="--enlarge is 'bicubic'"):
        GuidedGradCAM(enlarge="bicubic")
    with pytest.raises(OptionError, match="--reduce is 'sum'"):
        GuidedGradCAM(reduce="sum")


def one_conv(**options):
    """The net of the golden values on its picture."""
    import nets

    network = xcnn.open_network(nets.one_conv(), preprocess="none")
    pixels = np.repeat(np.arange(16, dtype=np.uint8).reshape(4, 4, 1), 3, axis=2)
    batch = network.batch([pixels], ["0"], np.random.default_rng(0))
    return GuidedGradCAM(**options).explain(network, batch)


@pytest.mark.keras
def test_the_golden_values_of_the_small_net_hold():
    (panels,) = one_conv(layer="relu", enlarge="nearest", reduce="signed")

    expected = [[0, 0, 4, 4], [0, 0, 12, 8], [28, 84, 97.5, 65], [28, 56, 65, 32.5]]
    np.testing.assert_allclose(panels[0].values, expected, atol=1e-6)


@pytest.mark.keras
def test_several_layers_stand_side_by_side():
    (panels,) = one_conv(layer="relu,conv")

    assert [panel.layer for panel in panels] == ["relu", "conv"]
    assert (panels[0].values != panels[1].values).any()


@pytest.mark.keras
@pytest.mark.parametrize("twin", ["nested", "doubly_nested", "subclassed"])
def test_twins_in_other_shapes_have_the_same_maps(twin):
    import nets

    flat, other = (xcnn.open_network(build(), preprocess="unit") for build in (nets.flat, getattr(nets, twin)))

    _, one = explained(GuidedGradCAM(), flat, (24, 24), (24, 24), wanted=["top2"])
    _, two = explained(GuidedGradCAM(), other, (24, 24), (24, 24), wanted=["top2"])

    for (first,), (second,) in zip(one, two, strict=True):
        np.testing.assert_allclose(second.values, first.values, atol=1e-6 * abs(first.values).max())


@pytest.mark.keras
def test_a_model_of_swishes_is_a_misfit():
    import keras

    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(2, 3, activation="swish"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    network = xcnn.open_network(model, preprocess="unit")

    assert "swish" in GuidedGradCAM().fits(network)
    with pytest.raises(MisfitError, match="swish"):
        explained(GuidedGradCAM(), network)
