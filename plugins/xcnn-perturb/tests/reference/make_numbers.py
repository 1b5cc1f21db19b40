"""Numbers of the libraries lime and shap on the scores of `games`: run where both are, writes numbers.npz.

python tests/reference/make_numbers.py
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import numpy as np
import shap
from games import COUNT, game
from lime.lime_image import LimeImageExplainer

OUT = Path(__file__).parent / "numbers.npz"
SAMPLES = 300
LABELS = np.arange(COUNT).repeat(2).reshape(4, 4)
"""Eight superpixels of two pixels."""


def of_lime() -> dict[str, np.ndarray]:
    """Explain a white picture whose superpixels are blackened, with the masks that the library draws."""
    seen = []

    def classify(pictures):
        masks = np.array([[picture[number == LABELS][0, 0] > 0 for number in range(COUNT)] for picture in pictures])
        seen.append(masks.astype(np.uint8))
        return game(masks)

    explainer = LimeImageExplainer(random_state=3)
    white = np.full((4, 4, 3), 255, np.uint8)
    found = explainer.explain_instance(
        white, classify, labels=(0, 1), hide_color=0, num_samples=SAMPLES, segmentation_fn=lambda _: LABELS,
    )  # fmt: skip
    values = np.zeros((2, COUNT))
    for target in (0, 1):
        for number, value in found.local_exp[target]:
            values[target, number] = value
    return {
        "lime_masks": np.concatenate(seen),
        "lime_values": values,
        "lime_fit": np.array(found.score),  # of the last one, the best: the first target
    }


def of_shap() -> dict[str, np.ndarray]:
    """Explain all ones before a background of zeros; all coalitions fit."""
    explainer = shap.KernelExplainer(game, np.zeros((1, COUNT)))
    values = explainer.shap_values(np.ones((1, COUNT)), nsamples=1000, l1_reg=False)
    return {"shap_values": np.asarray(values)[0].T}


if __name__ == "__main__":
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("lime", "shap", "numpy")]
    np.savez(OUT, versions=np.array(versions), **of_lime(), **of_shap())
    sys.stdout.write(f"{OUT.name}: {', '.join(versions)}\n")
