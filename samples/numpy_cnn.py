"""The network of mnist.py in plain NumPy, forwards and backwards: what explainers compute, with nothing hidden.

    python samples/mnist.py
    python samples/numpy_cnn.py            # takes xcnn-out/mnist/mnist.keras, trains it first when it is not there

Each layer is a function that returns what it computes, and a function that takes the gradient of a score by its output
and returns that by its input. With them, saliency is one walk back to the pixels, guided backpropagation the same walk
with one line changed at the ReLU, and Grad-CAM a walk that ends at a convolution. The maps and gradients are compared
with those of Keras and with those of xcnn, and the largest difference is printed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import common
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Back = Callable[[np.ndarray], np.ndarray]
    """From the gradient by the output of a layer to the gradient by its input."""


def convolution(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, Back]:
    """Slide a kernel, (kh, kw, c, k), over a picture: y[i, j] = the sum of x[i + a, j + b] kernel[a, b], plus bias."""
    kh, kw = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(0, 1))  # (h', w', c, kh, kw)
    y = np.einsum("ijcab,abck->ijk", windows, kernel, optimize=True) + bias

    def back(dy: np.ndarray) -> np.ndarray:
        # A pixel hands its gradient to every place that the kernel carried it from.
        dx = np.zeros_like(x)
        for a in range(kh):
            for b in range(kw):
                dx[a : a + dy.shape[0], b : b + dy.shape[1]] += dy @ kernel[a, b].T
        return dx

    return y, back


def max_pooling(x: np.ndarray, size: int = 2) -> tuple[np.ndarray, Back]:
    """Keep the largest value of each `size` x `size` block; rows and columns that fill no block are left out."""
    h, w, c = x.shape[0] // size, x.shape[1] // size, x.shape[2]
    blocks = x[: h * size, : w * size].reshape(h, size, w, size, c).transpose(0, 2, 4, 1, 3).reshape(h, w, c, -1)
    winners = blocks.argmax(axis=-1)

    def back(dy: np.ndarray) -> np.ndarray:
        # Only the winner of a block had any say in it.
        dx = np.zeros_like(x)
        i, j, k = np.indices((h, w, c))
        np.add.at(dx, (i * size + winners // size, j * size + winners % size, k), dy)
        return dx

    return blocks.max(axis=-1), back


def relu(x: np.ndarray, rule: str = "plain") -> tuple[np.ndarray, Back]:
    """Keep what is positive. The rule says what goes back: "plain", "guided" or "deconv"."""

    def back(dy: np.ndarray) -> np.ndarray:
        if rule == "deconv":
            return dy * (dy > 0)  # whatever is positive, whether the unit was on or not
        handed = dy * (x > 0)  # the derivative: through where the unit was on
        return handed * (dy > 0) if rule == "guided" else handed

    return np.maximum(x, 0), back


def dense(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, Back]:
    """Multiply by a matrix, (n, k)."""
    return x @ kernel + bias, lambda dy: kernel @ dy


class Network:
    """The layers of mnist.py with its trained weights. Dropout is nothing once a network is trained."""

    def __init__(self, weights: dict[str, list[np.ndarray]]) -> None:
        self.weights = {name: [one.astype(np.float64) for one in given] for name, given in weights.items()}

    def forward(self, picture: np.ndarray, rule: str = "plain") -> tuple[dict[str, np.ndarray], dict[str, Back]]:
        """Compute the output of each layer and its way back, for one picture, (28, 28, 1), of 0 to 255."""
        found: dict[str, np.ndarray] = {}
        ways: dict[str, Back] = {}

        def layer(name: str, *steps: tuple[np.ndarray, Back]) -> np.ndarray:
            found[name] = steps[-1][0]

            def back(dy: np.ndarray) -> np.ndarray:
                for _, way in reversed(steps):
                    dy = way(dy)
                return dy

            ways[name] = back
            return found[name]

        x = layer("rescaling", (picture / 255, lambda dy: dy / 255))
        for number in ("1", "2"):
            y = convolution(x, *self.weights[f"conv{number}"])
            x = layer(f"conv{number}", y, relu(y[0], rule))
            x = layer(f"pool{number}", max_pooling(x))
        shape = x.shape
        x = layer("flatten", (x.ravel(), lambda dy: dy.reshape(shape)))
        y = dense(x, *self.weights["dense"])
        x = layer("dense", y, relu(y[0], rule))
        layer("digits", dense(x, *self.weights["digits"]))  # the scores: the softmax comes after them
        return found, ways

    def gradient(self, picture: np.ndarray, digit: int, *, by: str = "", rule: str = "plain") -> np.ndarray:
        """The gradient of a digit's score by the output of layer `by`, or by the pixels."""
        found, ways = self.forward(picture, rule)
        arriving = np.zeros_like(found["digits"])
        arriving[digit] = 1
        for name in reversed(found):
            if name == by:
                break
            arriving = ways[name](arriving)
        return arriving

    def gradcam(self, picture: np.ndarray, digit: int, layer: str = "conv2") -> np.ndarray:
        """Selvaraju et al. (2017), equations 1 and 2: maps weighed by their mean gradients, the positive part."""
        weights = self.gradient(picture, digit, by=layer).mean(axis=(0, 1))
        return np.maximum(self.forward(picture)[0][layer] @ weights, 0)


