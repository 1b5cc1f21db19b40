"""Make the Keras 1 files in old/.

Run twice with Python 3.7, keras 1.2.2, tensorflow 1.13.2, theano 1.0.5, h5py 2.10 and numpy 1.18:
with KERAS_BACKEND=tensorflow, then with KERAS_BACKEND=theano; the files are committed.
"""

from importlib import import_module

import keras
from corpus import OLD, fill, keep_answer
from keras import backend
from keras import layers as kl
from keras.models import Model, Sequential
from keras.regularizers import l2

TENSORFLOW = backend.backend() == "tensorflow"


def write(model, stem, *, suffix=".h5", answer=True):
    """Save a model with random weights, whole or (`.json`) as an architecture and a weights file."""
    fill(model)
    if answer:
        keep_answer(model, stem)
    if suffix == ".json":
        (OLD / f"{stem}.json").write_text(model.to_json())
        model.save_weights(str(OLD / f"{stem}_weights.h5"), overwrite=True)
    else:
        model.save(str(OLD / f"{stem}{suffix}"), overwrite=True)
    if TENSORFLOW:
        backend.clear_session()


def sequential():
    return Sequential(
        [
            kl.ZeroPadding2D((1, 1), input_shape=(12, 12, 3)),
            kl.Convolution2D(
                4, 3, 3, init="he_normal", border_mode="valid", activation="relu", W_regularizer=l2(0.001)
            ),
            kl.BatchNormalization(),
            kl.MaxPooling2D(pool_size=(2, 2), strides=(1, 1), border_mode="same"),
            kl.Dropout(0.25),
            kl.Convolution2D(5, 2, 3, subsample=(2, 1), border_mode="same", bias=False),
            kl.BatchNormalization(mode=0, axis=-1),
            kl.LeakyReLU(alpha=0.2),
            kl.Flatten(),
            kl.Dense(6, W_regularizer=l2(0.001), b_regularizer=l2(0.001)),
            kl.Activation("relu"),
            kl.Dropout(0.5),
            kl.Dense(3, activation="softmax"),
        ]
    )


def functional():
    """Every kind of Merge but the ones with a function."""
    inputs = kl.Input((12, 12, 3), name="image")
    left = kl.Convolution2D(4, 3, 3, border_mode="same", name="left")(inputs)
    right = kl.Convolution2D(4, 1, 1, border_mode="same", name="right")(inputs)
    left = kl.ELU(alpha=0.7)(left)
    right = kl.PReLU(shared_axes=[1, 2], name="prelu")(right)
    total = kl.merge([left, right], mode="sum")
    product = kl.merge([left, right], mode="mul")
    mean = kl.merge([total, product, left], mode="ave")
    highest = kl.merge([mean, right], mode="max")
    both = kl.merge([highest, total], mode="concat", concat_axis=-1)
    pooled = kl.AveragePooling2D((2, 2))(kl.SpatialDropout2D(0.2)(kl.GaussianNoise(0.1)(both)))
    larger = kl.Cropping2D(((1, 0), (0, 1)))(kl.UpSampling2D((2, 2))(pooled))
    features = kl.GaussianDropout(0.1)(kl.GlobalAveragePooling2D()(larger))
    return Model(input=inputs, output=kl.Dense(4, activation="softmax", name="scores")(features))


def unusual_convolutions():
    inputs = kl.Input((10, 10, 3))
    x = kl.AtrousConvolution2D(4, 3, 3, atrous_rate=(2, 2), border_mode="same", activation="relu")(inputs)
    x = kl.SeparableConvolution2D(5, 3, 3, border_mode="same", depth_multiplier=2, activation="relu")(x)
    x = kl.Deconvolution2D(3, 3, 3, output_shape=(None, 20, 20, 3), subsample=(2, 2), border_mode="same")(x)
    x = kl.GlobalMaxPooling2D()(kl.ThresholdedReLU(theta=0.1)(x))
    return Model(inputs, kl.Dense(2, activation="softmax")(x))


def nested():
    """A Sequential in a Sequential, a functional model in it, and a layer called twice."""
    image = kl.Input((12, 12, 2))
    shared = kl.Convolution2D(2, 3, 3, border_mode="same", activation="tanh", name="shared")
    twice = kl.merge([shared(image), shared(kl.BatchNormalization()(shared(image)))], mode="concat")
    tower = Model(image, kl.Convolution2D(3, 1, 1, name="mix")(twice), name="tower")
    base = Sequential([kl.Convolution2D(2, 3, 3, border_mode="same", input_shape=(12, 12, 3))], name="base")
    return Sequential([base, tower, kl.GlobalAveragePooling2D(), kl.Dense(3, activation="softmax")])


def two_branches():
    """A Sequential whose first layer is a Merge of two Sequentials: two inputs."""
    left = Sequential([kl.Convolution2D(3, 3, 3, input_shape=(8, 8, 3), activation="relu"), kl.Flatten()])
    right = Sequential([kl.Convolution2D(2, 3, 3, input_shape=(10, 10, 1), activation="relu"), kl.Flatten()])
    fill(left, seed=1)  # a Merge hides its branches
    fill(right, seed=2)
    return Sequential([kl.Merge([left, right], mode="concat"), kl.Dense(4), kl.Activation("softmax")])


def regression():
    model = Sequential(
        [
            kl.BatchNormalization(axis=3, input_shape=(16, 20, 3)),
            kl.Convolution2D(4, 5, 5, subsample=(2, 2), activation="elu"),
            kl.Convolution2D(6, 3, 3, activation="elu"),
            kl.Dropout(0.5),
            kl.Flatten(),
            kl.Dense(8, activation="elu"),
            kl.Dense(1),
        ]
    )
    model.compile(loss="mean_squared_error", optimizer="adam")
    return model


