"""xcnn's numbers beside those of captum and pytorch-grad-cam, on the networks of `weights`.

    python tests/crosscheck/comparison.py > tests/crosscheck/table.txt

prints the table of their differences.
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import weights

import xcnn
from xcnn import GradCAM, GuidedGradCAM, IntegratedGradients, Occlusion, Saliency
from xcnn.network.rules import RULES

STORED = Path(__file__).parent / "numbers.npz"
ROOT_OF_SQUARES = "l2"


def built(name):
    """A network of `weights` in Keras."""
    layers, pairs = [keras.Input((*weights.SIZE, 3))], []
    for kind, step, parts, settings in weights.steps(name):
        layer = _layer(kind, step, parts, settings)
        layers.append(layer)
        pairs.append((layer, [part for part in parts if part is not None]))
    model = keras.Sequential([*layers, keras.layers.Softmax()], name=name)
    for layer, parts in pairs:
        layer.set_weights(parts)
    return model


def _layer(kind, step, parts, settings):
    if kind == "conv":
        bias = parts[1] is not None
        made, size = parts[0].shape[3], parts[0].shape[:2]
        return keras.layers.Conv2D(made, size, settings["stride"], "same", use_bias=bias, name=step)
    if kind == "depthwise":
        return keras.layers.DepthwiseConv2D(3, settings["stride"], "same", use_bias=False, name=step)
    if kind == "dense":
        return keras.layers.Dense(parts[0].shape[1], name=step)
    simple = {
        "relu": keras.layers.ReLU,
        "relu6": lambda name: keras.layers.ReLU(6, name=name),
        "norm": lambda name: keras.layers.BatchNormalization(epsilon=1e-3, name=name),
        "pool": keras.layers.MaxPooling2D,
        "flatten": keras.layers.Flatten,
        "gap": keras.layers.GlobalAveragePooling2D,
    }
    return simple[kind](name=step)


def layer_of(name):
    """The layer that Grad-CAM looks at: behind its ReLU."""
    return weights.CAM_LAYERS[name].replace("conv", "relu")


def computed(name):
    """Every method on one network: by the network where channels are told apart, else by the explainer."""
    network = xcnn.open_network(built(name), preprocess="unit")
    target = str(weights.TARGET)
    batch = network.batch([weights.picture()], [target], np.random.default_rng(0))
    found = {"saliency": network.input_gradients(batch)[0], "scores": batch.scores[0]}
    found |= {rule: network.input_gradients(batch, rule)[0] for rule in RULES}
    layer = layer_of(name)

    def shown(explainer):
        return xcnn.explain(network, weights.picture(), explainer, target=target).results[0].panels[0].values

    found["gradcam"] = shown(GradCAM(layer=layer))
    found["integrated"] = shown(IntegratedGradients(steps=weights.STEPS, baseline="black"))
    for how in ("nearest", "bilinear"):
        found[f"guided-gradcam {how}"] = shown(GuidedGradCAM(layer=layer, enlarge=how, reduce=ROOT_OF_SQUARES))
    for how, (window, stride) in weights.WINDOWS.items():
        found[f"occlusion {how}"] = shown(Occlusion(window=window, stride=stride, fill="black"))
    for how in ("max", "mean", "l2", "signed"):
        found[f"saliency --reduce {how}"] = shown(Saliency(reduce=how))
    return found


def stored(name):
    """The numbers of the others, their channels reduced where xcnn's explainers reduce them."""
    with np.load(STORED) as numbers:
        found = {key.partition("/")[2]: numbers[key] for key in numbers.files if key.startswith(f"{name}/")}
    found["integrated"] = found["integrated"].sum(axis=-1)
    slopes = found["saliency"]
    found |= {
        "saliency --reduce max": np.abs(slopes).max(axis=-1),
        "saliency --reduce mean": np.abs(slopes).mean(axis=-1),
        "saliency --reduce l2": np.sqrt((slopes**2).sum(axis=-1)),
        "saliency --reduce signed": slopes.sum(axis=-1),
    }
    for how in ("nearest", "bilinear"):
        found[f"guided-gradcam {how}"] = np.sqrt((found[f"guided-gradcam {how}"] ** 2).sum(axis=-1))
    return found


def compared(name):
    """(method, difference): the largest difference by the largest value of the other library."""
    mine, theirs = computed(name), stored(name)
    for method, values in sorted(theirs.items()):
        if method != "checksum":
            own = mine[method.partition(" (")[0]]
            assert own.shape == values.shape, f"{method}: {own.shape} is not {values.shape}"
            yield method, float(np.abs(own - values).max() / np.abs(values).max())


def source(name, method):
    """Whose numbers they are."""
    if "(pytorch-grad-cam)" in method:
        return "pytorch-grad-cam"
    if method == "scores":
        return "torch"
    if name == "mobilenet" and method.startswith(("guided", "deconv")):
        return "the definition in torch: captum's rules pass over ReLU6"
    return "captum"


def main():
    """Print the table."""
    with np.load(STORED) as numbers:
        lines = [f"Largest difference to {numbers['about']}, by the largest value.", ""]
    lines += [
        f"{name:<10} {method:<28} {difference:8.1e}   {source(name, method)}"
        for name in weights.NAMES
        for method, difference in compared(name)
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