def differences(path: Path, pictures: list[np.ndarray]) -> dict[str, float]:
    """Compare with Keras and xcnn: the largest difference of each kind of number, as a part of the largest number."""
    import keras
    import tensorflow as tf

    import xcnn

    model = keras.saving.load_model(path)
    own = Network({layer.name: layer.get_weights() for layer in model.layers if layer.weights})
    watched = ("conv1", "pool1", "conv2", "pool2", "dense")
    taps = keras.Model(model.inputs, [model.get_layer(name).output for name in watched])
    model.get_layer("digits").activation = keras.activations.linear
    scores = keras.Model(model.inputs, model.layers[-1](model.layers[-2].output))
    explainers = [xcnn.Saliency(reduce="signed"), xcnn.Guided(reduce="signed"), xcnn.Deconv(reduce="signed")]
    worst: dict[str, float] = {}

    def differs(what: str, mine: np.ndarray, theirs: np.ndarray) -> None:
        worst[what] = max(worst.get(what, 0.0), float(np.abs(mine - theirs).max() / np.abs(theirs).max()))

    for picture in pictures:
        x = tf.constant(picture[np.newaxis].astype(np.float32))
        found, _ = own.forward(picture)
        for name, theirs in zip(watched, taps(x), strict=True):
            differs(f"{name}, against Keras", found[name], np.asarray(theirs)[0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            theirs = scores(x)
            digit = int(np.argmax(theirs[0]))
            score = theirs[0, digit]
        differs("scores, against Keras", found["digits"], np.asarray(theirs)[0])
        differs(
            "gradient by the pixels, against Keras", own.gradient(picture, digit), tape.gradient(score, x)[0].numpy()
        )
        run = xcnn.explain(path, np.repeat(picture, 3, axis=2), [*explainers, xcnn.GradCAM(layer="conv2")])
        saliency, guided, deconv, gradcam = (result.panels[0].values for result in run.results)
        # Colour pictures become gray before they are explained, so the maps are of one channel.
        differs("saliency, against xcnn", own.gradient(picture, digit)[..., 0], saliency)
        differs("guided, against xcnn", own.gradient(picture, digit, rule="guided")[..., 0], guided)
        differs("deconv, against xcnn", own.gradient(picture, digit, rule="deconv")[..., 0], deconv)
        differs("Grad-CAM, against xcnn", own.gradcam(picture, digit), gradcam)
    return worst


def drawn(path: Path, own: Network, picture: np.ndarray) -> None:
    """Draw what was computed here for one picture: feature maps, three kinds of gradients, Grad-CAM."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found, _ = own.forward(picture)
    digit = int(found["digits"].argmax())
    maps = [("picture", picture[..., 0], "gray")]
    maps += [(f"conv1, channel {k}", found["conv1"][..., k], "viridis") for k in range(4)]
    kinds = {"saliency": "plain", "guided": "guided", "deconv": "deconv"}
    maps += [(name, own.gradient(picture, digit, rule=rule)[..., 0], "RdBu_r") for name, rule in kinds.items()]
    maps += [("pool2, channel 0", found["pool2"][..., 0], "viridis")]
    maps += [("Grad-CAM of conv2", own.gradcam(picture, digit), "viridis")]
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    figure.suptitle(f"Computed in NumPy: why this is a {digit}")
    words = "bright: strong; red: a brighter pixel raises the score of the digit, blue: it lowers it"
    figure.supxlabel(f"{words}; each on a scale of its own", fontsize=9)
    for axes, (title, values, palette) in zip(figure.subplots(2, 5).flat, maps, strict=True):
        limit = np.abs(values).max() or 1
        axes.imshow(values, cmap=palette, vmin=-limit if palette == "RdBu_r" else 0, vmax=limit)
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    FigureCanvasAgg(figure).print_png(path)


def main() -> None:
    """Read the trained weights, compare, draw."""
    import mnist
    from keras.saving import load_model

    given = common.arguments(__doc__.splitlines()[0], name="numpy-cnn", epochs=15, quick=3)
    trained = Path("xcnn-out/mnist/mnist.keras")
    if not trained.exists():
        print("training the network of mnist.py first")
        more = ["--data", str(given.data)] if given.data else []
        quick = ["--quick"] if given.quick else []
        train = Path(__file__).with_name("mnist.py")
        subprocess.run([sys.executable, str(train), *quick, *more, "--epochs", str(given.epochs)], check=True)
    pictures, labels = mnist.digits(given.data)
    _, testing = common.split(labels, mnist.HELD_OUT, given.seed)
    chosen = [pictures[index] for index in testing[: 5 if given.quick else 50]]

    found = differences(trained, chosen)
    for what, worst in found.items():
        print(f"{what:<45} {worst:.1e}")
    print(f"largest difference on {len(chosen)} digits: {max(found.values()):.1e}")
    own = Network({layer.name: layer.get_weights() for layer in load_model(trained).layers if layer.weights})
    given.out.mkdir(parents=True)
    drawn(given.out / "numpy.png", own, chosen[0])
    print(given.out / "numpy.png")


if __name__ == "__main__":
    main()
