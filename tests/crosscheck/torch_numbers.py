"""Numbers of captum and pytorch-grad-cam on the networks of `weights`: run where torch is, writes numbers.npz.

    python tests/crosscheck/torch_numbers.py

Arrays are turned to channels last. What neither library can do is computed by the definition: captum and
pytorch-grad-cam replace ``nn.ReLU`` modules only, so that their rules pass over ReLU6 in silence.
"""

from __future__ import annotations

import importlib.metadata
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import weights
from captum.attr import (
    Deconvolution,
    GuidedBackprop,
    GuidedGradCam,
    IntegratedGradients,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from pytorch_grad_cam import GradCAM, GuidedBackpropReLUModel
from pytorch_grad_cam.activations_and_gradients import ActivationsAndGradients
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

OUT = Path(__file__).parent / "numbers.npz"
TARGET = weights.TARGET


class Same(nn.Module):
    """Zeros around the input as TensorFlow adds them: with a stride of two none at the top and left."""

    def __init__(self, kernel, stride):
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x):
        padding = []
        for side in (x.shape[3], x.shape[2]):
            total = max((-(-side // self.stride) - 1) * self.stride + self.kernel - side, 0)
            padding += [total // 2, total - total // 2]
        return nn.functional.pad(x, padding)


class Flatten(nn.Module):
    """Positions before channels, as with the channels last."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class Gap(nn.Module):
    """Global average pooling."""

    def forward(self, x):
        return x.mean(dim=(2, 3))


def convolution(parts, stride, *, depthwise):
    """Zeros and a convolution."""
    kernel, bias = parts
    turned = torch.tensor(kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(3, 2, 0, 1))
    made, taken = turned.shape[:2]
    groups = made if depthwise else 1
    layer = nn.Conv2d(taken * groups, made, kernel.shape[0], stride, groups=groups, bias=bias is not None)
    layer.weight.data = turned
    if bias is not None:
        layer.bias.data = torch.tensor(bias)
    return [Same(kernel.shape[0], stride), layer]


def module(kind, parts, settings):
    """The modules of a step."""
    if kind in {"conv", "depthwise"}:
        return convolution(parts, settings["stride"], depthwise=kind == "depthwise")
    if kind == "norm":
        layer = nn.BatchNorm2d(len(parts[0]), eps=1e-3)
        layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var = map(torch.tensor, parts)
        return [layer]
    if kind == "dense":
        layer = nn.Linear(*parts[0].shape)
        layer.weight.data, layer.bias.data = torch.tensor(parts[0].T.copy()), torch.tensor(parts[1])
        return [layer]
    simple = {"relu": nn.ReLU, "relu6": nn.ReLU6, "pool": lambda: nn.MaxPool2d(2), "flatten": Flatten, "gap": Gap}
    return [simple[kind]()]


def built(name):
    """A network, and its layer that Grad-CAM looks at."""
    modules, layer = [], None
    for kind, step, parts, settings in weights.steps(name):
        modules += module(kind, parts, settings)
        last = weights.CAM_LAYERS[name].replace("conv", "relu")  # the activation of a convolution is a module here
        layer = modules[-1] if step == last else layer
    return nn.Sequential(*modules).eval(), layer


class Ruled(nn.Module):
    """A rectifier with the gradient of the literature."""

    def __init__(self, forward, rule):
        super().__init__()

        class Function(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                y = forward(x)
                ctx.save_for_backward(y)
                return y

            @staticmethod
            def backward(ctx, arriving):
                (y,) = ctx.saved_tensors
                kept = arriving * (arriving > 0)
                return kept * (y > 0) if rule == "guided" else kept

        self.function = Function

    def forward(self, x):
        return self.function.apply(x)


def by_definition(model, inputs, rule):
    """The gradient of the target under a rule, with rectifiers of all kinds replaced."""
    kinds = {nn.ReLU: nn.functional.relu, nn.ReLU6: nn.functional.relu6}
    twin = nn.Sequential(*(Ruled(kinds[type(one)], rule) if type(one) in kinds else one for one in model))
    x = inputs.clone().requires_grad_()
    twin(x)[0, TARGET].backward()
    return x.grad


def last(tensor):
    """(1, c, h, w) as (h, w, c) float32."""
    return tensor.detach().numpy()[0].transpose(1, 2, 0).astype(np.float32)


def raw_grad_cam(model, layer, inputs):
    """What pytorch-grad-cam computes before it scales and enlarges."""
    cam = GradCAM(model=model, target_layers=[layer])
    watched = ActivationsAndGradients(model, [layer], None)
    watched(inputs)[0, TARGET].backward()
    features, gradients = watched.activations[0].numpy(), watched.gradients[0].numpy()
    found = cam.get_cam_image(inputs, layer, [ClassifierOutputTarget(TARGET)], features, gradients, eigen_smooth=False)
    watched.release()
    return np.maximum(found[0], 0).astype(np.float32)


def numbers(name):
    """Every method on one network."""
    model, layer = built(name)
    pixels = weights.picture()
    inputs = torch.tensor(pixels.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255))
    relu6 = any(isinstance(one, nn.ReLU6) for one in model)
    found = {
        "scores": model(inputs).detach().numpy()[0],
        "saliency": last(Saliency(model).attribute(inputs, target=TARGET, abs=False)),
        "gradcam": LayerGradCam(model, layer)
        .attribute(inputs, target=TARGET, relu_attributions=True)
        .detach()
        .numpy()[0, 0],
        "gradcam (pytorch-grad-cam)": raw_grad_cam(model, layer, inputs),
        "integrated": last(
            IntegratedGradients(model).attribute(inputs, target=TARGET, n_steps=weights.STEPS, method="gausslegendre")
        ),
    }
    for rule, kind in (("guided", GuidedBackprop), ("deconv", Deconvolution)):
        defined = by_definition(model, inputs, rule)
        found[rule] = last(defined)
        theirs = kind(model).attribute(inputs.clone().requires_grad_(), target=TARGET)
        apart = float((theirs - defined).abs().max() / defined.abs().max())
        say(f"{name}: captum's {rule} differs from the definition by {apart:.1e} of the largest value")
        assert (apart > 0.1) == relu6, "captum's rules act on nn.ReLU alone"
    if not relu6:
        # It exchanges the modules of its model.
        theirs = GuidedBackpropReLUModel(model=built(name)[0], device="cpu")(inputs, target_category=TARGET)
        found["guided (pytorch-grad-cam)"] = np.asarray(theirs, np.float32)
        for how in ("nearest", "bilinear"):
            attributed = GuidedGradCam(model, layer).attribute(inputs, target=TARGET, interpolate_mode=how)
            found[f"guided-gradcam {how}"] = last(attributed)
    else:
        cam = torch.tensor(found["gradcam"])[None, None]
        for how in ("nearest", "bilinear"):
            large = nn.functional.interpolate(cam, weights.SIZE, mode=how).numpy()[0, 0]
            found[f"guided-gradcam {how}"] = found["guided"] * large[:, :, None]
    for how, (window, stride) in weights.WINDOWS.items():
        attributed = Occlusion(model).attribute(
            inputs, target=TARGET, sliding_window_shapes=(3, *window), strides=(3, *stride), baselines=0
        )
        found[f"occlusion {how}"] = last(attributed)[:, :, 0]
    return {f"{name}/{what}": values for what, values in found.items()}


def say(line):
    """Write a line."""
    sys.stdout.write(line + "\n")


def main():
    """Write the numbers and where they are from."""
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    every = {}
    for name in weights.NAMES:
        every |= numbers(name) | {f"{name}/checksum": weights.checksum(name)}
    about = ", ".join(f"{one} {importlib.metadata.version(one)}" for one in ("torch", "captum", "grad-cam"))
    np.savez_compressed(OUT, about=about, **every)
    say(f"{OUT.name}: {OUT.stat().st_size / 1000:.0f} kB, {about}")


if __name__ == "__main__":
    main()
