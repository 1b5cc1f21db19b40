"""What the methods have in common, where they are alike, and what their options do."""

from __future__ import annotations

import nets
import numpy as np
import pytest

import xcnn
from xcnn import GradCAM
from xcnn.errors import OptionError
from xcnn_cams import AblationCAM, EigenCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM
from xcnn_cams.eigencam import projection
from xcnn_cams.scorecam import masks

EVERY = (AblationCAM, EigenCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM)
every = pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)


def opened(model, **settings):
    return xcnn.open_network(model, **{"preprocess": "unit", **settings})


def panels(network, explainer, target="1", photos=None):
    """One tuple of panels per result."""
    run = xcnn.explain(network, nets.photo() if photos is None else photos, explainer, target=target)
    return [result.panels for result in run.results]


def values(network, explainer, target="1"):
    return panels(network, explainer, target)[0][0].values


def assert_same(got, wanted, atol=1e-5):
    assert np.any(wanted)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=atol * np.abs(wanted).max())


# --- all of them -----------------------------------------------------------------------------------------------------


@every
def test_several_layers_make_a_map_each_that_is_the_same_as_alone(kind):
    network = opened(nets.flattened())

    both = panels(network, kind(layer="first,last"))[0]
    alone = [panels(network, kind(layer=layer))[0][0] for layer in ("first", "last")]

    assert [panel.layer for panel in both] == ["first", "last"]
    for together, single in zip(both, alone, strict=True):
        assert_same(together.values, single.values)
        assert (together.sign, together.unit, together.notes) == (single.sign, single.unit, single.notes)


@every
def test_the_default_layer_is_the_last_with_a_map(kind):
    assert panels(opened(nets.pooled()), kind())[0][0].layer == "last"


@every
def test_several_targets_are_what_each_is_alone(kind):
    network = opened(nets.flattened())

    three = panels(network, kind(), target=["0", "1", "1 vs 2"])

    if not kind.per_target:
        assert len(three) == 1
        return
    assert len(three) == 3
    for found, target in zip(three, ("0", "1", "1 vs 2"), strict=True):
        np.testing.assert_allclose(found[0].values, values(network, kind(), target), rtol=0, atol=1e-5)


def test_the_linear_methods_of_a_contrast_are_differences():
    network = opened(nets.flattened())
    first, second, contrast = (values(network, HiResCAM(), target) for target in ("1", "2", "1 vs 2"))

    assert_same(contrast, first - second)


def test_unrectified_layers_get_a_note_where_the_formula_is_not_made_for_them():
    for kind in (GradCAMPlusPlus, XGradCAM):
        ((panel,),) = panels(opened(nets.flattened("swish")), kind())
        assert "below zero" in panel.notes[0]
        ((panel,),) = panels(opened(nets.flattened()), kind())
        assert panel.notes == ()


# --- the gradients ---------------------------------------------------------------------------------------------------


def test_before_pooling_and_one_linear_layer_three_methods_are_grad_cam():
    network = opened(nets.pooled())
    gradcam = values(network, GradCAM())

    assert_same(values(network, XGradCAM()), gradcam)
    assert_same(np.maximum(values(network, HiResCAM()), 0), gradcam)


@pytest.mark.parametrize("build", [nets.pooled, nets.linear])
def test_hirescam_before_one_linear_layer_sums_to_the_score_less_the_bias(build):
    model = build()
    score = nets.scores(model, nets.inputs_of(nets.photo()))[0, 1]
    bias = float(model.get_layer("scores").bias[1])

    ((panel,),) = panels(opened(model), HiResCAM())

    assert panel.values.sum() == pytest.approx(score - bias, rel=1e-4)
    assert panel.notes[0] == f"the map sums to {panel.values.sum(dtype=float):.4g}; the score is {score:.4g}"


def test_xgradcam_keeps_what_hirescam_finds_in_each_channel():
    """The axiom of conservation: before the ReLU both maps have one sum."""
    model = nets.flattened()
    features, gradients = nets.features_and_gradients(model, "last", nets.inputs_of(nets.photo()), 1)
    from xcnn_cams.xgradcam import XGradCAM

    total = (features @ XGradCAM().weights(features[np.newaxis], gradients[np.newaxis])[0]).sum()

    assert total == pytest.approx((features * gradients).sum(), rel=1e-9)


def test_channels_that_cancel_to_nothing_leave_the_map_finite():
    from xcnn_cams import gradcampp, xgradcam

    features = np.array([[[[1.0, 0.0, -1.0], [-1.0, 0.0, -1.0]]]])  # sums of 0, 0 and -2
    gradients = np.array([[[[1.0, 1.0, 1.0], [1.0, 1.0, 0.5]]]])  # 2 + sum(A) g is 0 once in the third

    np.testing.assert_array_equal(xgradcam.XGradCAM().weights(features, gradients), [[0, 0, 0.75]])
    np.testing.assert_array_equal(gradcampp.GradCAMPlusPlus().weights(features, gradients), [[1, 1, 0.5]])


# --- Eigen-CAM -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 4, 20), (6, 5, 4)])
def test_the_projection_of_a_rectified_layer_is_nowhere_below_zero(shape):
    features = np.maximum(np.random.default_rng(0).normal(size=shape), 0)

    assert projection(features).min() > -1e-12


