"""Numbers of pytorch-grad-cam on the networks of xcnn's crosscheck: run where torch is, writes numbers.npz.

    python tests/crosscheck/pytorch_grad_cam_numbers.py

Needs torch, captum (which the networks' module imports) and grad-cam. Maps are those before ReLU, scaling and enlarging.
"""

from __future__ import annotations

import importlib.metadata
import sys
import warnings
from unittest import mock

import numpy as np
import settings
import torch
from pytorch_grad_cam import AblationCAM, EigenCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, ScoreCAM, XGradCAM
from pytorch_grad_cam.activations_and_gradients import ActivationsAndGradients
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

torch_numbers, weights = settings.of_xcnn("torch_numbers"), settings.of_xcnn("weights")
METHODS = {
    "gradcampp": GradCAMPlusPlus,
    "layercam": LayerCAM,
    "hirescam": HiResCAM,
    "xgradcam": XGradCAM,
    "eigencam": EigenCAM,
    "scorecam": ScoreCAM,
    "ablationcam": AblationCAM,
}
LARGER = 1e4
"""Grad-CAM++ does not change when activations shrink by as much as gradients grow, but its 1e-6 then all but vanishes."""


class Middles(nn.Upsample):
    """Enlarges between the middles of cells, as the code of Score-CAM's authors does."""

    def __init__(self, size):
        super().__init__(size, mode="bilinear", align_corners=False)


def layer_of(model, name):
    """The module of a rectifier: they are numbered."""
    rectifiers = [one for one in model if isinstance(one, nn.ReLU | nn.ReLU6)]
    return rectifiers[int(name.removeprefix("relu")) - 1]


def raw(method, name, path, inputs, larger=1.0):
    """What pytorch-grad-cam computes before it drops what is below zero, scales and enlarges, (h, w)."""
    model, _ = torch_numbers.built(name)  # anew: some exchange the modules of their model
    layer = layer_of(model, path)
    watched = ActivationsAndGradients(model, [layer], None)
    watched(inputs)[0, weights.TARGET].backward()
    features, gradients = watched.activations[0].numpy() / larger, watched.gradients[0].numpy() * larger
    watched.release()
    with METHODS[method](model=model, target_layers=[layer]) as cam:
        found = cam.get_cam_image(inputs, layer, [ClassifierOutputTarget(weights.TARGET)], features, gradients, False)
    return np.asarray(found[0], np.float32)


def numbers(name, path):
    """Every method at one layer."""
    inputs = torch.tensor(weights.picture().transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255))
    found = {method: raw(method, name, path, inputs) for method in METHODS}
    found["gradcampp without its 1e-6"] = raw("gradcampp", name, path, inputs, LARGER)
    with mock.patch.object(nn, "UpsamplingBilinear2d", Middles):
        found["scorecam between middles"] = raw("scorecam", name, path, inputs)
    return {f"{name}/{path}/{what}": values for what, values in found.items()}


def main():
    """Write the numbers and where they are from."""
    warnings.simplefilter("ignore")
    every = {}
    for name, paths in settings.LAYERS.items():
        every[f"{name}/checksum"] = weights.checksum(name)
        for path in paths:
            every |= numbers(name, path)
    about = ", ".join(f"{one} {importlib.metadata.version(one)}" for one in ("torch", "grad-cam"))
    np.savez_compressed(settings.STORED, about=about, **every)
    sys.stdout.write(f"{settings.STORED.name}: {settings.STORED.stat().st_size / 1000:.0f} kB, {about}\n")


if __name__ == "__main__":
    main()
