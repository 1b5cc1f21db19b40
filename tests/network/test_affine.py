import keras
import numpy as np
import pytest
import tensorflow as tf

from xcnn.network import affine, trace
from xcnn.network.affine import Affine

pytestmark = pytest.mark.keras

SIDE = 8
CONV = {"padding": "same", "name": "conv"}


def traced(model, shape=(None, SIDE, SIDE, 3)):
    """The affine map of a model's trace, and a function from the input to what its first convolution receives."""
    found = {}

    def forward(x):
        with trace.tapped(model) as taps:
            model(x, training=False)
        tensor = affine.first_received(x)
        # While tracing, as in a network: the graph is not finished.
        found["affine"] = affine.affine(x, tensor, learned=affine.learned(taps))
        return tensor

    function = tf.function(forward, [tf.TensorSpec(shape, tf.float32)], autograph=False)
    with trace.inlined():
        concrete = function.get_concrete_function()
    return found["affine"], concrete


def built(*before, shape=(SIDE, SIDE, 3)):
    return keras.Sequential([keras.Input(shape), *before, keras.layers.Conv2D(2, 3, **CONV)])


def functional(body, shape=(SIDE, SIDE, 3)):
    pixels = keras.Input(shape)
    return keras.Model(pixels, keras.layers.Conv2D(2, 3, **CONV)(body(pixels)))


def adapted(data=None):
    layer = keras.layers.Normalization()
    rng = np.random.default_rng(0)
    layer.adapt(rng.uniform(0, [1.0, 0.5, 2.0], (64, SIDE, SIDE, 3)).astype(np.float32) if data is None else data)
    return layer


def preprocessed(mode):
    return functional(lambda x: keras.applications.imagenet_utils.preprocess_input(x, mode=mode))


def split_and_joined(x):
    red, green, blue = keras.ops.split(x, 3, axis=-1)
    return keras.ops.concatenate([blue * 2.0, green - 1.0, red], axis=-1)


def unstacked(x):
    red, green, blue = keras.ops.unstack(x, axis=-1)
    return keras.ops.stack([blue - 5.0, red / 2.0, green], axis=-1)


AFFINE = {
    "rescaling": lambda: built(keras.layers.Rescaling(1 / 255)),
    "rescaling with offset": lambda: built(keras.layers.Rescaling(1 / 127.5, offset=-1)),
    "rescaling by channel": lambda: built(keras.layers.Rescaling([0.1, 0.2, 0.3], offset=[1.0, 2.0, 3.0])),
    "rescaling by two": lambda: built(keras.layers.Rescaling(2.0)),
    "two rescalings": lambda: built(keras.layers.Rescaling(1 / 255), keras.layers.Rescaling(2.0, offset=-1.0)),
    "adapted": lambda: built(adapted()),
    "mean and variance": lambda: built(keras.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 9.0, 16.0])),
    "one mean": lambda: built(keras.layers.Normalization(axis=None, mean=3.0, variance=25.0)),
    "inverted": lambda: built(keras.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 9.0, 16.0], invert=True)),
    "tf": lambda: preprocessed("tf"),
    "caffe": lambda: preprocessed("caffe"),
    "torch": lambda: preprocessed("torch"),
    "ops": lambda: functional(lambda x: x * 2 - 1),
    "reversed ops": lambda: functional(lambda x: 1.0 - x / 127.5),
    "negative": lambda: functional(lambda x: -x + 3.0),
    "flip": lambda: functional(lambda x: x[..., ::-1]),
    "flip by op": lambda: functional(lambda x: keras.ops.flip(x, axis=-1)),
    "flip to the side": lambda: functional(lambda x: keras.ops.flip(x, axis=2) / 2.0),
    "taken": lambda: functional(lambda x: keras.ops.take(x, [2, 0, 1], axis=-1) * np.array([1.0, 2.0, 3.0])),
    "split and joined": lambda: functional(split_and_joined),
    "unstacked": lambda: functional(unstacked),
    "there and back": lambda: functional(
        lambda x: keras.ops.transpose(keras.ops.transpose(x, (0, 3, 1, 2)) * np.array([[[1.0]], [[2.0]], [[3.0]]]), (0, 2, 3, 1))
    ),
    "mirrored": lambda: built(keras.layers.Permute((2, 1, 3)), keras.layers.Rescaling(0.5)),
    "reshaped": lambda: built(keras.layers.Reshape((SIDE * SIDE, 3)), keras.layers.Rescaling([1, 2, 3]), keras.layers.Reshape((SIDE, SIDE, 3))),
    "augmented": lambda: built(keras.layers.RandomFlip(), keras.layers.RandomRotation(0.1), keras.layers.GaussianNoise(1), keras.layers.Rescaling(0.1)),
    "cropped": lambda: built(keras.layers.Cropping2D(1), keras.layers.Rescaling(0.1)),
    "two channels": lambda: functional(lambda x: x[..., :2] / 4.0),
    "twice": lambda: functional(lambda x: keras.ops.concatenate([x, x / 2.0], axis=-1)),
    "nested": lambda: keras.Sequential([keras.Input((SIDE, SIDE, 3)), built(keras.layers.Rescaling(1 / 127.5, offset=-1))]),
    "outside of the nested": lambda: functional(lambda x: built(keras.layers.Rescaling(0.5))(x / 127.5 - 1.0)),
    "no arithmetic": built,
    "variable size": lambda: built(keras.layers.Rescaling(1 / 255), shape=(None, None, 3)),
    "depthwise": lambda: keras.Sequential([keras.Input((SIDE, SIDE, 3)), keras.layers.Rescaling(3), keras.layers.DepthwiseConv2D(3)]),
}  # fmt: skip


