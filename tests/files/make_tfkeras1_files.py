"""Make the files of TensorFlow 1's own Keras ("2.2.4-tf") in old/.

Run twice with Python 3.7, h5py 2.10 and numpy 1.18: with tensorflow 1.13.2, then with tensorflow 1.15.5;
the files are committed.
"""

import tensorflow as tf
from corpus import OLD, fill, keep_answer

kl = tf.keras.layers
PREFIX = {"1.13.2": "tf113", "1.15.5": "tf115"}.get(tf.__version__)


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
    tf.keras.backend.clear_session()


def sequential():
    """Compiled, so that the file has a loss and an old optimizer config."""
    model = tf.keras.Sequential(
        [
            kl.Conv2D(4, (3, 3), padding="same", kernel_initializer="he_uniform", input_shape=(12, 12, 3)),
            kl.BatchNormalization(axis=-1, fused=True),
            kl.PReLU(shared_axes=[1, 2]),
            kl.SpatialDropout2D(0.25),
            kl.MaxPooling2D((2, 2)),
            kl.Conv2D(
                5, (3, 3), kernel_initializer=tf.keras.initializers.TruncatedNormal(stddev=0.1), activation=tf.nn.relu
            ),
            kl.Flatten(),
            kl.Dropout(0.5),
            kl.Dense(3, activation=tf.nn.softmax),
        ]
    )
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def make_base(*, frozen=0):
    """A small backbone; its first `frozen` layers, or the model itself (-1), are not to be trained."""
    image = tf.keras.Input((12, 12, 3))
    x = kl.DepthwiseConv2D((3, 3), padding="same", use_bias=False, depth_multiplier=2, name="depthwise")(image)
    x = kl.ReLU(6.0, name="relu")(kl.BatchNormalization(name="bn1")(x))
    x = kl.SeparableConv2D(4, (3, 3), padding="same", use_bias=False, name="separable")(x)
    x = kl.BatchNormalization(name="bn2")(x)
    base = tf.keras.Model(image, kl.AveragePooling2D((2, 2), name="pool")(x), name="base")
    if frozen < 0:
        base.trainable = False
    for layer in base.layers[: max(frozen, 0)]:
        layer.trainable = False
    return base


def transfer(*, frozen):
    return tf.keras.Sequential(
        [make_base(frozen=frozen), kl.GlobalAveragePooling2D(), kl.Dense(2, activation="softmax")]
    )


def functional(*, frozen):
    image = tf.keras.Input((12, 12, 3), name="image")
    x = make_base(frozen=frozen)(kl.Conv2D(3, (1, 1), name="mix")(image))
    both = kl.Concatenate()([kl.GlobalAveragePooling2D()(x), kl.GlobalMaxPooling2D()(x)])
    return tf.keras.Model(image, kl.Dense(3, activation="softmax", name="scores")(both))


def slashes():
    """Slashes in the names of layers, and a batch of fixed size."""
    image = tf.keras.Input((10, 10, 3), batch_size=2, name="in/image")
    x = kl.Conv2D(4, (3, 3), activation="relu", name="block/conv")(image)
    x = kl.Conv2D(4, (3, 3), activation="relu", name="block/conv/again")(x)
    x = kl.BatchNormalization(name="block/bn")(x)
    return tf.keras.Model(image, kl.Dense(2, name="head/logits")(kl.GlobalAveragePooling2D(name="head/gap")(x)))


def three_dimensions():
    return tf.keras.Sequential([kl.Conv3D(2, 2, input_shape=(4, 6, 6, 1)), kl.Flatten(), kl.Dense(2)])


def with_lambdas():
    """Lambdas behind an initializer that Keras 3 stumbles over first."""
    image = tf.keras.Input((8, 8, 3))
    x = kl.Lambda(lambda x: x / 255.0, name="scale")(kl.Conv2D(3, (3, 3), padding="same")(image))
    x = kl.Lambda(lambda x: tf.image.resize_bilinear(x, (4, 4)), name="resize")(x)
    return tf.keras.Model(image, kl.Dense(2)(kl.Flatten()(x)))


def with_operations():
    """Arithmetic between layers: TensorFlow 1.15 saves TensorFlowOpLayer nodes."""
    image = tf.keras.Input((8, 8, 3))
    x = kl.Conv2D(3, (3, 3), padding="same")(image / 127.5 - 1.0)
    return tf.keras.Model(image, kl.Dense(2)(kl.Flatten()(tf.nn.relu(x) + image)))


def main():
    if PREFIX is None:
        raise SystemExit(f"needs tensorflow 1.13.2 or 1.15.5, this is {tf.__version__}")
    write(sequential(), "sequential")
    write(transfer(frozen=3), "transfer_partly_frozen", suffix=".hdf5")
    write(functional(frozen=0), "functional")
    write(slashes(), "slashes")
    write(functional(frozen=0), "pair", suffix=".json")
    if PREFIX == "tf113":  # what follows would be the same
        return
    write(transfer(frozen=0), "transfer")
    write(transfer(frozen=99), "transfer_each_frozen")
    write(transfer(frozen=-1), "transfer_frozen")
    write(functional(frozen=3), "functional_partly_frozen")
    write(three_dimensions(), "conv3d", answer=False)
    write(with_lambdas(), "lambdas", answer=False)
    write(with_operations(), "operations")


if __name__ == "__main__":
    main()
