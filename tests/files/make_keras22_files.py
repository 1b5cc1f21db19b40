"""Make the Keras 2.2 and 2.3 files in old/.

Run three times with Python 3.7, tensorflow 1.13.2, theano 1.0.5, h5py 2.10 and numpy 1.18: with keras 2.2.4,
with keras 2.3.1, and with keras 2.2.4 and KERAS_BACKEND=theano; the files are committed.
"""

from unittest.mock import patch

import keras
from corpus import OLD, fill, keep_answer
from keras import backend
from keras import layers as kl
from keras.models import Model, Sequential
from keras.utils import io_utils

PREFIX = {"2.2.4": "k22", "2.3.1": "k23"}.get(keras.__version__)
THEANO = backend.backend() == "theano"


def write(model, name, *, suffix=".h5", answer=True):
    """Save a model with random weights, whole or (`.json`) as an architecture and a weights file."""
    stem = f"{PREFIX}_{name}"
    fill(model)
    if answer:
        keep_answer(model, stem)
    if suffix == ".json":
        (OLD / f"{stem}.json").write_text(model.to_json())
        model.save_weights(str(OLD / f"{stem}_weights.h5"))
    else:
        model.save(str(OLD / f"{stem}{suffix}"))
    if not THEANO:
        backend.clear_session()


