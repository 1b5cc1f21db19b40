"""How a score is handed back through a network: the ops on the way, and the rules for what each hands down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    OpGradient = Callable[["Step", Any], Sequence[Any]]


@dataclass(frozen=True, eq=False)
class Step:
    """One TensorFlow op on the way from the pixels to the scores, as a `GradientRule` sees it.

    What only numbers have to do with (weights, sizes, comparisons) is no step.
    """

    op: Any
    """The ``tf.Operation``; never to be changed."""
    data: tuple[int, ...]
    """Which of its inputs are computed from the picture; the others are constants and weights."""
    users: tuple[Step, ...]
    """The steps that take what it returns."""
    sources: Callable[[], tuple[Step | None, ...]]
    """Tells the steps that make its data inputs, in order; None for the pixels themselves."""
    layer: str
    """The path of the layer it belongs to."""
    place: Literal["before", "first", "inside"]
    """"before": up to here values are only moved, scaled, shifted and enlarged, as preprocessing does; "first": it is
    fed with just that; "inside": further on."""
    role: Literal["", "rectifier", "cap", "slope"]
    """What it is of a rectifier, recognised by its arithmetic: the op that decides, one that limits what it returned
    (hand down as it is), or the branch of the values below zero of a leaky one; "" for any other op."""
    ends: Callable[[], tuple[Any, Any]]
    """Makes tensors of what its first data input is for a black and a white picture, (1, ...)."""

    @property
    def kind(self) -> str:
        """The type of the op, as TensorFlow calls it: "Conv2D", "Relu", ..."""
        return str(self.op.type)


@dataclass(frozen=True, kw_only=True)
class GradientRule:
    """What ops hand down on the way from a score to the pixels, instead of their gradients.

    The forward pass stays as it is. Two rules are the same when their fields are; make ``at`` a function, or a frozen
    dataclass with a ``__call__`` where the rule has numbers to set: so the network is traced once for each.

    Examples
    --------
    Let only positive gradients through each rectifier, on or off::

        def positive(step, arriving):
            return [tf.nn.relu(arriving)]

        rule = GradientRule(
            name="deconv-like",
            summary="positive gradients, whatever the rectifier did",
            at=lambda step: positive if step.role == "rectifier" else None,
        )
    """

    name: str
    """What it is asked for by: see `Network.input_gradients`."""
    summary: str
    """One line of plain text."""
    at: Callable[[Step], OpGradient | None]
    """Gives the function for a step, or None to keep the op's own gradient. It is called with the step and the tensor
    that arrives from above, shaped like the op's first output, and returns one tensor for each of the step's data
    inputs, shaped like the input; None in it hands nothing down that way. TensorFlow may be imported inside of it."""
    whole: bool = False
    """Whether it must act on every step, so that a network with an op it has no word for is refused. Ops that only move
    values (reshape, pad, concatenate, select, ...) need none."""
    keeps: frozenset[str] = frozenset()
    """Of a whole rule, the kinds of ops whose own gradient is what it wants."""
    start: Literal["gradient", "score"] = "gradient"
    """What arrives at the scores: the weight of each in the target, or that times the score, as relevances begin."""