@pytest.mark.parametrize("build", AFFINE.values(), ids=AFFINE)
def test_the_affine_map_is_what_the_first_convolution_receives(build):
    found, run = traced(build())
    pixels = np.random.default_rng(1).uniform(0, 255, (1, 1, 1, 3)).astype(np.float32)
    uniform = np.broadcast_to(pixels, (2, SIDE, SIDE, 3)).copy()

    received = run(tf.constant(uniform)).numpy()

    expected = pixels[0, 0, 0][list(found.channels)] * found.scale + found.offset
    np.testing.assert_allclose(received, np.broadcast_to(expected, received.shape), rtol=1e-5, atol=1e-4)


def test_slices_of_channels_and_positions_are_told_apart():
    model = functional(lambda x: x[:, 1:, :-1, ::-1][:, None, :, :, :2][:, 0])

    found, _ = traced(model)

    assert found == Affine((2, 1), (1.0, 1.0), (0.0, 0.0))


def test_zeros_around_the_picture_are_no_part_of_the_map():
    found, _ = traced(built(keras.layers.Rescaling(1 / 255), keras.layers.ZeroPadding2D(1)))

    assert found.scale == pytest.approx((1 / 255,) * 3)
    assert found.offset == (0.0, 0.0, 0.0)


def test_a_resized_picture_keeps_its_map():
    found, _ = traced(built(keras.layers.Resizing(4, 4), keras.layers.Rescaling(0.5)))

    assert found == Affine((0, 1, 2), (0.5,) * 3, (0.0,) * 3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_the_map_is_found_in_any_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = built(keras.layers.Rescaling(1 / 127.5, offset=-1))
    finally:
        keras.config.set_dtype_policy("float32")

    found, _ = traced(model)

    assert found.scale == pytest.approx((1 / 127.5,) * 3, rel=5e-3)
    assert found.offset == (-1.0,) * 3
    assert affine.verdict(found)[0] == "none"


def test_gray_models_have_one_channel():
    found, _ = traced(built(keras.layers.Rescaling(1 / 255), shape=(SIDE, SIDE, 1)), (None, SIDE, SIDE, 1))

    assert found.channels == (0,)
    assert found.scale == pytest.approx((1 / 255,))


class Learned(keras.layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(shape=(3,), initializer="ones", trainable=True)

    def call(self, x):
        return x * self.factor


class Fixed(keras.layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(shape=(3,), initializer=keras.initializers.Constant(7.0), trainable=False)

    def call(self, x):
        return x * self.factor


NOT = {
    "a learned factor": lambda: built(Learned()),
    "a variable": lambda: built(Fixed()),
    "not straight": lambda: functional(lambda x: x * x),
    "cut off": lambda: functional(lambda x: keras.ops.clip(x, 0, 1)),
    "over the pixels": lambda: functional(lambda x: 1.0 / (x + 1.0)),
    "per picture": lambda: functional(lambda x: x - keras.ops.mean(x, axis=(1, 2), keepdims=True)),
    "gray": lambda: functional(lambda x: keras.ops.mean(x, axis=-1, keepdims=True)),
    "a mean of each position": lambda: functional(lambda x: x - np.random.default_rng(0).uniform(0, 255, (SIDE, SIDE, 3))),
    "a dense layer": lambda: functional(keras.layers.Dense(3)),
    "whole numbers": lambda: functional(lambda x: keras.ops.cast(keras.ops.cast(x, "int32"), "float32")),
    "a constant channel": lambda: functional(lambda x: keras.ops.concatenate([x, keras.ops.ones_like(x)], axis=-1)),
    "channels mixed with positions": lambda: built(keras.layers.Reshape((3, SIDE, SIDE))),
}  # fmt: skip


@pytest.mark.parametrize("build", NOT.values(), ids=NOT)
def test_what_is_no_scale_and_offset_of_channels_is_not_taken_for_one(build):
    assert traced(build())[0] is None


@pytest.mark.parametrize("kind", ["BatchNormalization", "LayerNormalization", "GroupNormalization", "PReLU"])
def test_learned_layers_are_passed_over(kind):
    layer = keras.layers.GroupNormalization(3) if kind == "GroupNormalization" else getattr(keras.layers, kind)()

    assert traced(built(layer))[0].identity
    assert traced(built(keras.layers.Rescaling(0.5), layer))[0] == Affine((0, 1, 2), (0.5,) * 3, (0.0,) * 3)


def test_a_model_without_convolutions_has_no_first_one():
    graph = tf.Graph()
    with graph.as_default():
        pixels = tf.compat.v1.placeholder(tf.float32, [None, 3])

    assert affine.first_received(pixels) is None


def test_a_convolution_that_does_not_see_the_picture_is_passed_over():
    seen = {}

    @tf.function(input_signature=[tf.TensorSpec([None, SIDE, SIDE, 3])])
    def forward(x):
        tf.nn.conv2d(tf.ones([1, SIDE, SIDE, 3]) * 2.0, tf.ones([3, 3, 3, 1]), 1, "SAME")
        tf.nn.conv2d(x * 3.0, tf.ones([3, 3, 3, 1]), 1, "SAME")
        seen["affine"] = affine.affine(x, affine.first_received(x))
        return x

    forward.get_concrete_function()

    assert seen["affine"] == Affine((0, 1, 2), (3.0,) * 3, (0.0,) * 3)


# The models of keras.applications that preprocess inside


@pytest.mark.parametrize(
    ("build", "ends"),
    [
        pytest.param(
            lambda: keras.applications.EfficientNetB0(weights=None, input_shape=(32, 32, 3), classes=2),
            (0, 1),
            id="EfficientNetB0",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            lambda: keras.applications.MobileNetV3Small(weights=None, input_shape=(32, 32, 3), classes=2),
            (-1, 1),
            id="MobileNetV3Small",
        ),
    ],
)
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
def test_the_preprocessing_inside_the_models_of_keras_is_found(build, ends, nested):
    model = keras.Sequential([keras.Input((32, 32, 3)), build()]) if nested else build()

    found, _ = traced(model, (None, 32, 32, 3))

    for low, high in affine.range_received(found, 0, 255):
        assert (low, high) == pytest.approx(ends, abs=1e-5)
    assert affine.verdict(found)[0] == "none"


# Verdicts


def verdict_of(model):
    return affine.verdict(traced(model)[0])


@pytest.mark.parametrize(
    ("build", "mode", "words"),
    [
        (lambda: built(keras.layers.Rescaling(1 / 255)), "none", "0..255 reaches the first convolution as 0..1"),
        (lambda: built(keras.layers.Rescaling(1 / 127.5, offset=-1)), "none", "as -1..1"),
        (lambda: preprocessed("tf"), "none", "as -1..1"),
        (lambda: preprocessed("caffe"), "none", "as -124..151"),
        (lambda: preprocessed("torch"), "none", "as -2.12..2.64"),
        (lambda: functional(lambda x: x * 2 - 1), "unit", "0..1, which reaches its first convolution as -1..1; 0..255 would reach it as -1..509"),
        (lambda: built(keras.layers.Rescaling(2.0)), "unit", "0..1, which reaches its first convolution as 0..2"),
        (lambda: built(keras.layers.Rescaling(255.0)), "unit", "as 0..255"),
        (lambda: built(adapted()), "unit", "0..1, which reaches"),
        (lambda: built(adapted(np.random.default_rng(0).uniform(0, 255, (64, SIDE, SIDE, 3)))), "none", "0..255 reaches"),
        (lambda: functional(lambda x: (x + 1) * 127.5), "tf", "turns -1..1 into 0..255"),
        (lambda: functional(lambda x: (x + 1) / 2), "tf", "turns -1..1 into 0..1"),
        (lambda: functional(lambda x: x * 1e6), "", "0..2.55e+08 for 0..255 and 0..1e+06 for 0..1"),
        (lambda: functional(lambda x: x * 0.0 + 4.0), "", "receives 4..4 whatever the pixels are"),
        (built, "", "the channels with their values as they are"),
        (lambda: functional(lambda x: x[..., ::-1]), "", "in another order with their values as they are"),
        (lambda: built(keras.layers.BatchNormalization()), "", "the channels with their values as they are"),
        (lambda: built(keras.layers.Normalization(mean=0.0, variance=1.0, axis=None)), "", "as they are"),
    ],
)  # fmt: skip
def test_the_verdict_names_the_input_and_the_numbers(build, mode, words):
    found, reason = verdict_of(build())

    assert found == mode
    assert words in reason


def test_the_order_of_colours_is_named():
    assert traced(preprocessed("caffe"))[0].order == "bgr"
    assert traced(preprocessed("tf"))[0].order == "rgb"
    assert Affine((0,), (1.0,), (0.0,)).order == ""


def test_ranges_run_from_the_lower_to_the_higher_end():
    assert affine.range_received(Affine((0, 1), (-1.0, 2.0), (0.0, 1.0)), 0, 255) == ((-255.0, 0.0), (1.0, 511.0))
