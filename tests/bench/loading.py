"""Preflight, loading and hash of a model file against `keras.saving.load_model` alone, in time and in memory."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

PAIRS = 5
WHO = ("keras", "xcnn")
"""In each pair the other one goes first."""


def child(who: str, file: str, *, whole: bool) -> None:
    """Load the file and print seconds and peak memory; the clock starts before the imports only if `whole`."""
    path = Path(file)
    begun = time.perf_counter()
    if not whole:
        import keras
        import tensorflow  # noqa: F401, ICN001 (what Keras imports late is not what is measured)

        from xcnn.network import loading, preflight

        keras.ops.convert_to_tensor(0)  # starts TensorFlow's threads
        begun = time.perf_counter()
    if who == "keras":
        import keras

        keras.saving.load_model(path, compile=False)
    else:
        from xcnn.network import loading, preflight

        found = preflight.inspect(path)
        loading.loaded(found)
        print(found.sha256, file=sys.stderr)
    seconds = time.perf_counter() - begun
    print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))


def make(folder: str) -> list[Path]:
    """Write a large and a small model, both in both formats."""
    code = f"""
import keras
for name, model in (
    ("vgg16", keras.applications.VGG16(weights=None)),
    ("mobilenet-025", keras.applications.MobileNet(weights=None, alpha=0.25)),
):
    for suffix in (".h5", ".keras"):
        model.save({folder!r} + "/" + name + suffix)
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return sorted(Path(folder).iterdir(), key=lambda path: path.stat().st_size)


def measured(who: str, path: Path, how: str) -> tuple[float, float]:
    """Seconds and peak memory in MB of one fresh process."""
    words = [sys.executable, __file__, who, str(path), how]
    seconds, peak = json.loads(subprocess.run(words, check=True, capture_output=True).stdout.splitlines()[-1])
    return seconds, peak


def compare(path: Path, how: str) -> None:
    """Print what one file costs."""
    found: dict[str, list[tuple[float, float]]] = {who: [] for who in WHO}
    for who in WHO:
        measured(who, path, how)  # warms the file cache
    for number in range(PAIRS):
        for who in WHO[:: 1 if number % 2 else -1]:
            found[who].append(measured(who, path, how))
    theirs, ours = found["keras"], found["xcnn"]
    for place, unit in enumerate(("s", "MB")):
        ratio = statistics.median(our[place] / their[place] for our, their in zip(ours, theirs, strict=True))
        least = [min(one[place] for one in these) for these in (theirs, ours)]
        print(
            f"{path.name:20} {path.stat().st_size / 1e6:4.0f} MB, {how:5}: keras {least[0]:7.2f} {unit}, "
            f"xcnn {least[1]:7.2f} {unit}, median ratio {ratio:.3f}, of the least {least[1] / least[0]:.3f}"
        )


def main() -> None:
    """Measure each file: "ready" with everything imported before, "whole" with the hash beside the imports."""
    with tempfile.TemporaryDirectory() as folder:
        for path in make(folder):
            for how in ("ready", "whole"):
                compare(path, how)
    print("wanted: a time ratio of at most 1.10 of the whole, where the hash runs beside the imports")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        child(sys.argv[1], sys.argv[2], whole=sys.argv[3] == "whole")
    else:
        main()
