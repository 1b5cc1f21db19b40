"""Make the files of TensorFlow 2's own Keras in old/: HDF5 up to 2.15, and the `.keras` zips since 2.12.

Run six times, the files are committed: Python 3.8 with tensorflow 2.3.4 and with 2.4.4; Python 3.9 with tensorflow 2.9.3,
2.12.1 and 2.13.1; Python 3.10 with tensorflow 2.15.1.
"""

import ntpath
from unittest.mock import patch

import numpy as np
import tensorflow as tf
from corpus import OLD, fill, keep_answer

kl = tf.keras.layers
VERSION = tuple(int(part) for part in tf.__version__.split(".")[:2])
PREFIX = f"tf{VERSION[0]}{VERSION[1]}"
ZIPPED = VERSION >= (2, 12)
WHOLE = VERSION in {(2, 4), (2, 15)}  # the others write only what differs there


def write(model, name, *, suffix=".h5", answer=True, low=-1.0, high=1.0):
    """Save a model with random weights, whole or (`.json`) as an architecture and a weights file."""
    stem = f"{PREFIX}_{name}"
    fill(model)
    if answer:
        keep_answer(model, stem, low=low, high=high)
    if suffix == ".json":
        (OLD / f"{stem}.json").write_text(model.to_json())
        model.save_weights(str(OLD / f"{stem}_weights.h5"))
    else:
        form = {"save_format": "keras_v3"} if "zip_" in name and VERSION == (2, 12) else {}
        model.save(str(OLD / f"{stem}{suffix}"), **form)
    tf.keras.backend.clear_session()


def make_base(*, frozen=0, rescale=False, name="base"):
    """A small backbone as in keras.applications; its first `frozen` layers, or the model itself (-1), are not to be trained."""
    image = tf.keras.Input((12, 12, 3), name=f"{name}_input")
    x = kl.Conv2D(4, 3, padding="same", use_bias=False, name="Conv1")(image)
    x = kl.ReLU(6.0, name="Conv1_relu")(kl.BatchNormalization(name="bn_Conv1")(x))
    y = kl.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(kl.ZeroPadding2D(0, name="Conv_pad")(x))
    y = kl.ReLU(6.0, name="depthwise_relu")(kl.BatchNormalization(name="depthwise_BN")(y))
    y = kl.SeparableConv2D(4, 3, padding="same", use_bias=False, name="project")(y)
    x = kl.Add(name="block_add")([x, kl.BatchNormalization(name="project_BN")(y)])
    base = tf.keras.Model(image, kl.MaxPooling2D(2, name="pool")(x), name=name)
    if frozen < 0:
        base.trainable = False
    for layer in base.layers[: max(frozen, 0)]:
        layer.trainable = False
    return base


def teachable(*, frozen=0):
    """A Sequential in a Sequential in a Sequential around a base, as Teachable Machine exports it."""
    inner = tf.keras.Sequential(
        [make_base(frozen=frozen, name="model1"), kl.GlobalAveragePooling2D(name="gap")], name="sequential_1"
    )
    head = tf.keras.Sequential([
        kl.Dense(5, activation="relu", input_shape=(4,)),
        kl.Dense(2, activation="softmax", use_bias=False),
    ], name="sequential_3")  # fmt: skip
    return tf.keras.Sequential([inner, head], name="sequential_4")


