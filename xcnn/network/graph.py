"""What is computed inside a trace beside the model itself, and how a traced function is called."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from xcnn.errors import LayerError, MisfitError, ModelError, XcnnError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xcnn.network.heads import Scored


def float32(tensor: Any) -> Any:
    """Cast a tensor: nothing else leaves a network."""
    return tf.cast(tensor, tf.float32)


def spread(values: Any, size: tuple[int, int]) -> Any:
    """Give a (1, 1, 1, c) array the height and width of a picture, inside a trace."""
    return tf.broadcast_to(tf.constant(values, tf.float32), (1, *size, values.shape[-1]))


def chosen(scored: Scored, top: int, forms: Any) -> tuple[Any, list[Any]]:
    """Resolve targets inside the graph.

    Returns
    -------
    best : tf.Tensor
        (n, top) int32: the best classes of each image.
    values : list of tf.Tensor
        The score of each target, (n,): the best classes first, then the given linear forms.
    """
    best = tf.math.top_k(scored.ranks, min(top, scored.head.classes)).indices
    own = tf.gather(scored.scores, best, axis=1, batch_dims=1)
    # A weight of zero must leave out even an infinite score.
    given = tf.reduce_sum(tf.math.multiply_no_nan(scored.scores[:, tf.newaxis], forms[tf.newaxis]), axis=2)
    return best, [*tf.unstack(own, axis=1), *tf.unstack(given, axis=1)]


def slopes(values: Sequence[Any], tensors: dict[str, Any], *, shares: Any = None) -> dict[str, Any]:
    """The gradients of each target by tensors (n, h, w, c), as (n * targets, h, w, c) float32.

    One backward pass per target, from the earliest of the tensors down, serves all of them. With ``shares``, a tensor
    that the targets are linear in, a pass begins there with the share of each of its values in the target.
    """
    ends = [(value, None) if shares is None else (shares, _shares(value, shares)) for value in values]
    passes = [tf.gradients(end, list(tensors.values()), grad_ys=begun) for end, begun in ends]
    found = {}
    for (path, tensor), gradients in zip(tensors.items(), zip(*passes, strict=True), strict=True):
        if any(gradient is None for gradient in gradients):
            raise _no_gradient(path)
        # Image by image: the targets of one image are neighbours.
        stacked = tf.stack([float32(gradient) for gradient in gradients], axis=1)
        found[path] = tf.reshape(stacked, tf.concat([[-1], tf.shape(tensor)[1:]], axis=0))
    return found


def _shares(value: Any, tensor: Any) -> Any:
    # Not by a product of floats: what weighs nothing has no share, even where it is infinite.
    return tf.math.multiply_no_nan(tensor, tf.gradients(value, tensor)[0])


def _no_gradient(path: str) -> XcnnError:
    if not path:
        return MisfitError("the class scores have no gradient by the picture", hint="try gradcam or occlusion")
    return LayerError(f"the class scores do not depend on the output of layer {path!r}", hint="choose another layer")


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


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise a MemoryError where TensorFlow has no room for a tensor: one word for it, whoever ran out of memory."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        shape = re.search(r"shape\[([\d,]+)\]", str(error.message))
        raise MemoryError(f"no room for a tensor of {shape[1].replace(',', 'x')}" if shape else "") from error


def called(function: Any, *arguments: Any) -> Any:
    """Call a concrete function with arrays; the same structure of results, in NumPy arrays.

    Raises
    ------
    MemoryError
        If there is no room for what it computes.
    ModelError
        If TensorFlow lacks an operation here.
    """
    with _graph_as_traced(), memory_errors():
        try:
            outputs = function(*(tf.constant(argument, tf.float32) for argument in arguments))
        except tf.errors.UnimplementedError as error:
            # The last line that is none of TensorFlow's own bookkeeping says what.
            said = [line.strip() for line in str(error.message).splitlines() if line.strip() and "{{node" not in line]
            hint = "set TF_ENABLE_ONEDNN_OPTS=1 before TensorFlow is imported, or use a machine with a GPU"
            raise ModelError(f"TensorFlow can't compute this model here: {said[-1]}", hint=hint) from error
    return tf.nest.map_structure(lambda tensor: tensor.numpy(), outputs)
