"""What a user would write by hand: load the embedded model, one Grad-CAM, one picture."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import sys
from importlib import resources

import cv2
import keras
import numpy as np
import tensorflow as tf


def main(picture: str, out: str) -> None:
    """Write the overlay of the best class at the last activation."""
    path = resources.files("xcnn") / "data" / "efficientnet-lite0.keras"
    model = keras.saving.load_model(str(path), compile=False)
    image = cv2.imread(picture)[..., ::-1]
    pixels = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA)
    inputs = (pixels[np.newaxis].astype("float32") - 127) / 128
    both = keras.Model(model.inputs, [model.get_layer("top_act").output, model.outputs[0]])
    with tf.GradientTape() as tape:
        features, scores = both(inputs, training=False)
        score = tf.reduce_max(scores, axis=1)
    weights = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2))
    cam = np.maximum(np.asarray(features)[0] @ np.asarray(weights)[0], 0)
    cam = cv2.resize(cam / cam.max(), image.shape[1::-1])
    heat = cv2.applyColorMap((cam * 255).astype("uint8"), cv2.COLORMAP_VIRIDIS)
    cv2.imwrite(out, cv2.addWeighted(np.ascontiguousarray(image[..., ::-1]), 0.5, heat, 0.5, 0))


if __name__ == "__main__":
    main(*sys.argv[1:])
