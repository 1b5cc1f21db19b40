"""What a Keras network answers about itself and its gradients beside those of layers."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
import tensorflow as tf
from fakes import pictures

import xcnn
from xcnn.errors import LayerError, MisfitError
from xcnn.plugin import Batch

pytestmark = pytest.mark.keras

INPUT = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
SALIENCY = [[0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 0]]
GUIDED = [[0, 1, 1, 1], [1, 3, 3, 2], [1, 3, 3, 2], [1, 2, 2, 1]]
DECONV = [[2, 3, 3, 1], [3, 5, 5, 2], [3, 5, 5, 2], [1, 2, 2, 1]]
RULES = ("plain", "guided", "deconv")


def batch_of(network, *wanted, count=1):
    shapes = [(24, 24), (40, 30), (31, 57)][:count]
    return network.batch(pictures(*shapes), list(wanted or ["top"]), np.random.default_rng(0))


def opened(model, **options):
    return xcnn.open_network(model, preprocess="unit", **options)


def close(got, wanted, tolerance=1e-5):
    assert np.abs(wanted).max() > 0, "gradients of zero prove nothing"
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * np.abs(wanted).max())


# Numbers that nobody here chose


@pytest.mark.parametrize(("rule", "wanted"), [("plain", SALIENCY), ("guided", GUIDED), ("deconv", DECONV)])
def test_the_gradients_of_the_golden_net_are_the_golden_ones(rule, wanted):
    network = xcnn.open_network(nets.one_conv(), preprocess="none")
    batch = network.batch([np.repeat(INPUT[0].astype(np.uint8), 3, axis=2)], ["0"], np.random.default_rng(0))

    got = network.input_gradients(batch, rule)

    np.testing.assert_allclose(got[0, ..., 0], wanted, rtol=0, atol=1e-6)


def two_units():
    model = keras.Sequential(
        [
            keras.Input((1, 2, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="relu", use_bias=False),
            keras.layers.Dense(1, use_bias=False),
        ]
    )
    model.set_weights([np.array([[-1, 1], [-1, 1]]), np.array([[-1], [1]])])
    return model


@pytest.mark.parametrize(
    ("x", "gradient", "guided"), [((-1, 0), (1, 1), (0, 0)), ((1, 0), (1, 1), (1, 1))], ids=["negative", "positive"]
)
def test_the_gradients_of_the_two_golden_units_are_the_golden_ones(x, gradient, guided):
    network = xcnn.open_network(two_units(), preprocess="none")

    def gradients(rule):
        values = np.array(x, np.float32).reshape(1, 1, 2, 1)
        pixels = np.zeros((1, 1, 2, 3), np.uint8)
        return network.input_gradients(Batch(pixels, lambda _: values, (0,), np.random.default_rng(0)), rule).ravel()

    np.testing.assert_allclose(gradients("plain"), gradient, rtol=0, atol=1e-6)
    np.testing.assert_allclose(gradients("guided"), guided, rtol=0, atol=1e-6)


# Gradients by the input


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("build", [nets.nested, nets.doubly_nested, nets.subclassed])
def test_a_twin_has_the_gradients_of_the_flat_net(build, rule):
    def gradients(model):
        network = opened(model)
        return network.input_gradients(batch_of(network, "2", "1 vs 3", count=3), rule)

    close(gradients(build()), gradients(nets.flat()))


@pytest.mark.parametrize("rule", RULES)
def test_a_net_with_the_channels_first_has_the_gradients_of_its_twin(rule):
    def gradients(model):
        network = opened(model)
        return network.input_gradients(batch_of(network, "2"), rule)

    close(gradients(nets.channels_first_twin(nets.flat())), gradients(nets.flat()))


def test_guided_is_saliency_where_no_gradient_is_negative():
    model = nets.flat()
    for layer in model.layers:
        if "kernel" in [weight.name for weight in layer.weights]:
            kernel, *rest = layer.get_weights()
            layer.set_weights([np.abs(kernel), *rest])
    # Small enough that no unit reaches the cap of ReLU6, where the rule and the gradient differ.
    model.get_layer("conv1").set_weights([0.02 * part for part in model.get_layer("conv1").get_weights()])
    network = opened(model)
    batch = batch_of(network, "0", count=3)
    assert network.activations(batch.inputs, ["act2"])["act2"].max() < 6

    close(network.input_gradients(batch, "guided"), network.input_gradients(batch, "plain"))


@pytest.mark.parametrize("rule", RULES)
def test_a_batch_has_the_gradients_of_its_images_one_by_one(rule):
    network = opened(nets.nested())
    photos = pictures((24, 24), (40, 30), (31, 57))

    def gradients(*some):
        return network.input_gradients(network.batch(some, ["top2", "0"], np.random.default_rng(0)), rule)

    close(gradients(*photos), np.concatenate([gradients(photo) for photo in photos]))
    assert network.traces == 1


def test_a_net_that_rounds_its_input_is_refused_in_words():
    pixels = keras.Input((9, 9, 3))
    whole = keras.ops.cast(keras.ops.cast(pixels, "int32"), "float32")
    x = keras.layers.Conv2D(2, 3, activation="relu")(whole)
    network = xcnn.open_network(keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(x)), preprocess="none")

    with pytest.raises(MisfitError, match="the class scores have no gradient by the picture"):
        network.input_gradients(batch_of(network))


# Gradients of targets that stay


@pytest.mark.parametrize("build", [nets.flat, nets.subclassed, nets.segmentation])
def test_gradients_of_the_targets_of_a_batch_are_those_of_its_rows(build):
    network = opened(build())
    batch = batch_of(network, "0", "2", "1 vs 2", "not:1", count=2)

    rows = network.input_gradients(batch)
    got = network.gradients(batch.inputs, batch.targets[:4])

    assert got.shape == (2, 4, *batch.inputs.shape[1:])
    close(got.reshape(rows.shape), rows)


def test_a_target_stays_what_it_was_where_the_network_now_prefers_another():
    model = nets.flat()
    network = opened(model)
    batch = batch_of(network, "top")
    network.predict(batch)
    index = batch.targets[0].index
    some = [np.float32(scale) * (batch.inputs - shift) for scale in (3, 30) for shift in (0.2, 0.5, 1)]
    other = next(inputs for inputs in some if network.scores(inputs)[0].argmax() != index)

    with tf.GradientTape() as tape:
        x = tf.constant(other)
        tape.watch(x)
        score = nets.logits_twin(model)(x)[:, index]

    close(network.gradients(other, batch.targets)[:, 0], np.asarray(tape.gradient(score, x)))


def test_there_is_one_trace_for_each_number_of_targets():
    network = opened(nets.nested())
    batch = batch_of(network, "top3", "0 vs 1", count=3)
    network.predict(batch)
    before = network.traces

    for count in (1, 3):
        for start in range(3):
            for images in (1, 2, 3):
                network.gradients(batch.inputs[:images], batch.targets[start : start + count])

    assert network.traces == before + 2


def test_no_target_at_all_has_no_gradients():
    network = opened(nets.flat())

    assert network.gradients(batch_of(network).inputs, ()).shape == (1, 0, 24, 24, 3)


def test_scores_and_gradients_are_those_of_the_point_asked_for():
    network = opened(nets.segmentation(), at="10,20")
    batch = batch_of(network, "2")
    rows = network.input_gradients(batch)

    np.testing.assert_array_equal(network.scores(batch.inputs, batch.points), batch.scores)
    close(network.gradients(batch.inputs, batch.targets, batch.points)[:, 0], rows)
    elsewhere = np.zeros_like(batch.points)
    assert not np.allclose(network.scores(batch.inputs, elsewhere), batch.scores)
    assert not np.allclose(network.gradients(batch.inputs, batch.targets, elsewhere)[:, 0], rows)


# Maps, labels and kernels


def test_maps_are_the_leaves_with_a_map_that_the_scores_depend_on():
    pixels = keras.Input((9, 9, 3), name="pixels")
    base = nets.body("base", size=9)
    x = keras.layers.Dropout(0.5, name="dropout")(base(pixels))
    keras.layers.Conv2D(2, 1, name="unused")(x)
    small = keras.layers.Conv2D(2, 4, name="small")(x)  # 1x1
    out = keras.layers.Dense(2)(keras.layers.Flatten()(small))

    found = [layer.path for layer in opened(keras.Model(pixels, out)).maps()]

    assert found == ["base/conv1", "base/pool1", "base/conv2", "base/bn2", "base/act2"]


def test_the_default_layer_is_one_of_the_maps():
    for build in (nets.flat, nets.siamese, nets.segmentation):
        network = opened(build())
        assert network.default_layer().value in [layer.path for layer in network.maps()]


def test_the_parts_of_an_attention_are_no_maps():
    pixels = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(pixels)
    tokens = keras.layers.Reshape((36, 4))(x)
    seen = keras.layers.MultiHeadAttention(2, 3, name="attention")(tokens, tokens)
    out = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling1D()(seen))

    assert [layer.path for layer in opened(keras.Model(pixels, out)).maps()] == ["conv"]


def test_classes_have_their_names_or_their_numbers(tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\ne\n")

    assert opened(nets.flat()).label(3) == "class 3"
    assert opened(nets.flat(), labels=tmp_path / "labels.txt").label(3) == "d"


def kernels_of(layer, channels=4):
    pixels = keras.Input((8, 8, channels if channels < 4 else 3))
    x = keras.layers.Conv2D(4, 1, name="before")(pixels) if channels == 4 else pixels
    network = opened(keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(layer(x))))
    return network.kernels(layer.name)


def test_kernels_tell_how_each_channel_is_made_of_those_before():
    layer = keras.layers.Conv2D(5, (3, 2), name="conv")

    got = kernels_of(layer)

    assert (got.shape, got.dtype) == ((3, 2, 4, 5), np.float32)
    np.testing.assert_array_equal(got, layer.get_weights()[0])


def test_kernels_of_other_convolutions_have_the_same_axes():
    depthwise = keras.layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")
    separable = keras.layers.SeparableConv2D(5, 3, name="separable")

    np.testing.assert_array_equal(kernels_of(depthwise), depthwise.get_weights()[0])
    assert kernels_of(depthwise).shape == (3, 3, 4, 2)
    np.testing.assert_array_equal(kernels_of(separable), separable.get_weights()[0])
    assert kernels_of(keras.layers.Conv2D(6, 3, groups=2, name="groups")).shape == (3, 3, 2, 6)


def test_kernels_of_a_transposed_convolution_are_turned():
    layer = keras.layers.Conv2DTranspose(7, 3, name="up")

    got = kernels_of(layer)

    assert got.shape == (3, 3, 4, 7)
    for taken in range(4):
        for made in range(7):
            np.testing.assert_array_equal(got[:, :, taken, made], layer.get_weights()[0][:, :, made, taken])


def test_kernels_are_found_nested_shared_and_by_their_bare_name():
    network = opened(nets.siamese())

    for name in ("tower/conv1", "tower/conv1[1]"):
        assert network.kernels(name).shape == (3, 3, 3, 6)
    assert opened(nets.doubly_nested()).kernels("conv2").shape == (3, 3, 6, 8)


def test_a_layer_without_kernels_names_some_that_have():
    with pytest.raises(LayerError, match=r"layer 'pool1' \(MaxPooling2D\) has no kernels") as caught:
        opened(nets.flat()).kernels("pool1")

    assert caught.value.hint == "choose one that has, such as conv1 or conv2"


def test_a_dense_layer_has_no_kernels_and_an_unknown_one_a_hint():
    with pytest.raises(LayerError, match=r"layer 'predictions' \(Dense\) has no kernels"):
        opened(nets.flat()).kernels("predictions")
    with pytest.raises(LayerError, match="flat has no layer 'con1'") as caught:
        opened(nets.flat()).kernels("con1")
    assert caught.value.hint.startswith("conv1 (did you mean this?)")


# Gradients by layers


def ruled_relu(rule):
    @tf.custom_gradient
    def relu(x):
        def handed(arriving):
            on = tf.cast(x > 0, x.dtype) if rule != "deconv" else tf.ones_like(x)
            return on * (arriving if rule == "plain" else tf.nn.relu(arriving))

        return tf.nn.relu(x), handed

    return relu


def test_a_rule_acts_on_the_rectifiers_behind_a_layer_and_on_no_other():
    keras.utils.set_random_seed(5)
    first, second = (keras.layers.Conv2D(4, 3, activation="relu") for _ in range(2))
    dense, last = keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3)
    pool, flatten, softmax = keras.layers.MaxPooling2D(), keras.layers.Flatten(), keras.layers.Softmax()
    model = keras.Sequential([keras.Input((12, 12, 3)), first, pool, second, flatten, dense, last, softmax])
    network = opened(model)

    def found(rule):
        batch = network.batch(pictures((12, 12), (12, 12)), ["1"], np.random.default_rng(0))
        return network.layer_gradients(batch, [first.name], rule)[first.name]

    for rule in RULES:
        features, got = found(rule)
        with tf.GradientTape() as tape:
            held = tf.constant(features)
            tape.watch(held)
            relu = ruled_relu(rule)
            onward = relu(tf.nn.conv2d(tf.nn.max_pool2d(held, 2, 2, "VALID"), second.kernel, 1, "VALID") + second.bias)
            score = (relu(tf.reshape(onward, (2, -1)) @ dense.kernel + dense.bias) @ last.kernel + last.bias)[:, 1]
        close(got, tape.gradient(score, held).numpy())
    assert np.abs(found("guided")[1] - found("plain")[1]).max() > 0.01 * np.abs(found("plain")[1]).max()


def test_a_rule_without_a_rectifier_is_refused_for_layers_too():
    network = opened(nets.swish())

    with pytest.raises(MisfitError, match="acts on ReLUs and this model has none"):
        xcnn.explain(network, pictures((24, 24)), rule="guided")
