"""The weights and inputs that `captum_numbers.py` reads: those of `nets.vgg`, written to weights.npz.

Run it in the folder of the tests: ``python crosscheck/keras_weights.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))


def main() -> None:
    """Write them."""
    import nets

    values = {
        f"{layer.name}.{weight.name}": weight.numpy().astype(np.float32)
        for layer in nets.vgg().layers
        for weight in layer.weights
    }
    np.savez_compressed(HERE / "weights.npz", inputs=np.stack(nets.pictures(4)) / np.float32(255), **values)


if __name__ == "__main__":
    main()
