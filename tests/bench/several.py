"""Three explainers in one call against the same three one after the other, on one network that is traced."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import xcnn
from xcnn.io import images as reading

SAMPLES = Path(__file__).parent.parent.parent / "samples"
EXPLAINERS = ("gradcam", "guided", xcnn.Occlusion(window=56, stride=28))
ROUNDS = 7


def main() -> None:
    """Print the ratio of each round and the median."""
    network = xcnn.open_network("efficientnet-lite0")
    pictures = [reading.read(str(SAMPLES / name)).pixels for name in ("cat.jpg", "coffee.jpg")] * 4

    def together() -> None:
        xcnn.explain(network, pictures, list(EXPLAINERS))

    def apart() -> None:
        for explainer in EXPLAINERS:
            xcnn.explain(network, pictures, explainer)

    ratios = []
    for number in range(ROUNDS + 1):
        times = {}
        for work in (together, apart)[:: 1 if number % 2 else -1]:
            begun = time.perf_counter()
            work()
            times[work] = time.perf_counter() - begun
        if number:  # the first round traces
            ratios.append(times[together] / times[apart])
            print(f"together {times[together]:.2f} s, apart {times[apart]:.2f} s, ratio {ratios[-1]:.3f}")
    print(f"median ratio {statistics.median(ratios):.3f} (wanted: at most 1.05)")


if __name__ == "__main__":
    main()
