"""Relevance of `nets.vgg` by Captum, an implementation of others in PyTorch: prints nothing, writes captum.npz.

Needs the packages torch and captum (BSD), not xcnn and not TensorFlow: run ``keras_weights.py`` before it. Captum
modifies the weights of each layer and runs the network again; the settings under which it must agree are

- inputs and activations not below zero (it splits weights by sign, not products), and a positive score;
- epsilon: with biases; gamma: without any, because it does not treat the bias as one more input, as the paper does;
  z-plus: biases set to zero in the rule (``set_bias_to_zero=True``), which then take nothing;
- its stabiliser of 1e-9, absolute, against ours of 1e-6, relative: both without effect.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule

HERE = Path(__file__).parent


def network(weights: dict[str, np.ndarray]) -> torch.nn.Sequential:
    """Build the twin of `nets.vgg`, which flattens with its channels last."""
    layers = {
        "conv1": torch.nn.Conv2d(3, 4, 3),
        "relu1": torch.nn.ReLU(),
        "pool": torch.nn.MaxPool2d(2),
        "conv2": torch.nn.Conv2d(4, 5, 2),
        "relu2": torch.nn.ReLU(),
        "flatten": torch.nn.Flatten(),
        "fc": torch.nn.Linear(20, 6),
        "relu3": torch.nn.ReLU(),
        "scores": torch.nn.Linear(6, 3),
    }
    for name in ("conv1", "conv2", "fc", "scores"):
        kernel, bias = weights[f"{name}.kernel"], weights[f"{name}.bias"]
        if name == "fc":  # from (h, w, c) to (c, h, w)
            kernel = kernel.reshape(2, 2, 5, 6).transpose(2, 0, 1, 3).reshape(20, 6)
        turned = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
        layers[name].weight.data = torch.tensor(turned.copy(), dtype=torch.float64)
        layers[name].bias.data = torch.tensor(bias, dtype=torch.float64)
    return torch.nn.Sequential(*layers.values()).double().eval()


def main() -> None:
    """Write the relevances of each rule."""
    weights = dict(np.load(HERE / "weights.npz"))
    inputs = torch.tensor(weights.pop("inputs").transpose(0, 3, 1, 2).copy(), dtype=torch.float64)
    rules = {
        "epsilon": lambda: EpsilonRule(epsilon=1e-9),
        "gamma": lambda: GammaRule(gamma=0.4),
        "zplus": lambda: Alpha1_Beta0_Rule(set_bias_to_zero=True),
    }
    found = {}
    for name, made in rules.items():
        biased = {key: value * (name != "gamma" or "kernel" in key) for key, value in weights.items()}
        model = network(biased)
        with torch.no_grad():
            scores = model(inputs).numpy()
        best = scores.argmax(axis=1)
        for layer in model:
            if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
                layer.rule = made()
            elif isinstance(layer, torch.nn.Flatten):  # Captum has no rule for it; each value is its own sum
                layer.rule = EpsilonRule(epsilon=1e-9)
        relevance = LRP(model).attribute(inputs.clone(), target=torch.tensor(best))
        found[f"{name}.scores"] = scores.astype(np.float32)
        found[name] = relevance.detach().numpy().transpose(0, 2, 3, 1).astype(np.float32)
    np.savez_compressed(HERE / "captum.npz", **found)


if __name__ == "__main__":
    main()
