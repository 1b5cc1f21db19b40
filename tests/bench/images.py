"""What the largest pictures cost: the refusal of 1,600 megapixels, and the explanation of a photo of 60."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
from picture_files import png

HUGE = (40_000, 40_000)
LARGE = (9_000, 6_667)


# A process of its own: what is started by a large one counts as large.
METER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def measured(*words: str) -> str:
    """Run the command; its exit code, seconds and largest resident memory, in words."""
    begun = time.perf_counter()
    command = [sys.executable, "-c", METER, sys.executable, "-m", "xcnn", *words]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    code, burnt, memory = int(told[0]), float(told[1]), float(told[2])
    return f"exit code {code}, {time.perf_counter() - begun:.2f} s ({burnt:.2f} s of CPU), {memory:.0f} MB"


def main() -> None:
    """Print seconds and memory of both."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        huge, large, out = (str(Path(folder, name)) for name in ("huge.png", "large.jpg", "out"))
        Path(huge).write_bytes(png(*HUGE))
        small = Image.fromarray(rng.integers(0, 256, (67, 90, 3), np.uint8))
        small.resize(LARGE).save(large, quality=90)
        for what, file, wanted in (
            ("40000x40000 refused", huge, "1 s, 300 MB"),
            ("60 megapixels explained", large, "1500 MB"),
        ):
            print(f"{what}: {measured('gradcam', 'efficientnet-lite0', file, '--out', out)} (wanted: {wanted} at most)")
        sizes = {path.name: path.stat().st_size / 1e6 for path in sorted(Path(out).iterdir())}
        print("  ".join(f"{name} {size:.1f} MB" for name, size in sizes.items() if size >= 1))


if __name__ == "__main__":
    main()
