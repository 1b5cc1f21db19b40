"""Occlusion and averaged gradients against compiled passes of as many ready inputs; and occlusion's memory."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

import xcnn
from xcnn import IntegratedGradients, Occlusion, SmoothGrad
from xcnn.io import images as reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from xcnn.plugin import Batch, Explainer

PICTURE = Path(__file__).parent.parent.parent / "samples" / "coffee.jpg"
FEW, MANY = Occlusion(window=(32, 32), stride=(16, 16)), Occlusion(window=(32, 32), stride=(8, 8))
AT_A_TIME, SAMPLES, ROUNDS = 16, 64, 9


def main() -> None:
    """Print the ratios of times and that of memory."""
    network = xcnn.open_network("efficientnet-lite0")
    picture = reading.read(str(PICTURE)).pixels
    assert picture is not None
    batch = network.batch([picture], ["top"], np.random.default_rng(0))
    forward, backward = bare(network)

    compared(FEW, network, batch, floor=forward, passes=FEW.cost(network))
    # Before the gradients, which need more memory than that anyway.
    few, many = (held(network, batch, explainer) for explainer in (FEW, MANY))
    print(
        f"memory: {few / 2**20:.0f} MB for {FEW.cost(network)} windows, {many / 2**20:.0f} MB for "
        f"{MANY.cost(network)}: ratio {many / few:.3f} (wanted: about 1)"
    )
    compared(SmoothGrad(samples=SAMPLES), network, batch, floor=backward, passes=SAMPLES)
    compared(IntegratedGradients(steps=SAMPLES), network, batch, floor=backward, passes=SAMPLES)


def bare(network: Any) -> tuple[Any, Any]:
    """The model's scores, and the gradient of the best one by the input, as compiled functions."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, 224, 224, 3])])
    def forward(inputs: Any) -> Any:
        return network.model(inputs, training=False)

    @tf.function(input_signature=[tf.TensorSpec([None, 224, 224, 3])])
    def backward(inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            score = tf.reduce_max(network.model(inputs, training=False), axis=1)
        return tape.gradient(score, inputs)

    return forward, backward


def compared(explainer: Explainer, network: Any, batch: Batch, *, floor: Any, passes: int) -> None:
    """Time an explainer and a compiled function over as many inputs in turn."""
    import tensorflow as tf

    ready = np.repeat(batch.inputs, AT_A_TIME, axis=0)
    sizes = [min(AT_A_TIME, passes - start) for start in range(0, passes, AT_A_TIME)]

    def least() -> None:
        for size in sizes:
            floor(tf.constant(ready[:size])).numpy()

    def ours() -> None:
        explainer.explain(network, batch)

    ratios = []
    for number in range(ROUNDS + 1):
        bare, full = seconds(least), seconds(ours)
        if number:  # the first round warms up
            ratios.append(full / bare)
            print(f"  floor {bare:.2f} s, xcnn {full:.2f} s")
    print(f"{explainer.name}, {passes} inputs: median ratio {statistics.median(ratios):.3f} (wanted: at most 1.1)")


def seconds(work: Callable[[], None]) -> float:
    """How long a function takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def held(network: Any, batch: Batch, explainer: Occlusion) -> int:
    """The most resident memory after any step, in bytes."""
    seen: list[int] = []
    heard, batch.progress = batch.progress, lambda *_: seen.append(psutil.Process().memory_info().rss)
    explainer.explain(network, batch)
    batch.progress = heard
    return max(seen)


if __name__ == "__main__":
    main()
