"""Resident memory of one run after 50 and after 500 images."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from xcnn import GradCAM
from xcnn.events import Silent
from xcnn.execution import execute
from xcnn.host import Host
from xcnn.request import Request

TOTAL, EARLY = 500, 50


class Meter(Silent):
    """Reads resident memory as images are explained."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def explained(self, _: object) -> None:
        """Take one reading per image."""
        self.seen.append(psutil.Process().memory_info().rss)


def main() -> None:
    """Print both readings and their ratio."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(TOTAL):
            base = rng.integers(0, 256, (25, 30, 3), np.uint8)
            Image.fromarray(base).resize((600, 500)).save(f"{folder}/{number:03}.jpg")
        meter = Meter()
        request = Request(model="efficientnet-lite0", images=(folder,), out=str(Path(folder) / "out"))
        execute(request, [GradCAM()], host=Host(), events=meter, keep=False)
    early, late = meter.seen[EARLY - 1], meter.seen[-1]
    print(f"after {EARLY}: {early / 2**20:.0f} MB, after {TOTAL}: {late / 2**20:.0f} MB")
    print(f"ratio {late / early:.3f} (wanted: at most 1.10)")


if __name__ == "__main__":
    main()
