"""What to explain: from the words of the user to linear forms of a network's outputs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from xcnn.errors import ModelError, TargetError, did_you_mean
from xcnn.plugin import Target, Top

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from xcnn.values import Floats


@dataclass(frozen=True)
class Head:
    """How a network's outputs become class scores.

    ``kind`` is "softmax", "sigmoid" (several independent classes), "binary" (one sigmoid unit, explained as the two
    classes 0 and 1, where the evidence for class 0 is the negated logit) or "linear".
    """

    kind: Literal["softmax", "sigmoid", "binary", "linear"]
    classes: int

    @property
    def score(self) -> str:
        """What a score is."""
        return "output (no softmax or sigmoid found)" if self.kind == "linear" else f"logit (before the {self._squash})"

    @property
    def _squash(self) -> str:
        return "softmax" if self.kind == "softmax" else "sigmoid"

    def probabilities(self, scores: Floats) -> Floats | None:
        """Turn (n, classes) scores into probabilities; None for a linear head."""
        import numpy as np

        if self.kind == "linear":
            return None
        if self.kind == "softmax":
            exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
            return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
        # Written with tanh, the logistic function never overflows.
        return np.asarray(0.5 * (1 + np.tanh(0.5 * scores)))


def parse(text: str) -> int | Top | str:
    """Read one target: ``top``, ``topN``, a class index, or a label (returned as it is).

    Raises
    ------
    TargetError
        For ``top0`` and the empty word.

    Examples
    --------
    >>> parse("top3"), parse("386"), parse("African elephant")
    (Top(count=3), 386, 'African elephant')
    """
    word = text.strip()
    if not word:
        raise TargetError("the target is empty", hint="top, top3, a class index or a class name")
    if match := re.fullmatch(r"top(\d{0,9})", word, re.IGNORECASE):
        count = int(match[1] or 1)
        if count < 1:
            raise TargetError(f"{word} asks for no class", hint="top, top3, a class index or a class name")
        return Top(count)
    return int(word) if re.fullmatch(r"-?\d{1,18}", word) else word


def resolve(texts: Sequence[str], labels: Sequence[str] | None) -> tuple[int | Top, ...]:
    """Read targets and look labels up, whatever their case.

    Raises
    ------
    TargetError
        For a label that is unknown or used twice, and for any label when the model has none.
    """
    if not texts:
        raise TargetError("the target is empty", hint="top, top3, a class index or a class name")
    return tuple(_index(parsed, labels) if isinstance(parsed := parse(text), str) else parsed for text in texts)


def _index(label: str, labels: Sequence[str] | None) -> int:
    if re.fullmatch(r"[\d\s,]+", label):
        raise TargetError(f"the target {label!r} is no class", hint="give --target once for each class")
    if labels is None:
        raise TargetError(
            f"no class is named {label!r}: this model's file has no class names", hint="top, top3 or a class index"
        )
    exact = [index for index, known in enumerate(labels) if known == label]
    found = exact or [index for index, known in enumerate(labels) if known.casefold() == label.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        raise TargetError(f"{len(found)} classes are named {label!r}", hint=f"choose {' or '.join(map(str, found))}")
    hint = did_you_mean(label, labels, f"an index in 0..{len(labels) - 1}")
    raise TargetError(f"no class is named {label!r}", hint=hint)


def split(wanted: Sequence[int | Top]) -> tuple[int, tuple[int, ...]]:
    """Separate how many of the best classes are wanted from the classes given by index."""
    top = max((want.count for want in wanted if isinstance(want, Top)), default=0)
    return top, tuple(dict.fromkeys(want for want in wanted if not isinstance(want, Top)))


def check(indices: Sequence[int], head: Head, model: str) -> None:
    """Refuse an index that is no class.

    Raises
    ------
    TargetError
        Naming the range.
    """
    for index in indices:
        if not 0 <= index < head.classes:
            raise TargetError(
                f"class {index} does not exist: {model} has {head.classes} (0..{head.classes - 1})",
                hint="top, top3 or an index in that range",
            )


def class_scores(output: Any, logits: Any, squash: str) -> tuple[Head, Any]:
    """Turn the output of a traced model into class scores, (n, classes) float32.

    Parameters
    ----------
    output, logits : tf.Tensor
        The model's output, and what its softmax or sigmoid received (the output itself when there is none).
    squash : str
        "softmax", "sigmoid" or "".

    Raises
    ------
    ModelError
        If the output is no vector per image.
    """
    import tensorflow as tf

    if output.shape.rank is None or output.shape.rank > 2 or output.shape[-1] is None:  # noqa: PLR2004 (n, classes)
        raise ModelError(
            f"the output has shape {output.shape}; xcnn explains models with one vector of scores per image"
        )
    classes = int(output.shape[-1]) if output.shape.rank > 1 else 1
    scores = tf.cast(tf.reshape(logits, [-1, classes]), tf.float32)
    if squash == "sigmoid" and classes == 1:
        return Head("binary", 2), tf.concat([-scores, scores], axis=1)
    return Head(squash or "linear", classes), scores  # type: ignore[arg-type]


def ranked(scores: Floats, top: int, explicit: Sequence[int] = ()) -> np.ndarray:
    """Class indices per image, (n, top + len(explicit)): the best first, then the given ones."""
    import numpy as np

    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return np.hstack([best, np.tile(np.asarray(explicit, np.int64), (len(scores), 1))]).astype(np.int64)


def describe(scores: Floats, indices: np.ndarray, head: Head, labels: Sequence[str] | None) -> tuple[Target, ...]:
    """Describe class ``indices[i, j]`` of image i, in rows."""
    probabilities = head.probabilities(scores)
    return tuple(
        Target(
            index,
            label_of(index, head, labels),
            float(scores[image, index]),
            None if probabilities is None else float(probabilities[image, index]),
            ((0, 1.0 if index else -1.0),) if head.kind == "binary" else ((index, 1.0),),
        )
        for image, row in enumerate(indices.tolist())
        for index in row
    )


def label_of(index: int, head: Head, labels: Sequence[str] | None) -> str:
    """The name of a class, or "class 3" where there are no names."""
    if labels is not None and len(labels) == head.classes:
        return labels[index]
    return "output" if head.kind == "linear" and head.classes == 1 else f"class {index}"
