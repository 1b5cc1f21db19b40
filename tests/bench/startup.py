"""CPU seconds of the commands that must feel instant, with a slow plugin installed."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

DISTRIBUTIONS = Path(__file__).parent.parent / "distributions"
COMMANDS = (["--help"], ["plugins"], ["models"], ["--version"], ["gradcam", "--help"])
RUNS = 7


def cpu_seconds(words: list[str], environment: dict[str, str]) -> float:
    """User and system time of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([Path(sys.executable).with_name("xcnn"), *words], check=True, capture_output=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the median of each command."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("slow", "toy"):
            site = Path(folder) / f"xcnn_{name}-1.dist-info"
            site.mkdir()
            (site / "METADATA").write_text(f"Metadata-Version: 2.1\nName: xcnn-{name}\nVersion: 1\n")
            entry = f"[xcnn.explainers]\n{name} = xcnn_{name}:{name.title()}\n"
            (site / "entry_points.txt").write_text(entry)
            source = DISTRIBUTIONS / name / f"xcnn_{name}.py"
            (Path(folder) / source.name).write_text(source.read_text())
        sentinel = Path(folder) / "sentinel"
        environment = {**os.environ, "PYTHONPATH": folder, "XCNN_TEST_SENTINEL": str(sentinel)}
        for words in COMMANDS:
            cpu_seconds(words, environment)
            times = [cpu_seconds(words, environment) for _ in range(RUNS)]
            print(f"xcnn {' '.join(words):16} {statistics.median(times):.3f} s CPU (least {min(times):.3f})")
        print(f"slow plugin imported: {sentinel.exists()}")


if __name__ == "__main__":
    main()
