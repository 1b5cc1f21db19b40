"""How soon a command says its first words, on a terminal and on a pipe, and how soon a signal ends it."""

from __future__ import annotations

import os
import pty
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CAT = Path(__file__).parent.parent.parent / "samples" / "cat.jpg"
WORDS = [sys.executable, "-m", "xcnn", "gradcam", "efficientnet-lite0", str(CAT), "--out", "run"]
RUNS = 7
STOPS = 20
LONGEST = 9.0
"""Seconds after which a run is over, or nearly."""


def first_words(*, terminal: bool) -> tuple[float, float]:
    """Seconds to the first byte on standard error; user and system time of the process until then."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = pty.openpty() if terminal else os.pipe()
        begun = time.perf_counter()
        with subprocess.Popen(WORDS, stderr=theirs, stdout=subprocess.DEVNULL, cwd=folder) as process:
            os.close(theirs)
            os.read(ours, 1)
            took = time.perf_counter() - begun
            process.kill()
            process.wait()
        os.close(ours)
    return took, _burnt()


def _burnt() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def stopped(after: float, how: signal.Signals) -> tuple[float, int]:
    """Seconds from a signal to the end of the process, and its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen(WORDS, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder) as process:
            time.sleep(after)
            begun = time.perf_counter()
            process.send_signal(how)
            code = process.wait()
        return time.perf_counter() - begun, code


def main() -> None:
    """Print medians and the worst."""
    for terminal in (True, False):
        before, walls, burnt = _burnt(), [], []
        for _ in range(RUNS):
            wall, after = first_words(terminal=terminal)
            walls.append(wall)
            burnt.append(after - before)
            before = after
        where = "a terminal" if terminal else "a pipe"
        print(f"first words on {where}: {statistics.median(walls):.2f} s, {statistics.median(burnt):.2f} s of CPU")
    chance = random.Random(0)  # noqa: S311 (no secret)
    found = [
        stopped(chance.uniform(0.1, LONGEST), chance.choice([signal.SIGINT, signal.SIGTERM])) for _ in range(STOPS)
    ]
    times = [took for took, code in found if code]
    print(f"signals: {len(times)} runs ended in {statistics.median(times):.2f} s, at most {max(times):.2f} s")
    print(f"exit codes: {sorted({code for _, code in found})} (0: it was over before)")
    print(f"load: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
