"""What a network ends in: how its outputs become class scores, inside a trace and in NumPy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from xcnn.errors import MisfitError, ModelError

if TYPE_CHECKING:
    from xcnn.values import Floats

VECTOR = 2
"""The rank of (n, classes)."""
MAPS = 4
"""The rank of (n, h, w, classes)."""


@dataclass(frozen=True)
class Head:
    """How a network's outputs become class scores.

    ``kind`` is "softmax", "sigmoid" (several independent classes), "binary" (one sigmoid unit, explained as the two
    classes 0 and 1, where the evidence for class 0 is the negated logit) or "linear". ``on`` tells whether scores are
    logits or probabilities. ``size`` is (h, w) where there is a score per position, as in segmentation; ``point`` tells
    that one of them is explained.
    """

    kind: Literal["softmax", "sigmoid", "binary", "linear"]
    classes: int
    on: Literal["logit", "probability"] = "logit"
    size: tuple[int | None, int | None] | None = None
    point: bool = False

    @property
    def score(self) -> str:
        """What a score is."""
        if self.kind == "linear":
            what = "output (no softmax or sigmoid found)"
        elif self.on == "probability":
            what = f"probability (after the {self.squash})"
        else:
            what = f"logit (before the {self.squash})"
        if self.size is None:
            return what
        return f"{what}, at the pixel of --at" if self.point else f"mean over the predicted area of: {what}"

    @property
    def squash(self) -> str:
        """The last function of the network."""
        return {"binary": "sigmoid", "linear": ""}.get(self.kind, self.kind)

    def probabilities(self, scores: Floats) -> Floats | None:
        """Turn (n, classes) scores into probabilities; None where they are not meant to be any."""
        import numpy as np

        if self.kind == "linear" or self.size is not None:
            return None
        if self.on == "probability":
            return scores
        if self.kind == "softmax":
            exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
            return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
        # Written with tanh, the logistic function never overflows.
        return np.asarray(0.5 * (1 + np.tanh(0.5 * scores)))


@dataclass(frozen=True)
class Scored:
    """Class scores inside a trace, each tensor (n, classes) float32.

    ``ranks`` is what the best classes are chosen by: the scores themselves, or for maps the area of each class.
    """

    head: Head
    scores: Any
    ranks: Any
    areas: Any = None


def scored(output: Any, logits: Any, squash: str, *, on: str, points: Any, source: tuple[int, int]) -> Scored:
    """Turn the output of a traced model into class scores.

    Parameters
    ----------
    output, logits : tf.Tensor
        The model's output, and what its softmax or sigmoid received (the output itself when there is none).
    squash : str
        "softmax", "sigmoid" or "".
    on : str
        "logit" or "probability".
    points : tf.Tensor or None
        (n, 2), for maps the place to explain as fractions of height and width; None for the mean over each class's
        area.
    source : (height, width)
        Of the network's input: what flattened positions are folded by.

    Raises
    ------
    ModelError
        If the output is neither a vector nor a map per image.
    MisfitError
        If probabilities are asked of outputs that are none.
    """
    import tensorflow as tf

    if not output.dtype.is_floating:
        raise ModelError(
            f"the output holds {output.dtype.name} values, which have no gradient",
            hint="choose another with --output, or save the model without its last step",
        )
    rank = output.shape.rank
    if rank is None or rank > MAPS or (rank > 1 and output.shape[-1] is None):
        raise ModelError(
            f"the output has shape {output.shape}; xcnn explains a vector of scores, or a map of scores, per image"
        )
    if on == "probability" and not squash:
        raise MisfitError("this network has no softmax or sigmoid at its end", hint="leave out --on probability")
    classes = int(output.shape[-1]) if rank > 1 else 1
    head = Head(squash or "linear", classes, "probability" if on == "probability" else "logit")  # type: ignore[arg-type]
    values = tf.cast(logits, tf.float32)
    values = tf.reshape(values, [-1, classes] if rank <= VECTOR else [tf.shape(values)[0], -1, classes])
    decided = values
    if head.kind == "sigmoid" and classes == 1:
        head = replace(head, kind="binary", classes=2)
        values = decided = tf.concat([-values, values], axis=-1)
    if head.on == "probability":
        values = tf.nn.softmax(values) if head.kind == "softmax" else tf.math.sigmoid(values)
    if rank <= VECTOR:
        if points is not None:
            raise MisfitError("this output has one score per picture, not one per pixel", hint="leave out --at")
        return Scored(head, values, values)
    return _over_maps(head, values, decided, points, _folded(output.shape, source))


def _folded(shape: Any, source: tuple[int, int]) -> tuple[int | None, int | None]:
    """Height and width of a map of scores, also of one whose positions the model flattened."""
    if shape.rank == MAPS:
        return shape[1], shape[2]
    positions = shape[1]
    if positions is None:
        return None, None
    height = round(math.sqrt(positions * source[0] / source[1]))
    width = round(positions / max(height, 1))
    # Only in the very proportions of the picture: the steps of a sequence are no map.
    return (
        (height, width) if height * width == positions and height * source[1] == width * source[0] else (positions, 1)
    )


def _over_maps(head: Head, values: Any, decided: Any, points: Any, size: tuple[int | None, int | None]) -> Scored:
    """Reduce (n, positions, classes) to the mean over the positions predicted as each class, or to one position.

    The areas come from a comparison, so gradients flow through the scores alone. A class that is predicted nowhere is
    scored by the mean over all positions.
    """
    import tensorflow as tf

    head = replace(head, size=size)
    if head.kind in {"sigmoid", "binary"}:
        chosen = tf.cast(decided > 0, tf.float32)
    elif head.classes > 1:
        chosen = tf.one_hot(tf.argmax(decided, axis=-1), head.classes)
    else:
        chosen = tf.ones_like(decided)
    areas = tf.reduce_mean(chosen, axis=1)
    # The foreground of a single mask is what it was trained to find, however small.
    ranks = areas + [0.0, 1.0] * tf.cast(areas > 0, tf.float32) if head.kind == "binary" else areas
    if points is not None:
        if None in size:
            raise ModelError("the size of this network's output is not known beforehand", hint="leave out --at")
        edges = tf.constant(size, tf.float32)
        cells = tf.cast(tf.clip_by_value(tf.floor(points * edges), 0.0, edges - 1), tf.int32)
        at = cells[:, 0] * size[1] + cells[:, 1]
        here = tf.gather(values, at, axis=1, batch_dims=1)
        head = replace(head, point=True)
        return Scored(head, here, tf.gather(decided, at, axis=1, batch_dims=1), areas)
    everywhere = tf.cast(areas == 0, tf.float32)[:, tf.newaxis]
    weights = chosen + everywhere
    means = tf.reduce_sum(values * weights, axis=1) / tf.reduce_sum(weights, axis=1)
    return Scored(head, means, ranks, areas)