def functional(*, frozen=0):
    """A base inside a functional model, called in inference mode, and a compiled outside."""
    image = tf.keras.Input((12, 12, 3), name="image")
    x = make_base(frozen=frozen)(kl.Conv2D(3, 1, name="mix")(image), training=False)
    x = kl.Dropout(0.2, name="dropout")(kl.GlobalAveragePooling2D(name="gap")(x))
    model = tf.keras.Model(image, kl.Dense(3, activation="softmax", name="scores")(x))
    model.compile(optimizer=tf.keras.optimizers.Adam(1e-3), loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def plain_sequential():
    return tf.keras.Sequential(
        [
            tf.keras.Input((12, 12, 3)),
            kl.Conv2D(4, 3, groups=1, activation="swish"),
            kl.BatchNormalization(axis=[-1]),
            kl.PReLU(shared_axes=[1, 2]),
            kl.SpatialDropout2D(0.2),
            kl.LeakyReLU(alpha=0.1),
            kl.Conv2DTranspose(3, 2, strides=2),
            kl.UpSampling2D(2, interpolation="bilinear"),
            kl.MaxPooling2D(8),
            kl.Flatten(),
            kl.Dense(3, activation="softmax"),
        ]
    )


class Doubled(kl.Layer):
    """A layer of the user's own."""

    def call(self, inputs):
        return inputs * 2.0


def own_loss(truth, guess):
    """A loss that nobody else has."""
    return tf.reduce_mean(tf.abs(truth - guess))


class OwnOptimizer(tf.keras.optimizers.SGD):
    """An optimizer that nobody else has."""


def dead_training():
    """Compiled with things that nobody else has, trained one step; no input shape but that of the first call."""
    model = tf.keras.Sequential([kl.Conv2D(3, 3, activation="relu"), kl.Flatten(), kl.Dense(2, activation="sigmoid")])
    model.compile(
        optimizer=OwnOptimizer(0.01, momentum=0.9), loss=own_loss, metrics=[tf.keras.metrics.AUC(name="own"), own_loss]
    )
    model.fit(np.ones((2, 8, 8, 3), "float32"), np.ones((2, 2), "float32"), verbose=0)
    return model


def unbuilt_call():
    """A Sequential without an input shape, built by calling it."""
    model = tf.keras.Sequential([kl.Conv2D(3, 3, activation="relu"), kl.GlobalAveragePooling2D(), kl.Dense(2)])
    model(np.ones((2, 10, 10, 3), "float32"))
    return model


def experimental(name):
    """A preprocessing layer under the name of its time."""
    return getattr(kl, name, None) or getattr(kl.experimental.preprocessing, name)


def preprocessing():
    """Layers that augment and scale, then an adapted Normalization."""
    normalization = experimental("Normalization")()
    normalization.adapt(np.random.default_rng(3).uniform(0, 1, (8, 12, 12, 3)).astype("float32"))
    augment = tf.keras.Sequential([
        experimental("RandomFlip")("horizontal", input_shape=(12, 12, 3)),
        experimental("RandomRotation")(0.1),
        experimental("RandomZoom")(0.1),
        experimental("RandomContrast")(0.1),
    ], name="augment")  # fmt: skip
    return tf.keras.Sequential(
        [
            augment,
            experimental("Rescaling")(1 / 255.0),
            normalization,
            kl.Conv2D(4, 3, activation="relu"),
            kl.GlobalAveragePooling2D(),
            kl.Dense(3, activation="softmax"),
        ]
    )


def resizing():
    """Resizing, cropping and scaling to -1..1 in a functional model."""
    image = tf.keras.Input((16, 16, 3))
    x = experimental("CenterCrop")(12, 12)(experimental("Resizing")(14, 14, interpolation="bilinear")(image))
    x = kl.Conv2D(4, 3, activation="relu")(experimental("Rescaling")(1 / 127.5, offset=-1)(x))
    return tf.keras.Model(image, kl.Dense(2)(kl.GlobalMaxPooling2D()(x)))


def half_precision():
    policy = getattr(tf.keras.mixed_precision, "Policy", None) or tf.keras.mixed_precision.experimental.Policy
    mixed = policy("mixed_float16")
    image = tf.keras.Input((12, 12, 3))
    x = kl.Conv2D(4, 3, dtype=mixed)(image)
    x = kl.Activation("relu", dtype=mixed)(kl.BatchNormalization(dtype=mixed)(x))
    x = kl.GlobalAveragePooling2D(dtype=mixed)(x)
    return tf.keras.Model(image, kl.Dense(3, activation="softmax", dtype="float32")(kl.Dense(5, dtype=mixed)(x)))


def operations(suffix):
    """What arithmetic, TensorFlow functions and slices between layers leave."""
    image = tf.keras.Input((12, 12, 3), name="image")
    turned = image[..., ::-1] if suffix == ".h5" else image[:, :, :, ::-1]  # a zip can't hold an Ellipsis
    x = turned / 127.5 - 1.0
    x = kl.Conv2D(4, 3, padding="same", name="conv")(x)
    y = kl.Conv2D(4, 3, padding="same", name="other")(tf.nn.relu(x))
    x = tf.nn.relu6(x + y) * 0.5
    x = 1.0 - tf.concat([x, tf.math.maximum(x, y)], axis=-1)
    x = tf.image.resize(x, (8, 8))
    x = x[:, 1:7, :-1, :]
    features = tf.math.reduce_mean(x, axis=[1, 2])
    rest = tf.reshape(tf.transpose(x, [0, 3, 1, 2]), (-1, 8 * 6 * 7))
    scores = tf.nn.softmax(kl.Dense(3, name="scores")(tf.concat([features, rest], axis=1)))
    return tf.keras.Model(image, scores)


def more_operations():
    """Operators in every order, keyword arguments and constants that are arrays."""
    image = tf.keras.Input((10, 10, 3), name="image")
    x = tf.cast(image, tf.float32)
    x = tf.subtract(x, tf.constant([103.9, 116.8, 123.7]))
    x = tf.math.divide(x, 255.0)
    x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
    x = tf.clip_by_value(kl.Conv2D(4, 3, name="conv")(x), -0.8, 0.9)
    y = tf.keras.activations.swish(kl.Conv2D(4, 1, name="gate")(x))
    x = tf.multiply(x, tf.sigmoid(y)) + tf.math.tanh(x) - tf.square(y) / 2.0
    x = tf.add(x, -y)
    pooled = tf.squeeze(tf.reduce_max(x, axis=[1, 2], keepdims=True), axis=[1, 2])
    both = tf.concat((pooled, tf.keras.backend.mean(x, axis=[1, 2])), -1)
    unit = tf.math.l2_normalize(both, axis=1)
    return tf.keras.Model(image, kl.Dense(2, name="scores")(unit))


def prepared(mode):
    """A preprocess_input of keras.applications inside the model."""
    module = {
        "caffe": tf.keras.applications.vgg16,
        "tf": tf.keras.applications.mobilenet_v2,
        "torch": tf.keras.applications.densenet,
    }[mode]
    image = tf.keras.Input((12, 12, 3), name="image")
    x = kl.Conv2D(4, 3, activation="relu", name="conv")(module.preprocess_input(image))
    return tf.keras.Model(image, kl.Dense(2, name="scores")(kl.GlobalAveragePooling2D()(x)))


def dangerous_operation():
    """An operation that looks at the file system."""
    image = tf.keras.Input((8, 8, 3))
    x = tf.size(tf.io.matching_files(tf.strings.as_string(tf.reduce_sum(image))))
    x = image + tf.cast(x, tf.float32)
    return tf.keras.Model(image, kl.Dense(2)(kl.Flatten()(x)))


def fixed_batch():
    image = tf.keras.Input((10, 10, 1), batch_size=1, name="image")
    x = kl.Conv2D(4, 3, activation="relu", name="block1/conv")(image)
    x = kl.BatchNormalization(name="block1/bn")(x)
    x = kl.Reshape((-1, 4), name="head/reshape")(x)
    return tf.keras.Model(image, kl.Dense(3, name="head/scores")(kl.Flatten(name="head/flatten")(x)))


def shared():
    """Two inputs, one nested base called on both, one layer called twice, two outputs."""
    left, right = tf.keras.Input((12, 12, 3), name="left"), tf.keras.Input((12, 12, 3), name="right")
    base = make_base(name="tower", frozen=3)
    again = kl.Conv2D(4, 3, padding="same", activation="tanh", name="again")
    one, two = again(base(left)), again(again(base(right)))
    joined = kl.Concatenate(name="joined")([kl.GlobalAveragePooling2D()(one - two), kl.GlobalMaxPooling2D()(two)])
    return tf.keras.Model(
        [left, right], [kl.Dense(2, activation="softmax", name="scores")(joined), kl.Dense(1, name="age")(joined)]
    )


def by_name():
    """Inputs and outputs in dictionaries."""
    image, numbers = tf.keras.Input((10, 10, 3), name="image"), tf.keras.Input((4,), name="numbers")
    x = kl.Concatenate()([kl.Flatten()(kl.Conv2D(2, 3)(image)), numbers])
    return tf.keras.Model(
        {"image": image, "numbers": numbers},
        {"scores": kl.Dense(3, name="scores")(x), "age": kl.Dense(1, name="age")(x)},
    )


def unknown():
    image = tf.keras.Input((8, 8, 3))
    x = Doubled(name="second")(kl.Conv2D(2, 3)(Doubled(name="first")(image)))
    return tf.keras.Model(image, kl.Dense(2)(kl.Flatten()(x)))


def without_path(function):
    """Take the folder of this file out of a function that is saved with its code."""
    function.__code__ = function.__code__.replace(co_filename="scale.py")
    return function


def with_lambda():
    return tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 3)),
            kl.Lambda(without_path(lambda x: x / 255.0), name="scale"),
            kl.Conv2D(2, 3),
            kl.Flatten(),
            kl.Dense(2),
        ]
    )


