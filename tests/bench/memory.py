"""Peak memory of the real command for 50 and for 500 small images, also where all results are there already."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from images import METER
from PIL import Image

EARLY, TOTAL = 50, 500
COMMANDS = {
    "gradcam": (("gradcam", "efficientnet-lite0"), 1.10),
    # Without TensorFlow there is little to compare with: what run.json says of each image counts.
    "gradcam again, all reused": (("gradcam", "efficientnet-lite0", "--skip-existing"), 1.25),
}


def peak(*words: str) -> float:
    """Run the command; its largest resident memory in MB."""
    command = [sys.executable, "-c", METER, sys.executable, "-m", "xcnn", *words]
    code, _, memory = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert code == "0", words
    return float(memory)


def main() -> None:
    """Print both peaks and their ratio, for each command."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for number in range(TOTAL):
            base = rng.integers(0, 256, (25, 30, 3), np.uint8)
            names.append(f"{folder}/{number:03}.jpg")
            Image.fromarray(base).resize((600, 500)).save(names[-1])
        for what, (words, most) in COMMANDS.items():
            few, many = (
                peak(*words, *names[:count], "--out", str(Path(folder, f"out-{count}"))) for count in (EARLY, TOTAL)
            )
            told = f"{EARLY} images: {few:.0f} MB, {TOTAL}: {many:.0f} MB"
            print(f"{what}: {told}, ratio {many / few:.3f} (wanted: at most {most:.2f})")


if __name__ == "__main__":
    main()
