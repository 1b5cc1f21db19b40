"""Wall time of the whole `xcnn gradcam` process against the bare script, in pairs."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
PICTURE = HERE.parent.parent / "samples" / "cat.jpg"
PAIRS = 7


def wall(words: list[str]) -> float:
    """Seconds one process takes."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    """Print the ratio of each pair and their median."""
    with tempfile.TemporaryDirectory() as folder:
        ratios = []
        for number in range(PAIRS + 1):
            bare = wall([str(HERE / "bare.py"), str(PICTURE), f"{folder}/bare.jpg"])
            ours = wall(["-m", "xcnn", "gradcam", "efficientnet-lite0", str(PICTURE), "-o", f"{folder}/{number}"])
            if number:  # the first pair warms the file cache
                ratios.append(ours / bare)
                print(f"bare {bare:.2f} s, xcnn {ours:.2f} s, ratio {ours / bare:.3f}")
        print(f"median ratio {statistics.median(ratios):.3f} (wanted: at most 1.20)")


if __name__ == "__main__":
    main()
