"""Make the files of earlier Keras 3 versions in old/.

Run three times with Python 3.10 and tensorflow 2.16.2: with keras 3.0.5, with keras 3.3.3 and with keras 3.5.0;
the files are committed.
"""

import keras
from corpus import OLD, fill, keep_answer
from keras import layers as kl
from keras import ops

PREFIX = "k" + keras.__version__.replace(".", "")[:2]


def write(model, name, *, suffix=".keras", answer=True, low=-1.0, high=1.0):
    """Save a model with random weights."""
    stem = f"{PREFIX}_{name}"
    fill(model)
    if answer:
        keep_answer(model, stem, low=low, high=high)
    model.save(OLD / f"{stem}{suffix}")
    keras.utils.clear_session()


def make_base():
    image = keras.Input((12, 12, 3), name="base_input")
    x = kl.Conv2D(4, 3, padding="same", use_bias=False, name="Conv1")(image)
    x = kl.ReLU(6.0, name="Conv1_relu")(kl.BatchNormalization(name="bn_Conv1")(x))
    x = kl.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(x)
    x = kl.SeparableConv2D(4, 3, padding="same", name="project")(kl.BatchNormalization(name="depthwise_BN")(x))
    base = keras.Model(image, kl.MaxPooling2D(2, name="pool")(x), name="base")
    base.trainable = False
    return base


def nested():
    image = keras.Input((12, 12, 3), name="image")
    x = make_base()(kl.Conv2D(3, 1, name="mix")(image))
    head = keras.Sequential([keras.Input((4,)), kl.Dense(4, activation="relu"), kl.Dense(2)], name="head")
    model = keras.Model(image, head(kl.GlobalAveragePooling2D()(x)))
    model.compile(optimizer="adam", loss="mse")
    return model


def sequential():
    return keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            kl.RandomFlip("horizontal"),
            kl.Rescaling(1 / 127.5, offset=-1),
            kl.Conv2D(4, 3, activation="relu"),
            kl.PReLU(shared_axes=[1, 2]),
            kl.SpatialDropout2D(0.2),
            kl.GlobalAveragePooling2D(),
            kl.Dense(3, activation="softmax"),
        ]
    )


def operations():
    """Op nodes from operators, keras.ops and slices."""
    image = keras.Input((12, 12, 3), name="image")
    turned = image[:, :, :, ::-1] if PREFIX == "k30" else image[..., ::-1]  # 3.0 can't save an Ellipsis
    x = kl.Conv2D(4, 3, padding="same", name="conv")(turned / 255.0 - 0.5)
    y = kl.Conv2D(4, 3, padding="same", name="other")(ops.relu(x))
    x = 1.0 - ops.concatenate([x + y, ops.maximum(x, y)], axis=-1)
    pooled = ops.mean(ops.image.resize(x, (8, 8)), axis=(1, 2))
    return keras.Model(image, ops.softmax(kl.Dense(3, name="scores")(ops.multiply(pooled, 2.0))))


def prepared(mode):
    """A preprocess_input of keras.applications inside the model."""
    module = {
        "caffe": keras.applications.vgg16,
        "tf": keras.applications.mobilenet_v2,
        "torch": keras.applications.densenet,
    }[mode]
    image = keras.Input((12, 12, 3), name="image")
    x = kl.Conv2D(4, 3, activation="relu", name="conv")(module.preprocess_input(image))
    return keras.Model(image, kl.Dense(2, name="scores")(kl.GlobalAveragePooling2D()(x)))


def shared():
    left, right = keras.Input((12, 12, 3), name="left"), keras.Input((12, 12, 3), name="right")
    base = make_base()
    one, two = base(left), base(right)
    joined = kl.GlobalAveragePooling2D()(kl.Subtract()([one, two]))
    return keras.Model([left, right], [kl.Dense(2, name="scores")(joined), kl.Dense(1, name="age")(joined)])


def without_path(function):
    """Take the folder of this file out of a function that is saved with its code."""
    function.__code__ = function.__code__.replace(co_filename="scale.py")
    return function


def with_lambda():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            kl.Lambda(without_path(lambda x: x / 255.0)),
            kl.Conv2D(2, 3),
            kl.Flatten(),
            kl.Dense(2),
        ]
    )


class Doubled(kl.Layer):
    """A layer of the user's own."""

    def call(self, inputs):
        return inputs * 2.0


def unknown():
    image = keras.Input((8, 8, 3))
    x = Doubled(name="second")(kl.Conv2D(2, 3)(Doubled(name="first")(image)))
    return keras.Model(image, kl.Dense(2)(kl.Flatten()(x)))


def main():
    if PREFIX not in {"k30", "k33", "k35"}:
        raise SystemExit(f"needs keras 3.0.5, 3.3.3 or 3.5.0, this is {keras.__version__}")
    for suffix in (".keras", ".h5"):
        mark = "zip_" if suffix == ".keras" else ""
        with_models_inside = suffix == ".keras" or PREFIX != "k30"  # 3.0 fails to write such a HDF5 file
        if with_models_inside:
            write(nested(), f"{mark}nested", suffix=suffix)
        write(sequential(), f"{mark}sequential", suffix=suffix, low=0.0, high=255.0)
        write(operations(), f"{mark}operations", suffix=suffix, low=0.0, high=255.0)
        if with_models_inside and PREFIX != "k33":
            write(shared(), f"{mark}shared", suffix=suffix)
        if PREFIX != "k33":
            for mode in ("tf", "torch") if PREFIX == "k30" else ("caffe", "tf", "torch"):
                write(prepared(mode), f"{mark}prepared_{mode}", suffix=suffix, low=0.0, high=255.0)
    if PREFIX == "k30":
        write(with_lambda(), "lambda", suffix=".h5", answer=False)
        write(with_lambda(), "zip_lambda", answer=False)
        write(unknown(), "unknown", suffix=".h5", answer=False)
        write(unknown(), "zip_unknown", answer=False)
        model = nested()
        fill(model)
        model.save_weights(OLD / "k30_only.weights.h5")


if __name__ == "__main__":
    main()
