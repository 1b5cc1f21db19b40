"""The plugin's numbers beside those of pytorch-grad-cam, on the networks of xcnn's crosscheck.

    python tests/crosscheck/cams_comparison.py > tests/crosscheck/table.txt

prints the table of their differences.
"""

from __future__ import annotations

import sys

import numpy as np
import settings

import xcnn
from xcnn_cams import AblationCAM, EigenCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM

comparison, weights = settings.of_xcnn("comparison"), settings.of_xcnn("weights")
EXPLAINERS = {
    "gradcampp": (GradCAMPlusPlus, {}),
    "gradcampp without its 1e-6": (GradCAMPlusPlus, {}),
    "layercam": (LayerCAM, {}),
    "hirescam": (HiResCAM, {}),
    "xgradcam": (XGradCAM, {}),
    "eigencam": (EigenCAM, {"centre": True}),
    "scorecam": (ScoreCAM, {"top_channels": 0, "enlarge": "corners"}),
    "scorecam between middles": (ScoreCAM, {"top_channels": 0}),
    "ablationcam": (AblationCAM, {}),
}
DEVIATIONS = {
    "gradcampp": "its denominators have 1e-6 more",
    "gradcampp without its 1e-6": "its own code on gradients 1e4 times as large and activations as much smaller",
    "eigencam": "centred, its sign turned where it is the other",
    "scorecam": "--enlarge corners",
    "scorecam between middles": "its own code, but enlarged between the middles of cells",
    "ablationcam": "times the score",
}
AGREED = {method for method in EXPLAINERS if method != "gradcampp"}
"""The others' 1e-6 makes Grad-CAM++ another method where gradients are small."""


def stored():
    """The numbers of pytorch-grad-cam by network, layer and method."""
    with np.load(settings.STORED) as numbers:
        return {tuple(key.split("/")): numbers[key] for key in numbers.files}


def as_here(method, theirs, mine, score):
    """Their numbers in the plugin's unit and sign, what is below zero dropped where the plugin drops it."""
    if method == "hirescam":
        return theirs
    if method == "ablationcam":
        theirs = theirs * score
    if method == "eigencam" and np.vdot(theirs, mine) < 0:
        theirs = -theirs
    return np.maximum(theirs, 0)


def compared(name):
    """(layer, method, difference): the largest difference by the largest value of pytorch-grad-cam."""
    network = xcnn.open_network(comparison.built(name), preprocess="unit")
    every = stored()
    for path in settings.LAYERS[name]:
        for method, (kind, options) in EXPLAINERS.items():
            run = xcnn.explain(network, weights.picture(), kind(layer=path, **options), target=str(weights.TARGET))
            mine = run.results[0].panels[0].values
            score = run.results[0].target.score if run.results[0].target else 0
            theirs = as_here(method, every[name, path, method], mine, score)
            assert mine.shape == theirs.shape, f"{method}: {mine.shape} is not {theirs.shape}"
            yield path, method, float(np.abs(mine - theirs).max() / np.abs(theirs).max())


def main():
    """Print the table."""
    lines = [f"Largest difference to {stored()['about',]}, by the largest value.", ""]
    lines += [
        f"{name:<10} {path:<6} {method:<27} {difference:8.1e}   {DEVIATIONS.get(method, '')}".rstrip()
        for name in settings.LAYERS
        for path, method, difference in compared(name)
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
