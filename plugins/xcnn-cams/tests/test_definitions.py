"""Each method against its formula, done slowly: one channel and one place at a time."""

from __future__ import annotations

import math

import nets
import numpy as np
import pytest

import xcnn
from xcnn_cams import AblationCAM, EigenCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM

TARGET = 1
NETS = {"pooled": nets.pooled, "flattened": nets.flattened}
everywhere = pytest.mark.parametrize(
    ("name", "layer"), [("pooled", "last"), ("pooled", "first"), ("flattened", "last"), ("flattened", "first")]
)


def explained(model, explainer):
    """The map of one picture."""
    network = xcnn.open_network(model, preprocess="unit")
    run = xcnn.explain(network, nets.photo(), explainer, target=str(TARGET))
    return run.results[0].panels[0].values


def parts(model, layer):
    return nets.features_and_gradients(model, layer, nets.inputs_of(nets.photo()), TARGET)


def summed(features, weights):
    """relu(sum over k of w_k A_k)."""
    height, width, channels = features.shape
    found = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            found[y, x] = max(0.0, sum(weights[k] * features[y, x, k] for k in range(channels)))
    return found


def assert_same(got, wanted):
    assert wanted.any()
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


@everywhere
def test_gradcampp_is_equations_7_and_19(name, layer):
    model = NETS[name]()
    features, g = parts(model, layer)
    height, width, channels = features.shape
    weights = [0.0] * channels
    for k in range(channels):
        total = sum(features[y, x, k] for y in range(height) for x in range(width))
        for y in range(height):
            for x in range(width):
                if g[y, x, k] != 0:
                    alpha = g[y, x, k] ** 2 / (2 * g[y, x, k] ** 2 + total * g[y, x, k] ** 3)
                    weights[k] += alpha * max(0.0, g[y, x, k])

    assert_same(explained(model, GradCAMPlusPlus(layer=layer)), summed(features, weights))


@everywhere
def test_layercam_weighs_each_activation_by_its_positive_gradient(name, layer):
    model = NETS[name]()
    features, g = parts(model, layer)
    height, width, channels = features.shape
    wanted = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            wanted[y, x] = max(0.0, sum(max(0.0, g[y, x, k]) * features[y, x, k] for k in range(channels)))

    assert_same(explained(model, LayerCAM(layer=layer)), wanted)


@everywhere
def test_hirescam_multiplies_each_activation_by_its_gradient(name, layer):
    model = NETS[name]()
    features, g = parts(model, layer)
    height, width, channels = features.shape
    wanted = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            wanted[y, x] = sum(g[y, x, k] * features[y, x, k] for k in range(channels))

    assert wanted.min() < 0
    assert_same(explained(model, HiResCAM(layer=layer)), wanted)


@everywhere
def test_xgradcam_averages_gradients_by_the_activations(name, layer):
    model = NETS[name]()
    features, g = parts(model, layer)
    height, width, channels = features.shape
    weights = [0.0] * channels
    for k in range(channels):
        total = sum(features[y, x, k] for y in range(height) for x in range(width))
        for y in range(height):
            for x in range(width):
                weights[k] += features[y, x, k] / total * g[y, x, k] if total else 0

    assert_same(explained(model, XGradCAM(layer=layer)), summed(features, weights))


@pytest.mark.parametrize("centre", [False, True])
@everywhere
def test_eigencam_projects_on_the_first_singular_vector(name, layer, centre):
    model = NETS[name]()
    features, _ = parts(model, layer)
    rows = features.reshape(-1, features.shape[2])
    values = rows - rows.mean(axis=0) if centre else rows
    projected = values @ np.linalg.svd(values)[2][0]
    if projected @ np.abs(rows).sum(axis=1) < 0:
        projected = -projected

    got = explained(model, EigenCAM(layer=layer, centre=centre))

    assert_same(got, np.maximum(projected, 0).reshape(features.shape[:2]))


def enlarged(small, size, *, corners):
    """One pixel at a time, between the middles of cells or between the corners."""
    found = np.zeros(size)
    for y in range(size[0]):
        for x in range(size[1]):
            places = []
            for at, old, new in zip((y, x), small.shape, size, strict=True):
                place = at * (old - 1) / (new - 1) if corners else (at + 0.5) * old / new - 0.5
                place = min(max(place, 0), old - 1)
                before = min(math.floor(place), old - 2)
                places.append((before, place - before))
            (top, down), (left, right) = places
            upper = small[top, left] * (1 - right) + small[top, left + 1] * right
            lower = small[top + 1, left] * (1 - right) + small[top + 1, left + 1] * right
            found[y, x] = upper * (1 - down) + lower * down
    return found


def score_of_masked(model, mask):
    """The target's score of the picture times a mask."""
    masked = nets.inputs_of(nets.photo()) * mask[np.newaxis, :, :, np.newaxis]
    return nets.scores(model, masked.astype(np.float32))[0, TARGET]


def softmax(values):
    return np.exp(values) / np.exp(values).sum()


@pytest.mark.parametrize("enlarge", ["bilinear", "corners"])
@everywhere
def test_scorecam_is_algorithm_1(name, layer, enlarge):
    model = NETS[name]()
    features, _ = parts(model, layer)
    nothing = nets.scores(model, nets.inputs_of(nets.photo()) * 0)[0, TARGET]
    increases = []
    for k in range(features.shape[2]):
        mask = enlarged(features[:, :, k], nets.SIZE, corners=enlarge == "corners")
        spread = mask.max() - mask.min()
        mask = (mask - mask.min()) / spread if spread else mask * 0
        increases.append(score_of_masked(model, mask) - nothing)

    got = explained(model, ScoreCAM(layer=layer, top_channels=0, enlarge=enlarge))

    assert_same(got, summed(features, softmax(np.array(increases))))


@everywhere
def test_ablationcam_weighs_channels_by_the_drop_without_them(name, layer):
    model = NETS[name]()
    features, _ = parts(model, layer)
    score = nets.scores_from(model, layer, features[np.newaxis])[0, TARGET]
    drops = []
    for k in range(features.shape[2]):
        without = features.copy()
        without[:, :, k] = 0
        drops.append(score - nets.scores_from(model, layer, without[np.newaxis])[0, TARGET])

    got = explained(model, AblationCAM(layer=layer))

    assert score > 0
    assert_same(got / score, summed(features, np.array(drops) / score))
