"""What both sides of the comparison use: the networks of xcnn's own, and which of their layers."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
STORED = HERE / "numbers.npz"
LAYERS = {"vgg": ("relu6", "relu4"), "mobilenet": ("relu9", "relu5")}
"""The last of each and an earlier one, behind their rectifiers."""


def of_xcnn(script):
    """A script of the folder in which xcnn compares its built-in methods: networks and weights are the same."""
    folder = str(HERE.parents[3] / "tests" / "crosscheck")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(script)
