"""Which networks it explains, and what it says of the others."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
from nets import L

import xcnn
from xcnn.errors import MisfitError
from xcnn_lrp import LRP


def around(*layers, head="softmax"):
    """A convolution, some layers, and a dense one."""
    keras.utils.set_random_seed(3)
    ends = [L.Conv2D(4, 3, activation="relu", name="conv")], [L.Flatten(), L.Dense(3, activation=head, name="scores")]
    return keras.Sequential([keras.Input((8, 8, 3)), *ends[0], *layers, *ends[1]])


def gated():
    """Squeeze and excitation, as in EfficientNet."""
    pixels = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3, activation="swish")(pixels)
    gate = L.Conv2D(4, 1, activation="sigmoid")(L.Reshape((1, 1, 4))(L.GlobalAveragePooling2D()(x)))
    return keras.Model(pixels, L.Dense(3)(L.GlobalAveragePooling2D()(L.Multiply()([x, gate]))))


FITTING = {
    "swish": lambda: around(L.Activation("swish")),
    "hard swish": lambda: around(L.Activation("hard_silu")),
    "a gate": gated,
    "PReLU": lambda: around(L.PReLU()),
    "leaky ReLU": lambda: around(L.LeakyReLU()),
    "a ReLU with a limit and a slope": lambda: around(L.ReLU(max_value=1, negative_slope=0.1)),
    "ELU": lambda: around(L.ELU()),
    "normalisation before a ReLU": lambda: around(L.BatchNormalization(), L.ReLU()),
    "global maximum": lambda: around(L.GlobalMaxPooling2D()),
    "a transposed convolution": lambda: around(L.Conv2DTranspose(3, 3, strides=2)),
    "a separable convolution": lambda: around(L.SeparableConv2D(3, 3, dilation_rate=2)),
    "enlarging": lambda: around(L.UpSampling2D(interpolation="bilinear")),
    "a dense layer on maps": lambda: around(L.Dense(5, activation="relu")),
    "pixels enlarged by the network": lambda: keras.Sequential(
        [keras.Input((8, 8, 3)), L.Resizing(12, 12), L.Conv2D(3, 3), L.GlobalAveragePooling2D()]
    ),
}


@pytest.mark.parametrize("rule", ["composite", "zplus"])
@pytest.mark.parametrize("kind", FITTING)
def test_a_network_of_this_kind_is_explained(kind, rule):
    network = xcnn.open_network(FITTING[kind](), preprocess="unit")
    explainer = LRP(rule=rule)
    assert explainer.fits(network) is None

    run = xcnn.explain(network, nets.pictures(), explainer, target="top")

    for result in run.results:
        values = result.panels[0].values
        assert np.isfinite(values).all()
        assert np.abs(values).max() > 0


@pytest.mark.parametrize(
    "kind",
    ["hard swish", "a gate", "ELU", "global maximum", "a separable convolution", "pixels enlarged by the network"],
)
def test_zplus_conserves_relevance_through(kind):
    network = xcnn.open_network(FITTING[kind](), preprocess="unit")

    run = xcnn.explain(network, nets.pictures(), LRP(rule="zplus"), target="top")

    for result in run.results:
        assert result.panels[0].values.sum() == pytest.approx(result.target.score, rel=2e-3)


REFUSED = {
    "layer normalisation": (lambda: around(L.LayerNormalization(name="norm")), " at norm"),
    "a softmax inside": (lambda: around(L.Softmax(name="soft")), "has no word for Softmax at soft"),
    "a product of two maps": (lambda: around(Squared(name="square")), "has no word for Mul at square"),
    "a loop": (lambda: around(Loop(name="loop")), "has no word for"),
}


class Squared(L.Layer):
    def call(self, x):
        return x * keras.ops.relu(x - 0.1)


class Loop(L.Layer):
    def call(self, x):
        import tensorflow as tf

        return tf.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, tf.nn.relu(y) - 0.1), [0, x])[1]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_network_with_an_op_that_shares_nothing_out_is_refused_by_name(kind):
    build, words = REFUSED[kind]
    network = xcnn.open_network(build(), preprocess="unit")

    reason = LRP().fits(network)

    assert reason.startswith("rule lrp-composite has no word for")
    assert words in reason
    with pytest.raises(MisfitError, match=r"rule lrp-composite has no word for") as caught:
        xcnn.explain(network, nets.pictures(), LRP(), target="top")
    assert caught.value.exit_code == 2


def test_probabilities_are_refused_because_relevance_is_of_logits():
    network = xcnn.open_network(around(), preprocess="unit", on="probability")

    assert LRP().fits(network) == "rule lrp-composite shares out logits, not probabilities"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "VGG16",
        "ResNet50",
        "MobileNet",
        "MobileNetV2",
        "MobileNetV3Small",
        "EfficientNetB0",
        "DenseNet121",
        "InceptionV3",
    ],
)
def test_zplus_conserves_relevance_through_a_classifier_of_keras(name):
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(weights=None, classifier_activation=None)
    batch, found = nets.relevance(model, "zplus", photos=nets.pictures(1, 224), targets=["top"])

    assert found.sum() == pytest.approx(batch.targets[0].score, rel=0.02)


@pytest.mark.slow
def test_convnext_is_refused_because_of_its_layer_normalisation():
    network = xcnn.open_network(keras.applications.ConvNeXtTiny(weights=None), preprocess="none")

    assert "has no word for" in LRP().fits(network)