@pytest.mark.parametrize("centre", [False, True])
def test_the_sign_of_the_projection_is_that_of_the_activity(centre):
    rng = np.random.default_rng(2)
    features = np.zeros((5, 6, 8))
    features[1:3, 2:4] = rng.uniform(1, 2, 8)
    features += rng.uniform(0, 0.1, features.shape)

    found = projection(features, centre=centre)

    assert found[1:3, 2:4].min() > 0
    assert np.unravel_index(found.argmax(), found.shape) in {(1, 2), (1, 3), (2, 2), (2, 3)}
    np.testing.assert_allclose(projection(-features, centre=centre), found, atol=1e-9)


def test_a_layer_that_is_as_active_everywhere_has_a_sign_too():
    features = np.array([[[-1.0], [1.0]]])

    np.testing.assert_allclose(projection(features), [[1, -1]])
    np.testing.assert_allclose(projection(-features), [[1, -1]])
    np.testing.assert_array_equal(projection(features * 0), [[0, 0]])


# --- Score-CAM -------------------------------------------------------------------------------------------------------


def test_fewer_channels_are_those_that_vary_most_and_the_note_says_so():
    model = nets.flattened()
    features, _ = nets.features_and_gradients(model, "last", nets.inputs_of(nets.photo()), 1)
    most = features.std(axis=(0, 1)).argmax()

    ((panel,),) = panels(opened(model), ScoreCAM(top_channels=1))

    # The softmax of one score is one.
    assert_same(panel.values, features[..., most])
    assert panel.notes == ("1 of 5 channels were tried, those whose maps vary most",)
    ((panel,),) = panels(opened(model), ScoreCAM())
    assert panel.notes == ("5 of 5 channels were tried",)


@pytest.mark.parametrize("kind", [ScoreCAM, AblationCAM])
def test_without_time_the_first_channels_are_tried_and_the_note_says_so(kind, monkeypatch):
    from xcnn_cams import trials

    monkeypatch.setattr(trials, "AT_A_TIME", 2)
    network = opened(nets.flattened())

    ((hurried,),) = panels(network, kind(budget=0))
    ((few,),) = panels(network, kind(top_channels=2))

    assert_same(hurried.values, few.values)
    assert hurried.notes[0] == f"2 of 5 channels were tried, those {kind.ranked}: no more within 0 s"
    ((whole,),) = panels(network, kind(budget="1h"))
    np.testing.assert_array_equal(whole.values, values(network, kind()))


def test_a_map_of_one_value_hides_the_whole_picture():
    shown = masks(np.stack([np.full((2, 2), 7.0), np.eye(2)], axis=-1), (4, 4))

    np.testing.assert_array_equal(shown[0], 0)
    assert (shown[1].min(), shown[1].max()) == (0, 1)
    assert shown.dtype == np.float32


def test_the_picture_can_fade_to_black_instead_of_to_zero():
    model = nets.flattened()
    network = opened(model, preprocess="tf")  # zero is middle gray
    features, _ = nets.features_and_gradients(model, "last", nets.inputs_of(nets.photo()) * 2 - 1, 1)
    shown = masks(features, nets.SIZE)
    scores = nets.scores(model, (nets.photo() * shown / 127.5 - 1).astype(np.float32))[:, 1]
    weights = np.exp(scores) / np.exp(scores).sum()

    black = values(network, ScoreCAM(fill="black"))

    assert_same(black, features @ weights)
    assert np.abs(black - values(network, ScoreCAM())).max() > 0.01 * black.max()
    assert_same(values(network, ScoreCAM(fill="gray")), values(network, ScoreCAM()))
    assert_same(values(network, ScoreCAM(fill="#000000")), black)


def test_a_fill_that_is_none_is_refused():
    with pytest.raises(OptionError, match="--fill is 'grey'") as caught:
        ScoreCAM(fill="grey")

    assert caught.value.hint.startswith("one of zero, mean,")


# --- Ablation-CAM ----------------------------------------------------------------------------------------------------


def test_the_map_keeps_its_direction_where_the_score_is_below_zero():
    model = nets.pooled()
    before = values(opened(model), AblationCAM())
    bias = model.get_layer("scores").bias
    bias.assign(np.asarray(bias) - 100)
    network = opened(model)

    run = xcnn.explain(network, nets.photo(), AblationCAM(), target="1")

    assert run.results[0].target.score < -50
    assert_same(run.results[0].panels[0].values, before, atol=1e-3)


def test_before_pooling_and_one_linear_layer_the_drop_is_the_part_of_the_score():
    """Each channel weighs its mean times the weight of the head."""
    model = nets.pooled()
    features, gradients = nets.features_and_gradients(model, "last", nets.inputs_of(nets.photo()), 1)
    parts = features.mean(axis=(0, 1)) * gradients.sum(axis=(0, 1))

    assert_same(values(opened(model), AblationCAM()), np.maximum(features @ parts, 0))


def test_the_cost_is_a_pass_for_each_channel():
    network = opened(nets.pooled())

    assert (ScoreCAM().cost(network), ScoreCAM(top_channels=2).cost(network)) == (5, 2)
    assert (AblationCAM().cost(network), AblationCAM(layer="last,first", top_channels=3).cost(network)) == (5, 6)
    assert EigenCAM().cost(network) == 1