def one_dimension():
    return tf.keras.Sequential([kl.Conv1D(3, 3, input_shape=(16, 2)), kl.GlobalAveragePooling1D(), kl.Dense(2)])


def recurrent():
    return tf.keras.Sequential(
        [
            kl.TimeDistributed(kl.Conv2D(2, 3), input_shape=(3, 8, 8, 1)),
            kl.TimeDistributed(kl.Flatten()),
            kl.Bidirectional(kl.LSTM(2)),
            kl.Dense(2),
        ]
    )


def write_savedmodel():
    """A SavedModel folder of a few kilobytes."""
    model = tf.keras.Sequential([kl.Dense(2, input_shape=(3,))])
    fill(model)
    model.save(str(OLD / f"{PREFIX}_savedmodel"), include_optimizer=False, save_format="tf")
    tf.keras.backend.clear_session()


def write_common(suffix):
    """The models of layers."""
    mark = "zip_" if suffix == ".keras" else ""
    write(teachable(), f"{mark}teachable", suffix=suffix)
    write(functional(frozen=3), f"{mark}functional_partly_frozen", suffix=suffix)
    write(plain_sequential(), f"{mark}sequential", suffix=suffix)
    write(preprocessing(), f"{mark}preprocessing", suffix=suffix, low=0.0, high=255.0)
    if WHOLE:
        write(teachable(frozen=-1), f"{mark}teachable_frozen", suffix=suffix)
        write(teachable(frozen=99), f"{mark}teachable_each_frozen", suffix=suffix)
        write(functional(), f"{mark}functional", suffix=suffix)
        write(half_precision(), f"{mark}mixed_float16", suffix=suffix)
        write(shared(), f"{mark}shared", suffix=suffix)
        write(unbuilt_call(), f"{mark}unbuilt", suffix=suffix)


