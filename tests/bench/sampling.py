"""Occlusion against a compiled forward pass of as many ready inputs; and its memory with four times the windows."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

import xcnn
from xcnn.explainers.occlusion import AT_A_TIME, Occlusion
from xcnn.io import images as reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from xcnn.plugin import Batch

PICTURE = Path(__file__).parent.parent.parent / "samples" / "coffee.jpg"
FEW, MANY = Occlusion(window=(32, 32), stride=(16, 16)), Occlusion(window=(32, 32), stride=(8, 8))
ROUNDS = 9


def opened() -> tuple[Any, Batch]:
    """The embedded network, and one picture."""
    network = xcnn.open_network("efficientnet-lite0")
    picture = reading.read(str(PICTURE)).pixels
    return network, network.batch([picture], ["top"], np.random.default_rng(0))  # type: ignore[list-item]


def main() -> None:
    """Print the ratio of times and that of peaks of memory."""
    network, batch = opened()
    import tensorflow as tf

    model = network.model

    @tf.function(input_signature=[tf.TensorSpec([None, 224, 224, 3])])
    def forward(inputs: Any) -> Any:
        return model(inputs, training=False)

    count = FEW.cost(network)
    ready = np.repeat(batch.inputs, AT_A_TIME, axis=0)
    sizes = [min(AT_A_TIME, count - start) for start in range(0, count, AT_A_TIME)]

    def floor() -> None:
        for size in sizes:
            forward(tf.constant(ready[:size])).numpy()

    print(f"occlusion, {count} windows: {compared(floor, lambda: FEW.explain(network, batch))} (wanted: at most 1.1)")
    few, many = (held(network, batch, explainer) for explainer in (FEW, MANY))
    print(
        f"memory: {few / 2**20:.0f} MB for {count} windows, {many / 2**20:.0f} MB for {MANY.cost(network)}: "
        f"ratio {many / few:.3f} (wanted: about 1)"
    )


def compared(floor: Callable[[], object], ours: Callable[[], object]) -> str:
    """Time two functions in turn."""
    ratios = []
    for number in range(ROUNDS + 1):
        times = []
        for work in (floor, ours):
            begun = time.perf_counter()
            work()
            times.append(time.perf_counter() - begun)
        if number:  # the first round warms up
            ratios.append(times[1] / times[0])
            print(f"  floor {times[0]:.2f} s, xcnn {times[1]:.2f} s")
    return f"median ratio {statistics.median(ratios):.3f}"


def held(network: Any, batch: Batch, explainer: Occlusion) -> int:
    """The most resident memory after any step, in bytes."""
    seen: list[int] = []
    batch.progress = lambda *_: seen.append(psutil.Process().memory_info().rss)
    explainer.explain(network, batch)
    return max(seen)


if __name__ == "__main__":
    main()