def reshaped():
    return Sequential(
        [
            kl.Reshape((8, 8, 1), input_shape=(64,)),
            kl.Convolution2D(3, 3, 3, activation="relu"),
            kl.Permute((2, 1, 3)),
            kl.Flatten(),
            kl.Dense(3, activation="softmax"),
        ]
    )


def with_lambda():
    return Sequential(
        [
            kl.Lambda(lambda x: x / 127.5 - 1.0, input_shape=(12, 12, 3)),
            kl.Convolution2D(4, 3, 3, activation="elu"),
            kl.Flatten(),
            kl.Dense(1),
        ]
    )


def with_merge_function():
    inputs = kl.Input((8, 8, 3))
    pair = [kl.Convolution2D(2, 3, 3)(inputs), kl.Convolution2D(2, 3, 3)(inputs)]
    merged = kl.merge(pair, mode=lambda values: values[0] - values[1], output_shape=lambda shapes: shapes[0])
    return Model(inputs, kl.Dense(2)(kl.Flatten()(merged)))


def with_maxout():
    """A layer that no later Keras has."""
    return Sequential(
        [
            kl.Convolution2D(2, 3, 3, input_shape=(8, 8, 3)),
            kl.Flatten(),
            kl.MaxoutDense(4, nb_feature=2),
            kl.Highway(),
            kl.Dense(2),
        ]
    )


def normalised_by_sample():
    """A mode of BatchNormalization that no later Keras has."""
    return Sequential(
        [
            kl.Convolution2D(3, 3, 3, input_shape=(8, 8, 3)),
            kl.BatchNormalization(mode=1),
            kl.Flatten(),
            kl.Dense(2),
        ]
    )


def normalised_by_batch():
    """Another such mode: the statistics are those of the batch at hand."""
    return Sequential(
        [
            kl.Convolution2D(3, 3, 3, input_shape=(8, 8, 3)),
            kl.BatchNormalization(mode=2),
            kl.Flatten(),
            kl.Dense(2),
        ]
    )


def one_dimension():
    return Sequential([kl.Convolution1D(3, 3, input_shape=(16, 2)), kl.MaxPooling1D(2), kl.Flatten(), kl.Dense(2)])


def three_dimensions():
    return Sequential([kl.Convolution3D(2, 2, 2, 2, input_shape=(4, 6, 6, 1)), kl.Flatten(), kl.Dense(2)])


def recurrent():
    each = kl.TimeDistributed(kl.Convolution2D(2, 3, 3), input_shape=(3, 8, 8, 1))
    return Sequential([each, kl.TimeDistributed(kl.Flatten()), kl.LSTM(3), kl.Dense(2)])


def channels_first():
    return Sequential(
        [
            kl.ZeroPadding2D((1, 1), input_shape=(3, 10, 12)),
            kl.Convolution2D(4, 3, 3, activation="relu"),
            kl.BatchNormalization(axis=1),
            kl.MaxPooling2D((2, 2)),
            kl.Convolution2D(5, 2, 3, subsample=(1, 2), border_mode="same"),
            kl.Activation("relu"),
            kl.Flatten(),
            kl.Dense(3, activation="softmax"),
        ]
    )


def channels_first_functional():
    inputs = kl.Input((3, 10, 12))
    left = kl.Convolution2D(3, 3, 3, border_mode="same", activation="relu")(inputs)
    right = kl.AtrousConvolution2D(2, 3, 3, atrous_rate=(2, 2), border_mode="same")(inputs)
    both = kl.merge([left, right], mode="concat", concat_axis=1)
    return Model(inputs, kl.Dense(3, activation="softmax")(kl.GlobalAveragePooling2D()(both)))


def main():
    if keras.__version__ != "1.2.2":
        raise SystemExit(f"needs keras 1.2.2, this is {keras.__version__}")
    if TENSORFLOW:
        backend.set_image_dim_ordering("tf")
        write(sequential(), "k1_sequential")
        write(functional(), "k1_functional")
        write(unusual_convolutions(), "k1_convolutions")
        write(nested(), "k1_nested")
        write(two_branches(), "k1_two_branches")
        write(regression(), "k1_regression", suffix=".model")
        write(reshaped(), "k1_reshape")
        write(sequential(), "k1_sequential_pair", suffix=".json")
        write(functional(), "k1_functional_pair", suffix=".json")
        write(with_lambda(), "k1_lambda", answer=False)
        write(with_lambda(), "k1_lambda_pair", suffix=".json", answer=False)
        write(with_merge_function(), "k1_lambda_merge", answer=False)
        write(with_maxout(), "k1_maxout", answer=False)
        write(normalised_by_sample(), "k1_bn_mode1", answer=False)
        write(normalised_by_batch(), "k1_bn_mode2", answer=False)
        write(one_dimension(), "k1_conv1d", answer=False)
        write(three_dimensions(), "k1_conv3d", answer=False)
        write(recurrent(), "k1_lstm", answer=False)
        (OLD / "k1_architecture_only.json").write_text(functional().to_json())
        backend.set_image_dim_ordering("th")
        write(channels_first(), "k1_th_tensorflow")
    else:
        import_module("theano.ifelse")  # Keras uses it without importing it
        backend.set_image_dim_ordering("th")
        write(channels_first(), "k1_th_theano")
        write(channels_first(), "k1_th_theano_pair", suffix=".json")
        write(channels_first_functional(), "k1_th_theano_functional")
        backend.set_image_dim_ordering("tf")
        write(sequential(), "k1_tf_theano")


if __name__ == "__main__":
    main()