def write_operations(suffix):
    """The models with operations between their layers."""
    mark = "zip_" if suffix == ".keras" else ""
    answer = VERSION > (2, 3)  # a TensorFlowOpLayer holds a graph of its own
    write(operations(suffix), f"{mark}operations", suffix=suffix, answer=answer, low=0.0, high=255.0)
    if WHOLE:
        write(more_operations(), f"{mark}more_operations", suffix=suffix, low=0.0, high=255.0)
        for mode in ("caffe", "tf", "torch") if suffix == ".h5" else ("tf", "torch"):
            write(prepared(mode), f"{mark}prepared_{mode}", suffix=suffix, low=0.0, high=255.0)


def write_rest():
    """What has one form only, and what can't be explained."""
    write(dead_training(), "dead_training")
    write(fixed_batch(), "slashes")
    write(resizing(), "resizing", low=0.0, high=255.0)
    write(by_name(), "by_name")
    write(functional(), "pair", suffix=".json")
    write(with_lambda(), "lambda", answer=False)
    write(unknown(), "unknown", answer=False)
    write(recurrent(), "lstm", answer=False)
    write(one_dimension(), "conv1d", answer=False)
    write(dangerous_operation(), "dangerous", answer=False)
    if ZIPPED:
        fill(model := functional())
        model.save_weights(str(OLD / f"{PREFIX}_only.weights.h5"))


def write_as_on_windows():
    """Zips with the group names that Windows' path separator makes."""
    with patch.object(tf.compat.v2.io.gfile, "join", ntpath.join):
        write(functional(), "zip_windows", suffix=".keras")


def main():
    if VERSION not in {(2, 3), (2, 4), (2, 9), (2, 12), (2, 13), (2, 15)}:
        raise SystemExit(f"needs one of the versions above, this is {tf.__version__}")
    if not ZIPPED or WHOLE:
        write_common(".h5")
        write_operations(".h5")
    if WHOLE:
        write_rest()
    if ZIPPED:
        write_common(".keras")
        write_operations(".keras")
        write(with_lambda(), "zip_lambda", suffix=".keras", answer=False)
        write(unknown(), "zip_unknown", suffix=".keras", answer=False)
        write_as_on_windows()
    if VERSION == (2, 12):
        write(functional(), "hdf5_in_truth", suffix=".keras")  # unless told "keras_v3" this version writes HDF5
    if VERSION == (2, 9):
        write_savedmodel()


if __name__ == "__main__":
    main()
