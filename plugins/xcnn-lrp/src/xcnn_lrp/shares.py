"""How an op shares out the relevance of what it returned among what it was fed: tensors, made while a trace is.

Everything is computed in single precision. The names of `xcnn_lrp.rules` apply: contributions c, sums z.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

from xcnn_lrp.layer import Layer, float32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from xcnn.plugin import Step

    Pairs = list[tuple[Any, Any]]
    Function = Callable[[Step, Any], Sequence[Any]]


@dataclass(frozen=True)
class Sharing:
    """The numbers a, g and e of `xcnn_lrp.rules`; e as a share of the root mean square of z."""

    whole: float
    favoured: float
    epsilon: float

    def ratio(self, relevance: Any, total: Any, positive: Any, negative: Any) -> tuple[Any, Any]:
        """Relevance by the sum it is shared by, where z is above zero and where below.

        ``positive`` and ``negative`` are the sums of the contributions of each sign; None where none is favoured.
        """
        import tensorflow as tf

        above = total >= 0
        found = []
        for here, part, sign in ((above, positive, 1.0), (~above, negative, -1.0)):
            divisor = self.whole * total + (0.0 if part is None else self.favoured * part)
            if self.epsilon:
                squares = tf.reduce_mean(total**2, axis=list(range(1, total.shape.rank)), keepdims=True)
                divisor += sign * self.epsilon * tf.sqrt(squares)
            found.append(tf.math.divide_no_nan(tf.where(here, relevance, 0.0), divisor))
        return found[0], found[1]


def linear(step: Step, sharing: Sharing) -> Function:
    """Share by the contributions to each output of a convolution, a dense layer or a pooling by means."""
    return _Linear(Layer(step), sharing)


@dataclass(frozen=True, eq=False)
class _Linear:
    layer: Layer
    sharing: Sharing

    @cached_property
    def _signed(self) -> tuple[Pairs, Pairs]:
        """Inputs and weights whose products are the positive contributions, and those of the negative ones."""
        layer, x, (up, down) = self.layer, self.layer.data, self.layer.halves
        if layer.weights is None:
            return [(_up(x), None)], [(_down(x), None)]
        if layer.positive:
            return [(x, up)], [(x, down)]
        return [(_up(x), up), (_down(x), down)], [(_up(x), down), (_down(x), up)]

    @cached_property
    def _sums(self) -> tuple[Any, Any]:
        """The sums of the contributions of each sign, with the offset's part unless they alone count."""
        layer = self.layer
        if not self.sharing.favoured:
            return None, None
        positive = _sum(layer.forward(*pair) for pair in self._signed[0])
        negative = layer.total - layer.offset - positive
        if not self.sharing.whole:
            return positive, negative
        return positive + _up(layer.offset), negative + _down(layer.offset)

    @cached_property
    def _mixed(self) -> tuple[Pairs, Pairs]:
        """Inputs and weights whose products are the numerators, where z is above zero and where below."""
        layer, sharing = self.layer, self.sharing
        if not sharing.favoured:
            return [(layer.data, layer.scaled)], [(layer.data, layer.scaled)]
        if layer.positive and layer.weights is not None:
            up, down = (sharing.whole * layer.scaled + sharing.favoured * half for half in layer.halves)
            return [(layer.data, up)], [(layer.data, down)]
        all_of_it = [(sharing.whole * layer.data, layer.scaled)] if sharing.whole else []
        above, below = ([(sharing.favoured * part, half) for part, half in pairs] for pairs in self._signed)
        return all_of_it + above, all_of_it + below

    def __call__(self, _: Step, arriving: Any) -> list[Any]:
        layer = self.layer
        above, below = self.sharing.ratio(float32(arriving), layer.total, *self._sums)
        if not self.sharing.favoured:
            shares = [(above + below, self._mixed[0])]
        elif layer.rectified:  # What a ReLU dropped has no relevance.
            shares = [(above, self._mixed[0])]
        else:
            shares = [(above, self._mixed[0]), (below, self._mixed[1])]
        return [layer.cast(_sum(part * layer.back(by, half) for by, pairs in shares for part, half in pairs))]


def added(sharing: Sharing) -> Function:
    """Share by what each of several inputs adds to their sum."""

    def function(step: Step, arriving: Any) -> list[Any]:
        inputs = [float32(step.op.inputs[place]) for place in step.data]
        if step.kind == "Sub":
            inputs[1] = -inputs[1]
        total = float32(step.op.outputs[0])
        positive, negative = (_sum(map(part, inputs)) for part in (_up, _down))
        above, below = sharing.ratio(float32(arriving), total, positive, negative)
        handed = []
        for x in inputs:
            whole = sharing.whole * x
            share = (whole + sharing.favoured * _up(x)) * above + (whole + sharing.favoured * _down(x)) * below
            handed.append(_cast(share, arriving))
        return handed

    return function


def bounded(step: Step) -> Function:
    """Share at the first layer by how far each pixel is from the bound that speaks most against the output.

    With l and h the values of black and white, ``R_j = sum_k (x_j w_jk - l_j w_jk^+ - h_j w_jk^-) / sum_j (...) R_k``;
    a bias takes nothing.
    """
    layer = Layer(step)

    def function(step: Step, arriving: Any) -> list[Any]:
        import tensorflow as tf

        up, down = layer.halves
        black, white = map(float32, step.ends())
        low, high = tf.minimum(black, white), tf.maximum(black, white)
        total = layer.forward(layer.data, layer.scaled) - layer.forward(low, up) - layer.forward(high, down)
        quotient = tf.math.divide_no_nan(float32(arriving), total)
        least = low * layer.back(quotient, up) + high * layer.back(quotient, down)
        return [layer.cast(layer.data * layer.back(quotient, layer.scaled) - least)]

    return function


def moved(step: Step, arriving: Any) -> list[Any]:
    """Share by the weights alone, which sum to one: pixels that are enlarged or averaged before the first layer."""
    layer = Layer(step)
    return [layer.cast(layer.back(float32(arriving), None))]


def _sum(tensors: Iterable[Any]) -> Any:
    return reduce(operator.add, tensors)


def _up(tensor: Any) -> Any:
    import tensorflow as tf

    return tf.maximum(tensor, 0.0)


def _down(tensor: Any) -> Any:
    import tensorflow as tf

    return tf.minimum(tensor, 0.0)


def _cast(tensor: Any, like: Any) -> Any:
    import tensorflow as tf

    return tf.cast(tensor, like.dtype)
