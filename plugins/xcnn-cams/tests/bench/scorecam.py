"""Score-CAM on 64 channels against a compiled forward pass of as many ready masked pictures, in one run."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import xcnn
from xcnn_cams import ScoreCAM
from xcnn_cams.scorecam import masks
from xcnn_cams.trials import AT_A_TIME

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURE = Path(__file__).parents[4] / "samples" / "cat.jpg"
CHANNELS, ROUNDS = 64, 9


def main() -> None:
    """Print the ratio of times."""
    import cv2
    import tensorflow as tf

    network: Any = xcnn.open_network("efficientnet-lite0")
    picture = cv2.cvtColor(cv2.imread(str(PICTURE)), cv2.COLOR_BGR2RGB)
    batch = network.batch([picture], ["top"], np.random.default_rng(0))
    explainer = ScoreCAM(top_channels=CHANNELS)
    features = network.activations(batch.inputs, ())["top_act"][0]
    order = np.argsort(-explainer.strengths(features))[:CHANNELS]
    ready = batch.inputs * masks(features[..., order], batch.inputs.shape[1:3])

    @tf.function(input_signature=[tf.TensorSpec([None, 224, 224, 3])])
    def forward(inputs: Any) -> Any:
        return network.model(inputs, training=False)

    def least() -> None:
        for start in range(0, CHANNELS, AT_A_TIME):
            forward(tf.constant(ready[start : start + AT_A_TIME])).numpy()

    def ours() -> None:
        explainer.explain(network, batch)

    rounds = []
    for number in range(ROUNDS + 1):
        bare, full = took(least), took(ours)
        if number:  # the first round warms up
            rounds.append([mine / floor for mine, floor in zip(full, bare, strict=True)])
            print(
                f"  floor {bare[0]:.2f} s, scorecam {full[0]:.2f} s; ratio {rounds[-1][0]:.3f}, of CPU {rounds[-1][1]:.3f}"
            )
    wall, cpu = (statistics.median(ratios) for ratios in zip(*rounds, strict=True))
    print(f"scorecam, {CHANNELS} channels: median ratio {wall:.3f} (wanted: at most 1.15); of CPU time {cpu:.3f}")


def took(work: Callable[[], None]) -> tuple[float, float]:
    """How long a function takes, in seconds on the clock and of all processors."""
    begun = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begun[0], time.process_time() - begun[1]


if __name__ == "__main__":
    main()
