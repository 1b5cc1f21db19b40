"""Gradients of convolutions as convolutions: those of TensorFlow, and which ops are concerned."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.keras


def gradients(convolve, pictures, kernel, *, eased):
    """The gradients by pictures and kernel of a sum that weighs each output, and the types of all ops."""
    import tensorflow as tf

    from xcnn.network import ascent_gradient

    @tf.function(autograph=False)
    def traced(pictures, kernel):
        found = convolve(pictures, kernel)
        if eased:
            ascent_gradient.ease(found.graph)
        weights = tf.reshape(tf.sin(tf.range(tf.size(found), dtype=tf.float32)), tf.shape(found))
        return tf.gradients(tf.reduce_sum(found * weights), [pictures, kernel])

    concrete = traced.get_concrete_function(
        tf.TensorSpec([None, None, None, pictures.shape[-1]]), tf.TensorSpec(kernel.shape)
    )
    types = [op.type for op in concrete.graph.get_operations()]
    return [np.asarray(one) for one in concrete(tf.constant(pictures), tf.constant(kernel))], types


def drawn(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 3), (1, 7)], ids=str)
def test_it_is_the_gradient_of_tensorflow(size):
    import tensorflow as tf

    def convolve(pictures, kernel):
        return tf.nn.conv2d(pictures, kernel, 1, "SAME")

    given = drawn(2, 6, 9, 3), drawn(*size, 3, 4)
    (eased, types), (plain, own) = (gradients(convolve, *given, eased=eased) for eased in (True, False))

    for one, other in zip(eased, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    assert "Conv2DBackpropInput" in own
    assert "Conv2DBackpropInput" not in types


OTHERS = {
    "a stride": {"strides": 2, "padding": "SAME"},
    "no padding": {"strides": 1, "padding": "VALID"},
    "more on one side": {"strides": 1, "padding": [[0, 0], [2, 0], [2, 0], [0, 0]]},
    "holes": {"strides": 1, "padding": "SAME", "dilations": 2},
}


@pytest.mark.parametrize("how", OTHERS.values(), ids=OTHERS)
def test_other_convolutions_are_left_alone(how):
    import tensorflow as tf

    given = drawn(1, 8, 8, 3), drawn(3, 3, 3, 4)
    (eased, types), (plain, own) = (
        gradients(lambda pictures, kernel: tf.nn.conv2d(pictures, kernel, **how), *given, eased=eased)
        for eased in (True, False)
    )

    assert types == own
    for one, other in zip(eased, plain, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("shape", [(2, 2, 3, 4), (2, 3, 3, 4), (3, 3, 1, 6)], ids=["even", "even one way", "groups"])
def test_kernels_that_do_not_fit_are_left_alone(shape):
    import tensorflow as tf

    given = drawn(1, 6, 6, 3), drawn(*shape)
    (_, types), (_, own) = (
        gradients(lambda pictures, kernel: tf.nn.conv2d(pictures, kernel, 1, "SAME"), *given, eased=eased)
        for eased in (True, False)
    )

    assert types == own


def test_depthwise_convolutions_are_left_alone():
    import tensorflow as tf

    def convolve(pictures, kernel):
        return tf.nn.depthwise_conv2d(pictures, kernel, [1, 1, 1, 1], "SAME")

    _, types = gradients(convolve, drawn(1, 6, 6, 3), drawn(3, 3, 3, 2), eased=True)

    assert "DepthwiseConv2dNativeBackpropInput" in types
