"""The gradient of plain convolutions, computed as a convolution.

The gradient by the input of a convolution is the convolution of what arrives with the kernel, turned by 180 degrees and
its channels exchanged (Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016, section 4). Where
the stride is 1 and as much is padded on either side, that is a convolution of the same kind. TensorFlow's own op for it
is slower on CPUs: `tests/bench/filters.py`.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

ONE = [1, 1, 1, 1]


def ease(graph: tf.Graph) -> None:
    """Let plain convolutions of a graph hand down by a convolution; to be done before any gradient is made."""
    for op in graph.get_operations():
        if _plain(op):
            op._gradient_function = _handed  # noqa: SLF001 (as in `rules`: the map by type can't tell ops apart)


def _plain(op: tf.Operation) -> bool:
    """Whether a convolution moves by one, pads alike on all sides, and has one group."""
    if op.type != "Conv2D" or op.get_attr("padding") != b"SAME" or op.get_attr("data_format") != b"NHWC":
        return False
    pictures, kernel = (one.shape for one in op.inputs)
    if pictures.rank is None or kernel.rank is None or None in {*kernel[:3]}:
        return False
    height, width, received, _ = kernel
    moves = op.get_attr("strides") == op.get_attr("dilations") == ONE
    return bool(moves and height % 2 == width % 2 == 1 and received == pictures[3])


def _handed(op: tf.Operation, arriving: Any) -> list[Any]:
    pictures, kernel = op.inputs
    turned = tf.transpose(tf.reverse(kernel, [0, 1]), [0, 1, 3, 2])
    # That of the kernel is left out of the graph where nobody asks for it.
    of_kernel = tf.raw_ops.Conv2DBackpropFilter(
        input=pictures, filter_sizes=tf.shape(kernel), out_backprop=arriving, strides=ONE, padding="SAME"
    )
    return [tf.nn.conv2d(arriving, turned, 1, "SAME"), of_kernel]
