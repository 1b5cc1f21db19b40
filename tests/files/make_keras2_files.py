"""Make the small Keras 2 fixtures next to this script.

Run once with Python 3.10 and tensorflow 2.15 (Keras 2.15); the files are committed.
All three model files hold the same trained weights, so the one input and output in
keras2_functional.npz fits each of them.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

HERE = Path(__file__).resolve().parent
SHAPE = (16, 16, 3)


def make_layers() -> list[tf.keras.layers.Layer]:
    layers = tf.keras.layers
    return [
        layers.Conv2D(4, 3, activation="relu", padding="same", name="conv1"),
        layers.MaxPooling2D(name="pool"),
        layers.Conv2D(6, 3, activation="relu", padding="same", name="conv2"),
        layers.GlobalAveragePooling2D(name="gap"),
        layers.Dense(3, activation="softmax", name="predictions"),
    ]


def train_one_step(model: tf.keras.Model) -> None:
    """Compile and run one step, so that the saved file has optimizer state."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(6, *SHAPE)).astype("float32")
    y = np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2]]
    model.compile(optimizer="adam", loss="categorical_crossentropy")
    model.train_on_batch(x, y)


def main() -> None:
    if not tf.__version__.startswith("2.15."):
        raise SystemExit(f"needs tensorflow 2.15, this is {tf.__version__}")
    tf.keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()

    inputs = tf.keras.Input(SHAPE, name="input")
    outputs = inputs
    for layer in make_layers():
        outputs = layer(outputs)
    functional = tf.keras.Model(inputs, outputs, name="functional_cnn")
    train_one_step(functional)

    sequential = tf.keras.Sequential([tf.keras.Input(SHAPE, name="input"), *make_layers()], name="sequential_cnn")
    train_one_step(sequential)
    sequential.set_weights(functional.get_weights())

    functional.save(HERE / "keras2_functional.h5")
    functional.save_weights(HERE / "keras2_weights_only.h5")
    sequential.save(HERE / "keras2_sequential.h5")
    x = np.random.default_rng(2).normal(size=(1, *SHAPE)).astype("float32")
    y = functional.predict(x, verbose=0)
    np.savez_compressed(HERE / "keras2_functional.npz", x=x, y=y)


if __name__ == "__main__":
    main()
