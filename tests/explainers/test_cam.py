"""Class activation maps against equation 2 and the head's own weights."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeNetwork, pictures

import xcnn
from xcnn import CAM, GradCAM
from xcnn.errors import MisfitError, OptionError

RNG = np.random.default_rng(0)


class PooledNetwork(FakeNetwork):
    """A network whose maps are averaged."""

    def pooled(self):
        return ("conv",)


class FlattenedNetwork(FakeNetwork):
    """A network with another head."""

    def pooled(self):
        raise MisfitError("the head is flattened maps, not global average pooling")


def explained(explainer, network, *shapes, wanted=("top",)):
    batch = network.batch(pictures(*(shapes or [network.input_size])), list(wanted), np.random.default_rng(0))
    return batch, explainer.explain(network, batch)


def equation_2(features, weights):
    """One position and channel at a time."""
    height, width, channels = features.shape
    values = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            for k in range(channels):
                values[y, x] += float(weights[k]) * float(features[y, x, k])
    return values


def test_it_is_equation_2_signed_and_not_divided_by_the_positions():
    features, weights = RNG.normal(size=(1, 3, 2, 4)), RNG.normal(size=4)
    network = PooledNetwork(features, np.broadcast_to(weights / 6, features.shape))

    _, ((panel,),) = explained(CAM(), network)

    np.testing.assert_allclose(panel.values, equation_2(features[0], weights), atol=1e-5)
    assert (panel.values < 0).any()
    assert (panel.sign, panel.unit, panel.layer, panel.fine, panel.threshold) == ("signed", "score", "conv", False, 0)


def test_the_note_takes_the_score_apart():
    network = PooledNetwork(np.full((1, 2, 2, 1), 3), np.full((1, 2, 2, 1), 0.5))

    batch, ((panel,),) = explained(CAM(), network)

    score = batch.targets[0].score
    assert panel.notes == (
        f"the score {score:.4g} is the mean of the map, 6, and {score - 6:.4g} that the head adds by itself",
    )


def test_gradients_that_differ_between_positions_are_a_misfit():
    gradients = np.ones((1, 2, 2, 1))
    gradients[0, 0, 0, 0] = 2

    with pytest.raises(MisfitError, match="gradients differ between positions") as caught:
        explained(CAM(), PooledNetwork(np.ones((1, 2, 2, 1)), gradients))

    assert caught.value.hint == "use gradcam instead"


def test_another_head_does_not_fit_and_is_named():
    assert CAM().fits(PooledNetwork()) is None
    assert CAM().fits(FlattenedNetwork()) == "the head is flattened maps, not global average pooling"
    with pytest.raises(MisfitError, match="flattened maps"):
        explained(CAM(), FlattenedNetwork())


def test_it_looks_at_the_maps_that_are_averaged():
    assert CAM().picks(PooledNetwork()).value == "conv"


def test_the_threshold_is_for_the_picture_alone():
    network = PooledNetwork(RNG.normal(size=(1, 3, 2, 4)))

    _, ((bare,),) = explained(CAM(), network)
    _, ((blanked,),) = explained(CAM(threshold=0.2), network)

    assert blanked.threshold == 0.2
    np.testing.assert_array_equal(blanked.values, bare.values)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_is_a_fraction(threshold):
    with pytest.raises(OptionError, match=r"--threshold is .*; it must be in 0\.\.1"):
        CAM(threshold=threshold)


def heads():
    """Heads on the maps of a body: what follows, and the weights and bias that it amounts to."""
    import keras
    import nets

    gap = keras.layers.GlobalAveragePooling2D
    norm = keras.layers.BatchNormalization(name="norm")
    norm.build((None, 8))
    norm.set_weights([RNG.uniform(0.5, 2, 8), *RNG.normal(size=(2, 8)), RNG.uniform(0.5, 2, 8)])
    gamma, beta, mean, variance = norm.get_weights()
    slope = gamma / np.sqrt(variance + norm.epsilon)
    _, dense = nets.head()
    weights, bias = dense.get_weights()
    return {
        "plain": ([gap(), dense], weights, bias),
        "dropout": ([gap(), keras.layers.Dropout(0.5), dense], weights, bias),
        "flatten": ([gap(keepdims=True), keras.layers.Flatten(), dense], weights, bias),
        "norm": ([gap(), norm, dense], slope[:, None] * weights, bias + (beta - slope * mean) @ weights),
        "softmax": ([gap(), keras.layers.Softmax()], np.eye(8), np.zeros(8)),
    }


@pytest.mark.keras
@pytest.mark.parametrize("kind", ["plain", "dropout", "flatten", "norm", "softmax"])
def test_it_is_the_sum_of_the_maps_by_the_weights_of_the_head(kind):
    import keras
    import nets

    layers, weights, bias = heads()[kind]
    base = nets.body()
    x = base.output
    for layer in layers:
        x = layer(x)
    network = xcnn.open_network(keras.Model(base.input, x), preprocess="unit")

    batch, rows = explained(CAM(), network, (24, 24), (24, 24), wanted=["top2", "1"])

    features = base.predict(batch.inputs, verbose=0)
    assert len(rows) == 6
    for row, (target, (panel,)) in enumerate(zip(batch.targets, rows, strict=True)):
        expected = equation_2(features[row // 3], weights[:, target.index])
        np.testing.assert_allclose(panel.values, expected, atol=1e-5 * abs(expected).max())
        assert panel.layer == "act2"
        assert panel.values.mean(dtype=float) + bias[target.index] == pytest.approx(target.score, abs=1e-5)


@pytest.mark.keras
@pytest.mark.parametrize("twin", ["nested", "doubly_nested", "subclassed"])
def test_twins_in_other_shapes_have_the_same_maps(twin):
    import nets

    flat, other = (xcnn.open_network(build(), preprocess="unit") for build in (nets.flat, getattr(nets, twin)))

    (_, ((one,),)), (_, ((two,),)) = explained(CAM(), flat), explained(CAM(), other)

    assert two.layer.rpartition("/")[2] == "act2"
    np.testing.assert_allclose(two.values, one.values, atol=1e-6 * abs(one.values).max())


@pytest.mark.keras
def test_a_single_sigmoid_has_a_map_for_each_class_and_they_are_opposites():
    import nets

    model = nets.flat("sigmoid", 1)
    network = xcnn.open_network(model, preprocess="unit")

    batch, ((zero,), (one,)) = explained(CAM(), network, wanted=["0", "1"])

    features = nets.body().predict(batch.inputs, verbose=0)[0]
    kernel, bias = model.get_layer("predictions").get_weights()
    np.testing.assert_allclose(one.values, equation_2(features, kernel[:, 0]), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(zero.values, -one.values)
    assert one.values.mean(dtype=float) + bias[0] == pytest.approx(batch.targets[1].score, abs=1e-5)


@pytest.mark.keras
def test_two_bases_side_by_side_have_a_map_each_and_their_means_add_up():
    import nets

    bases = [nets.body("left", seed=1), nets.body("right", seed=2)]
    network, dense = side_by_side([(base, base.output) for base in bases])

    batch, ((total, *panels),) = explained(CAM(), network)

    kernel, bias = dense.get_weights()
    target = batch.targets[0]
    by_base = {panel.layer.partition("/")[0]: panel for panel in panels}
    assert by_base.keys() == {"left", "right"}
    for base, part in zip(bases, (kernel[:8], kernel[8:]), strict=True):
        panel, features = by_base[base.name], base.predict(batch.inputs, verbose=0)[0]
        np.testing.assert_allclose(panel.values, equation_2(features, part[:, target.index]), rtol=1e-4, atol=1e-5)
        assert "mean of the maps" in panel.notes[0]
    means = sum(panel.values.mean(dtype=float) for panel in panels)
    assert means + bias[target.index] == pytest.approx(target.score, abs=1e-5)
    np.testing.assert_allclose(total.values, panels[0].values + panels[1].values, atol=1e-5)
    assert (total.layer, total.title, total.sign, total.unit) == ("", "sum of the maps", "signed", "score")


@pytest.mark.keras
def test_the_sum_over_bases_of_different_sizes_is_as_fine_as_the_finest_and_its_mean_is_the_score_without_the_bias():
    import nets

    coarse, fine = nets.body("coarse", seed=1), nets.body("fine", seed=2)
    early = [layer for layer in fine.layers if layer.output.shape[1] == 2 * coarse.output.shape[1]][-1]
    network, dense = side_by_side([(coarse, coarse.output), (fine, early.output)])

    batch, ((total, *panels),) = explained(CAM(threshold=0.2), network)

    by_base = {panel.layer.partition("/")[0]: panel.values for panel in panels}
    sizes = {name: values.shape for name, values in by_base.items()}
    assert total.values.shape == sizes["fine"] != sizes["coarse"]
    # Straight lines between the middles of the coarse cells: a quarter and three quarters of the way.
    for y, x in np.ndindex(total.values.shape):
        expected = float(by_base["fine"][y, x])
        for i, u in sides(y, sizes["coarse"][0]):
            for j, v in sides(x, sizes["coarse"][1]):
                expected += u * v * float(by_base["coarse"][i, j])
        assert total.values[y, x] == pytest.approx(expected, abs=1e-5)
    target = batch.targets[0]
    assert total.values.mean(dtype=float) + dense.get_weights()[1][target.index] == pytest.approx(
        target.score, abs=1e-4
    )
    assert total.threshold == 0.2


def side_by_side(parts):
    """A network whose head weighs the averages of several bases, and its dense layer."""
    import keras

    pixels = keras.Input((24, 24, 3))
    bodies = [keras.Model(base.input, maps, name=base.name) for base, maps in parts]
    pooled = [keras.layers.GlobalAveragePooling2D()(body(pixels)) for body in bodies]
    dense = keras.layers.Dense(4, activation="softmax", bias_initializer="random_normal")
    return xcnn.open_network(keras.Model(pixels, dense(keras.layers.Concatenate()(pooled))), preprocess="unit"), dense


def sides(place, cells):
    """The two cells of half the resolution that a place lies between, and how much each counts."""
    near, far = place // 2, min(max(place // 2 + (1 if place % 2 else -1), 0), cells - 1)
    return (near, 0.75), (far, 0.25)


@pytest.mark.keras
def test_gradcam_is_its_positive_part_over_the_number_of_positions():
    import nets

    network = xcnn.open_network(nets.flat(), preprocess="unit")

    _, rows = explained(CAM(), network, (24, 24), wanted=["top2"])
    _, others = explained(GradCAM(), network, (24, 24), wanted=["top2"])

    for (cam,), (gradcam,) in zip(rows, others, strict=True):
        np.testing.assert_allclose(
            gradcam.values, np.maximum(cam.values, 0) / cam.values.size, atol=1e-6 * gradcam.values.max()
        )


@pytest.mark.keras
def test_a_head_of_flattened_maps_does_not_fit():
    import nets

    network = xcnn.open_network(nets.mnist(), preprocess="unit")

    assert "flattened" in CAM().fits(network)
    with pytest.raises(MisfitError, match="flattened"):
        explained(CAM(), network)