def make_base(*, frozen=0, name="base", size=12):
    """A small backbone; its first `frozen` layers, or the model itself (-1), are not to be trained."""
    image = kl.Input((size, size, 3), name=f"{name}_input")
    x = kl.Conv2D(4, (3, 3), padding="same", use_bias=False, name=f"{name}_conv1")(image)
    x = kl.Activation("relu", name=f"{name}_relu1")(kl.BatchNormalization(name=f"{name}_bn1")(x))
    x = kl.DepthwiseConv2D((3, 3), padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = kl.ReLU(max_value=6, name=f"{name}_relu2")(kl.BatchNormalization(name=f"{name}_bn2")(x))
    x = kl.Conv2D(4, (1, 1), name=f"{name}_conv2")(x)
    base = Model(image, kl.MaxPooling2D((2, 2), name=f"{name}_pool")(x), name=name)
    if frozen < 0:
        base.trainable = False
    for layer in base.layers[: max(frozen, 0)]:
        layer.trainable = False
    return base


def transfer(*, frozen=0):
    """A base in a Sequential; what is frozen decides in which order its weights are written."""
    return Sequential(
        [make_base(frozen=frozen), kl.Flatten(), kl.Dense(4, activation="relu"), kl.Dense(2, activation="softmax")]
    )


def transfer_functional(*, frozen=0):
    """A base inside a functional model, between other layers."""
    image = kl.Input((12, 12, 3), name="image")
    x = make_base(frozen=frozen)(kl.Conv2D(3, (1, 1), name="mix")(image))
    x = kl.GlobalAveragePooling2D(name="gap")(x)
    return Model(image, kl.Dense(3, activation="softmax", name="scores")(kl.Dropout(0.2)(x)))


def transfer_by_output():
    """The usual `Model(base.input, Dense(...)(base.output))`: one flat model."""
    base = make_base()
    x = kl.GlobalAveragePooling2D()(base.output)
    return Model(inputs=base.input, outputs=kl.Dense(1, activation="sigmoid")(x))


def doubly_nested():
    image = kl.Input((12, 12, 3))
    tail = Sequential([kl.Conv2D(3, (3, 3), input_shape=(6, 6, 4)), kl.LeakyReLU()], name="tail")
    middle = Model(image, tail(make_base(frozen=3)(image)), name="middle")
    return Sequential([middle, kl.GlobalAveragePooling2D(), kl.Dense(3, activation="softmax")])


def shared_base():
    """One nested model called on two inputs, and one layer called twice."""
    left, right = kl.Input((12, 12, 3), name="left"), kl.Input((12, 12, 3), name="right")
    base = make_base(name="tower")
    shared = kl.Conv2D(4, (3, 3), padding="same", activation="tanh", name="shared")
    one, two = shared(base(left)), shared(shared(base(right)))
    both = kl.concatenate([kl.GlobalAveragePooling2D()(kl.subtract([one, two])), kl.GlobalMaxPooling2D()(two)])
    return Model([left, right], kl.Dense(2, activation="softmax")(both))


def many_ends():
    """Two inputs of different kinds, two outputs."""
    image, numbers = kl.Input((12, 12, 1), name="image"), kl.Input((4,), name="numbers")
    x = kl.Conv2D(4, (3, 3), activation="relu")(image)
    joined = kl.concatenate([kl.Flatten()(x), kl.Dense(3, activation="relu")(numbers)])
    scores = kl.Dense(3, activation="softmax", name="scores")(joined)
    return Model([image, numbers], [scores, kl.Dense(1, name="age")(joined)])


def segmentation():
    inputs = kl.Input((None, None, 3))
    down = kl.Conv2D(4, (3, 3), padding="same", activation="relu")(inputs)
    low = kl.SeparableConv2D(6, (3, 3), padding="same", activation="relu")(kl.MaxPooling2D((2, 2))(down))
    up = kl.Conv2DTranspose(4, (2, 2), strides=(2, 2), activation="relu")(low)
    other = kl.UpSampling2D((2, 2))(low)
    joined = kl.SpatialDropout2D(0.1)(kl.concatenate([down, up, other]))
    return Model(inputs, kl.Conv2D(1, (1, 1), activation="sigmoid")(joined))


def bilinear():
    """TensorFlow 1 interpolated between other points than TensorFlow 2, so there is no answer to compare."""
    up = kl.UpSampling2D((2, 2), interpolation="bilinear", input_shape=(6, 6, 3))
    return Sequential([up, kl.Conv2D(3, (3, 3)), kl.GlobalAveragePooling2D(), kl.Dense(2)])


def write_in_parts():
    """Names too long for one attribute are spread over several, as those of large models are."""
    with patch.object(io_utils, "HDF5_OBJECT_HEADER_LIMIT", 128):
        write(transfer_functional(frozen=3), "names_in_parts")


def with_advanced_activations():
    """A Sequential with an InputLayer of its own, and advanced activations."""
    return Sequential(
        [
            kl.InputLayer(input_shape=(10, 10, 4)),
            kl.Conv2D(4, (3, 3)),
            kl.ReLU(max_value=6, negative_slope=0.1, threshold=0.0),
            kl.PReLU(),
            kl.AveragePooling2D(),
            kl.Flatten(),
            kl.Dense(3),
            kl.Softmax(),
        ]
    )


def wrapped_convolution():
    """TimeDistributed over images."""
    return Sequential(
        [
            kl.TimeDistributed(kl.Conv2D(2, (3, 3)), input_shape=(3, 8, 8, 1)),
            kl.TimeDistributed(kl.Flatten()),
            kl.LSTM(3),
            kl.Dense(2),
        ]
    )


class Scaled(kl.Layer):
    """A layer of the user's own."""


class Doubled(kl.Layer):
    """Another one."""


def with_unknown_layers():
    inputs = kl.Input((8, 8, 3))
    x = Doubled(name="second")(kl.Conv2D(2, (3, 3))(Scaled(name="first")(inputs)))
    return Model(inputs, kl.Dense(2)(kl.Flatten()(x)))


def hidden_lambda():
    """A Lambda two models deep."""
    image = kl.Input((8, 8, 3))
    inner = Model(image, kl.Lambda(lambda x: x[..., ::-1], name="reverse")(image), name="inner")
    middle = Sequential([kl.Conv2D(3, (3, 3), padding="same", input_shape=(8, 8, 3)), inner], name="middle")
    return Sequential([middle, kl.Flatten(), kl.Dense(2)])


def main():
    if PREFIX is None:
        raise SystemExit(f"needs keras 2.2.4 or 2.3.1, this is {keras.__version__}")
    if THEANO:
        write(transfer_functional(), "theano")
        return
    write(transfer(), "transfer")
    write(transfer(frozen=3), "transfer_partly_frozen")
    write(transfer_functional(frozen=5), "functional_partly_frozen", suffix=".hdf5")
    write(doubly_nested(), "doubly_nested")
    write(shared_base(), "shared")
    write(segmentation(), "segmentation")
    write(with_advanced_activations(), "activations")
    write(bilinear(), "bilinear", answer=False)
    if PREFIX == "k23":  # what follows would be the same
        return
    write(transfer(frozen=-1), "transfer_frozen")
    write(transfer(frozen=99), "transfer_each_frozen")
    write(transfer_functional(), "functional")
    write(transfer_functional(frozen=-1), "functional_frozen")
    write(transfer_by_output(), "flat")
    write(many_ends(), "many_ends")
    write(doubly_nested(), "pair", suffix=".json")
    write_in_parts()
    write(wrapped_convolution(), "lstm", answer=False)
    write(with_unknown_layers(), "unknown", answer=False)
    write(hidden_lambda(), "hidden_lambda", answer=False)


if __name__ == "__main__":
    main()
