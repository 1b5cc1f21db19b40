"""Make the Keras 2.0 and 2.1 files in old/.

Run twice with Python 3.7, tensorflow 1.13.2, h5py 2.10 and numpy 1.18: with keras 2.0.8, then with keras 2.1.6;
the files are committed.
"""

import keras
from corpus import OLD, fill, keep_answer
from keras import backend
from keras import layers as kl
from keras.applications import mobilenet
from keras.constraints import max_norm
from keras.models import Model, Sequential
from keras.regularizers import l1_l2

PREFIX = {"2.0.8": "k20", "2.1.6": "k21"}.get(keras.__version__)


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
    backend.clear_session()


def sequential():
    model = Sequential(
        [
            kl.Conv2D(4, (3, 3), padding="same", activation="relu", input_shape=(12, 12, 3)),
            kl.BatchNormalization(),
            kl.MaxPooling2D((2, 2), strides=(2, 2)),
            kl.Dropout(0.25),
            kl.Conv2D(5, (2, 3), strides=(2, 1), kernel_regularizer=l1_l2(0.01, 0.01), kernel_constraint=max_norm(3.0)),
            kl.LeakyReLU(alpha=0.2),
            kl.Flatten(),
            kl.Dense(6, activation="relu", bias_regularizer=l1_l2(0.01)),
            kl.Dense(3, activation="softmax"),
        ]
    )
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def fully_convolutional():
    """A head without a Dense layer, and an input of any size."""
    inputs = kl.Input((None, None, 1), name="input_1")
    x = kl.Conv2D(4, (3, 3), use_bias=False, kernel_regularizer=l1_l2(0.01))(inputs)
    x = kl.Activation("relu")(kl.BatchNormalization()(x))
    residual = kl.BatchNormalization()(kl.Conv2D(6, (1, 1), strides=(2, 2), padding="same", use_bias=False)(x))
    x = kl.SeparableConv2D(6, (3, 3), padding="same", kernel_regularizer=l1_l2(0.01), use_bias=False)(x)
    x = kl.MaxPooling2D((3, 3), strides=(2, 2), padding="same")(kl.BatchNormalization()(x))
    x = kl.Conv2D(5, (3, 3), padding="same")(kl.add([x, residual]))
    return Model(inputs, kl.Activation("softmax", name="predictions")(kl.GlobalAveragePooling2D()(x)))


def merging():
    inputs = kl.Input((12, 12, 3))
    left = kl.PReLU(shared_axes=[1, 2])(kl.Conv2D(4, (3, 3), padding="same", dilation_rate=(2, 2))(inputs))
    right = kl.ELU(alpha=0.6)(kl.Conv2D(4, (1, 1))(inputs))
    parts = [kl.multiply([left, right]), kl.average([left, right]), kl.maximum([left, right])]
    both = kl.SpatialDropout2D(0.3)(kl.concatenate(parts, axis=-1))
    up = kl.UpSampling2D((2, 2))(kl.AveragePooling2D((2, 2))(both))
    up = kl.Conv2DTranspose(3, (3, 3), strides=(2, 2), padding="same")(kl.Cropping2D(((1, 1), (0, 2)))(up))
    pooled = kl.GaussianNoise(0.1)(kl.GlobalMaxPooling2D()(up))
    return Model(inputs, kl.Dense(3, activation="softmax")(pooled))


def nested():
    """A functional base in a Sequential, as transfer learning makes it."""
    image = kl.Input((12, 12, 3))
    x = kl.Conv2D(3, (3, 3), padding="same", activation="relu", name="block1_conv1")(image)
    x = kl.BatchNormalization(name="block1_norm")(x)
    base = Model(image, kl.MaxPooling2D((2, 2), name="block1_pool")(x), name="base")
    return Sequential(
        [base, kl.Flatten(), kl.Dense(4, activation="relu"), kl.Dropout(0.5), kl.Dense(1, activation="sigmoid")]
    )


def like_mobilenet():
    """The custom function and the custom layer of keras.applications.mobilenet."""
    inputs = kl.Input((16, 16, 3))
    x = kl.Conv2D(4, (3, 3), padding="same", use_bias=False, strides=(2, 2), name="conv1")(inputs)
    x = kl.Activation(mobilenet.relu6, name="conv1_relu")(kl.BatchNormalization(axis=-1, name="conv1_bn")(x))
    depthwise = getattr(mobilenet, "DepthwiseConv2D", None) or kl.DepthwiseConv2D
    x = depthwise((3, 3), padding="same", depth_multiplier=2, strides=(1, 1), use_bias=False, name="conv_dw_1")(x)
    x = kl.Activation(mobilenet.relu6, name="conv_dw_1_relu")(kl.BatchNormalization(axis=-1, name="conv_dw_1_bn")(x))
    x = kl.Conv2D(6, (1, 1), padding="same", use_bias=False, name="conv_pw_1")(x)
    x = kl.Activation(mobilenet.relu6, name="conv_pw_1_relu")(kl.BatchNormalization(axis=-1, name="conv_pw_1_bn")(x))
    x = kl.Reshape((1, 1, 6), name="reshape_1")(kl.GlobalAveragePooling2D()(x))
    x = kl.Conv2D(3, (1, 1), padding="same", name="conv_preds")(kl.Dropout(0.001, name="dropout")(x))
    return Model(inputs, kl.Reshape((3,), name="reshape_2")(kl.Activation("softmax", name="act_softmax")(x)))


def channels_first():
    form = "channels_first"
    return Sequential(
        [
            kl.Conv2D(4, (3, 3), activation="relu", data_format=form, input_shape=(3, 10, 12)),
            kl.BatchNormalization(axis=1),
            kl.MaxPooling2D((2, 2), data_format=form),
            kl.Flatten(),
            kl.Dense(3, activation="softmax"),
        ]
    )


def with_lambda():
    return Sequential(
        [
            kl.Lambda(lambda x: x / 127.5 - 1.0, input_shape=(12, 12, 3)),
            kl.Conv2D(4, (3, 3), activation="elu"),
            kl.Flatten(),
            kl.Dense(1),
        ]
    )


def main():
    if PREFIX is None:
        raise SystemExit(f"needs keras 2.0.8 or 2.1.6, this is {keras.__version__}")
    write(sequential(), "sequential")
    write(nested(), "nested")
    write(like_mobilenet(), "mobilenet")
    write(merging(), "merging")
    if PREFIX == "k21":  # what follows would be the same
        return
    write(fully_convolutional(), "fully_convolutional", suffix=".hdf5")
    write(merging(), "pair", suffix=".json")
    write(channels_first(), "channels_first")
    write(with_lambda(), "lambda", answer=False)
    write(with_lambda(), "lambda_pair", suffix=".json", answer=False)


if __name__ == "__main__":
    main()
