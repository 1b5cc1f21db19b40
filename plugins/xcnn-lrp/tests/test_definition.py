"""The rules against themselves done slowly, one connection at a time."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
import slow
from nets import L, agree, relevance

EPSILON = {"epsilon": 0.1}
NUMBERS = {
    "epsilon": ({"epsilon": 0.1}, {"epsilon": 0.1}, None),
    "gamma": ({"favoured": 0.4}, {"favoured": 0.4}, None),
    "zplus": ({"whole": 0.0, "favoured": 1.0}, {"whole": 0.0, "favoured": 1.0}, None),
    "composite": ({"favoured": 0.4}, {"epsilon": 0.1}, (0.0, 1.0)),
}
"""What convolutions and dense layers share by, and the bounds of the first layer."""


def by_hand(model, x, index, *, rule):
    """Relevance of one picture (h, w, c) for the score of one class of `nets.vgg`."""
    convolutions, denses, bounds = NUMBERS[rule]
    conv1, conv2, fc, scores = (
        [weight.numpy().astype(float) for weight in model.get_layer(name).weights]
        for name in ("conv1", "conv2", "fc", "scores")
    )
    first = np.maximum(slow.convolved(x, *conv1), 0)
    small = slow.pooled(first)
    second = np.maximum(slow.convolved(small, *conv2), 0)
    hidden = np.maximum(second.ravel() @ fc[0] + fc[1], 0)
    logits = hidden @ scores[0] + scores[1]
    at_scores = np.where(np.arange(len(logits)) == index, logits, 0)
    at_hidden = slow.dense(hidden, *scores, at_scores, **denses)
    at_second = slow.dense(second.ravel(), *fc, at_hidden, **denses).reshape(second.shape)
    at_small = slow.convolution(small, *conv2, at_second, **convolutions)
    at_first = slow.pooling(first, at_small)
    return logits[index], slow.convolution(x, *conv1, at_first, bounds=bounds, **({} if bounds else convolutions))


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("name", NUMBERS)
def test_relevance_is_what_the_rule_says_of_each_connection(name, index):
    model = nets.vgg()

    batch, found = relevance(model, name, targets=[str(index)], epsilon=0.1, gamma=0.4)

    for x, row, target in zip(batch.inputs.astype(float), found, batch.targets, strict=True):
        score, wanted = by_hand(model, x, index, rule=name)
        assert target.score == pytest.approx(score, rel=1e-5)
        agree(row, wanted, 1e-4)


@pytest.mark.parametrize("name", ["epsilon", "gamma", "zplus"])
@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_batch_normalisation_is_part_of_the_layer_before_it(name, activation):
    """As if its scale and offset had been multiplied into the weights; with a ReLU behind it and without."""

    def chain(*layers):
        return keras.Sequential(
            [keras.Input((nets.SIZE, nets.SIZE, 3)), *layers, L.Flatten(), L.Dense(3, name="scores")]
        )

    apart = nets.weighted(chain(L.Conv2D(4, 3, name="conv"), L.BatchNormalization(name="bn"), L.Activation(activation)))
    merged = nets.weighted(chain(L.Conv2D(4, 3, name="conv"), L.Activation(activation)))
    gamma, beta, mean, variance = (weight.numpy() for weight in apart.get_layer("bn").weights)
    scale = gamma / np.sqrt(variance + apart.get_layer("bn").epsilon)
    kernel, bias = apart.get_layer("conv").get_weights()
    merged.get_layer("conv").set_weights([kernel * scale, (bias - mean) * scale + beta])
    merged.get_layer("scores").set_weights(apart.get_layer("scores").get_weights())

    agree(relevance(apart, name)[1], relevance(merged, name)[1], 1e-4)


@pytest.mark.parametrize(("name", "numbers", "more"), [
    ("epsilon", {"epsilon": 0.1}, {}),
    ("gamma", {"favoured": 0.4}, {"gamma": 0.4}),
    ("zplus", {"whole": 0.0, "favoured": 1.0}, {}),
])  # fmt: skip
def test_a_sum_of_branches_hands_each_its_share(name, numbers, more):
    """y = a x + b x for numbers a, b per channel: two depthwise convolutions of one pixel, then a dense layer."""
    pixels = keras.Input((1, 1, 3))
    branches = [L.DepthwiseConv2D(1, use_bias=False, name=side)(pixels) for side in ("left", "right")]
    model = keras.Model(pixels, L.Dense(2, name="scores")(L.Flatten()(L.Add()(branches))))
    nets.weighted(model, 4)
    if numbers.get("epsilon"):
        more = {"epsilon": 0.1}

    batch, found = relevance(model, name, photos=nets.pictures(2, 1), targets=["1"], **more)

    left, right = (model.get_layer(side).weights[0].numpy().ravel().astype(float) for side in ("left", "right"))
    for x, row in zip(batch.inputs.astype(float).reshape(2, 3), found, strict=True):
        total = (left + right) * x
        kernel, bias = (weight.numpy().astype(float) for weight in model.get_layer("scores").weights)
        logits = total @ kernel + bias
        at_total = slow.dense(total, kernel, bias, [0, logits[1]], **numbers)
        stabiliser = numbers.get("epsilon", 0) * slow.rms(total)
        rest = {key: value for key, value in numbers.items() if key != "epsilon"}
        wanted = np.zeros(3)
        for j in range(3):
            shares = slow.shared(
                [left[j] * x[j], right[j] * x[j]], total[j], at_total[j], stabiliser=stabiliser, **rest
            )
            for branch, share in zip((left, right), shares, strict=True):
                lone = numbers.get("epsilon", 0) * slow.rms(branch * x)
                wanted[j] += slow.shared([branch[j] * x[j]], branch[j] * x[j], share, stabiliser=lone, **rest)[0]
        agree(row.ravel(), wanted, 1e-4)
