"""What is computed inside a trace beside the model itself, and how a traced function is called."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from xcnn.errors import LayerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xcnn.values import Floats


def float32(tensor: Any) -> Any:
    """Cast a tensor: nothing else leaves a network."""
    return tf.cast(tensor, tf.float32)


def classes(scores: Any, top: int, given: Any) -> Any:
    """Resolve targets inside the graph, (n, k): the best classes of each image, then the given ones."""
    best = tf.math.top_k(scores, min(top, scores.shape[1])).indices
    return tf.concat([best, tf.tile(given[tf.newaxis], [tf.shape(scores)[0], 1])], axis=1)


def slopes(scores: Any, indices: Any, layers: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Features (n, h, w, c) of layers and the gradients of each chosen score by them, (n * k, h, w, c).

    One backward pass per target, from the earliest of the layers down, serves all of them.
    """
    chosen = tf.gather(scores, indices, axis=1, batch_dims=1)
    passes = [tf.gradients(chosen[:, which], list(layers.values())) for which in range(indices.shape[1])]
    found = {}
    for (path, features), gradients in zip(layers.items(), zip(*passes, strict=True), strict=True):
        if any(gradient is None for gradient in gradients):
            raise LayerError(f"the class scores do not depend on layer {path!r}", hint="choose another layer")
        # Image by image: the targets of one image are neighbours.
        stacked = tf.stack([float32(gradient) for gradient in gradients], axis=1)
        found[path] = float32(features), tf.reshape(stacked, [-1, *features.shape[1:]])
    return found


@contextmanager
def _graph_as_traced() -> Iterator[None]:
    """Run functions without Grappler's rewriting, which costs more time than it saves (docs/decisions/0004)."""
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options(
            {"disable_meta_optimizer": before.get("disable_meta_optimizer", False)}
        )


def called(function: Any, inputs: Floats, explicit: Sequence[int]) -> Any:
    """Call a concrete function with inputs and class indices; the same structure, in NumPy arrays."""
    with _graph_as_traced():
        outputs = function(tf.constant(inputs), tf.constant(list(explicit), tf.int32))
    return tf.nest.map_structure(lambda tensor: tensor.numpy(), outputs)
