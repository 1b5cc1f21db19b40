"""What to explain: from the words of the user to linear forms of a network's scores."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.errors import TargetError, did_you_mean
from xcnn.plugin import Contrast, Target, Top

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from xcnn.network.heads import Head
    from xcnn.values import Floats, Pixels

GRAMMAR = "top, top3, a class index or name, 'A vs B', not:A"
SATURATED = 0.9999
"""A probability above it says little: its own gradient all but vanishes."""


@dataclass(frozen=True)
class Named:
    """A class by its name."""

    label: str


Word = int | Named
"""A class as it was written."""


def parse(text: str) -> int | Top | Named:
    """Read one class: ``top``, ``topN``, a class index, or a label. A bare number is an index, ``label:7`` a label.

    Raises
    ------
    TargetError
        For ``top0`` and the empty word.

    Examples
    --------
    >>> parse("top3"), parse("386"), parse("African elephant"), parse("label:7")
    (Top(count=3), 386, Named(label='African elephant'), Named(label='7'))
    """
    word = text.strip()
    if word[:6].lower() == "label:" and word[6:].strip():
        return Named(word[6:].strip())
    if not word:
        raise TargetError("the target is empty", hint=GRAMMAR)
    if match := re.fullmatch(r"top(\d{0,9})", word, re.IGNORECASE):
        count = int(match[1] or 1)
        if count < 1:
            raise TargetError(f"{word} asks for no class", hint=GRAMMAR)
        return Top(count)
    return int(word) if re.fullmatch(r"-?\d{1,18}", word) else Named(word)


def names_class(text: str) -> bool:
    """Whether a target can't be read without the names of the classes."""
    parts = re.split(r"\s+vs\.?\s+", re.sub(r"^not:", "", text.strip(), flags=re.IGNORECASE), flags=re.IGNORECASE)
    return any(isinstance(parse(part), Named) for part in parts if part.strip())


def resolve(texts: Sequence[str], labels: Sequence[str] | None) -> tuple[int | Top | Contrast, ...]:
    """Read targets and look labels up: an exact label beats one in another case, which beats a unique prefix.

    Raises
    ------
    TargetError
        For a label that is unknown or used twice, and for any label when the model has none.
    """
    if not texts:
        raise TargetError("the target is empty", hint=GRAMMAR)
    return tuple(_resolved(text, labels) for text in texts)


def _resolved(text: str, labels: Sequence[str] | None) -> int | Top | Contrast:
    word = text.strip()
    if labels is not None and word in labels and isinstance(parse(word), Named):
        return _index(Named(word), labels)  # a label may look like a contrast
    if word[:4].lower() == "not:":
        return Contrast(None, _one(word[4:], labels))
    sides = re.split(r"\s+vs\.?\s+", word, flags=re.IGNORECASE)
    if len(sides) == 2:  # noqa: PLR2004 (A and B)
        plus, minus = (_one(side, labels) for side in sides)
        if plus == minus:
            raise TargetError(f"{word!r} compares a class with itself", hint="name two classes")
        return Contrast(plus, minus)
    if len(sides) > 2:  # noqa: PLR2004
        raise TargetError(f"{word!r} compares more than two classes", hint="give --target once for each pair")
    parsed = parse(word)
    return parsed if isinstance(parsed, (int, Top)) else _index(parsed, labels)


def _one(text: str, labels: Sequence[str] | None) -> int:
    """One class inside a contrast."""
    parsed = parse(text)
    if isinstance(parsed, Top):
        raise TargetError(f"{text.strip()} can't be part of a contrast", hint="name the class or give its index")
    return parsed if isinstance(parsed, int) else _index(parsed, labels)


def _index(named: Named, labels: Sequence[str] | None) -> int:
    label = named.label
    if re.fullmatch(r"[\d\s,]*,[\d\s,]*", label):
        raise TargetError(f"the target {label!r} is no class", hint="give --target once for each class")
    if labels is None:
        raise TargetError(
            f"no class is named {label!r}: the class names of this model are not known",
            hint="top, top3 or a class index, or give the names with --labels labels.txt",
        )
    folded = label.casefold()
    known = [name.casefold() for name in labels]
    exact = [index for index, name in enumerate(labels) if name == label]
    alike = [index for index, name in enumerate(known) if name == folded]
    begun = [index for index, name in enumerate(known) if name.startswith(folded)]
    found = exact or alike or begun
    if len(found) == 1:
        return found[0]
    if found:
        raise _ambiguous(label, found, labels)
    hint = did_you_mean(label, labels, f"an index in 0..{len(labels) - 1}")
    raise TargetError(f"no class is named {label!r}", hint=hint)


def _ambiguous(label: str, found: Sequence[int], labels: Sequence[str], most: int = 4) -> TargetError:
    alike = {labels[index].casefold() for index in found} == {label.casefold()}
    words = "are named" if alike else "begin with"
    shown = [str(index) if alike else f"{index} ({labels[index]})" for index in found[:most]]
    more = f" or {len(found) - most} more" if len(found) > most else ""
    return TargetError(f"{len(found)} classes {words} {label!r}", hint=f"choose {' or '.join(shown)}{more}")


@dataclass(frozen=True)
class Forms:
    """What a batch asks for: how many of the best classes, then linear forms of the scores."""

    top: int
    given: tuple[int | Contrast, ...]

    @classmethod
    def of(cls, wanted: Sequence[int | Top | Contrast]) -> Forms:
        """Separate the network's own choice from what was named; each once."""
        top = max((want.count for want in wanted if isinstance(want, Top)), default=0)
        return cls(top, tuple(dict.fromkeys(want for want in wanted if not isinstance(want, Top))))

    def matrix(self, head: Head, model: str) -> Floats:
        """The coefficients of the named forms, (given, classes); TargetError for an index that is no class."""
        import numpy as np

        rows = np.zeros((len(self.given), head.classes), np.float32)
        for row, want in zip(rows, self.given, strict=True):
            for index, weight in zip(_classes(want), _weights(want), strict=True):
                if not 0 <= index < head.classes:
                    raise TargetError(
                        f"class {index} does not exist: {model} has {head.classes} (0..{head.classes - 1})",
                        hint="top, top3 or an index in that range",
                    )
                row[index] = weight
        return rows


def coefficients(found: Sequence[Target], classes: int) -> Floats:
    """The weights of targets over all classes, (targets, classes)."""
    import numpy as np

    rows = np.zeros((len(found), classes), np.float32)
    for row, target in zip(rows, found, strict=True):
        for index, weight in target.coefficients:
            row[index] += weight
    return rows


def _classes(want: int | Contrast) -> tuple[int, ...]:
    if isinstance(want, int):
        return (want,)
    return (want.minus,) if want.plus is None else (want.plus, want.minus)


def _weights(want: int | Contrast) -> tuple[float, ...]:
    return (1.0,) if isinstance(want, int) else (-1.0,) if want.plus is None else (1.0, -1.0)


def ranked(ranks: Floats, count: int) -> np.ndarray:
    """Class indices per image, (n, count), the best first."""
    import numpy as np

    return np.argsort(-ranks, axis=1, kind="stable")[:, :count]


@dataclass(frozen=True)
class Outcome:
    """What the network made of a batch: (n, classes) scores, and for maps the area of each class."""

    scores: Floats
    areas: Floats | None = None


class Describer:
    """Puts targets in words: their labels, probabilities and what to know about them."""

    def __init__(self, head: Head, labels: Sequence[str] | None) -> None:
        self._head = head
        self._labels = labels if labels is not None and len(labels) == head.classes else None

    def rows(self, outcome: Outcome, best: np.ndarray, given: Sequence[int | Contrast] = ()) -> tuple[Target, ...]:
        """Describe for each image its best classes, (n, k), then the named forms."""
        chances = self._head.probabilities(outcome.scores)
        found = []
        for image in range(len(outcome.scores)):
            chance = None if chances is None else chances[image]
            areas = None if outcome.areas is None else outcome.areas[image]
            found += [
                self._target(want, outcome.scores[image], chance, areas) for want in [*best[image].tolist(), *given]
            ]
        return tuple(found)

    def _target(self, want: int | Contrast, scores: Any, chances: Any, areas: Any) -> Target:
        classes, weights = _classes(want), _weights(want)
        score = sum(weight * float(scores[index]) for index, weight in zip(classes, weights, strict=True))
        chance = None
        if chances is not None and len(classes) == 1:
            chance = float(chances[classes[0]])
            chance = chance if weights[0] > 0 else 1 - chance
        return Target(
            classes[0],
            self._label(want),
            score,
            chance,
            tuple(zip(classes, weights, strict=True)),
            (*self._saturated(chance), *self._where(areas, classes)),
        )

    def _label(self, want: int | Contrast) -> str:
        if isinstance(want, int):
            return self.label(want)
        minus = self.label(want.minus)
        return f"not {minus}" if want.plus is None else f"{self.label(want.plus)} vs {minus}"

    def label(self, index: int) -> str:
        """The name of a class, or "class 3" where there are no names."""
        if self._labels is not None:
            return self._labels[index]
        return "output" if self._head.kind == "linear" and self._head.classes == 1 else f"class {index}"

    def _where(self, areas: Any, classes: Sequence[int]) -> tuple[str, ...]:
        """For maps, what the score was taken from."""
        if areas is None:
            return ()
        if self._head.point:
            return ("the score is that of one pixel, given with --at",)
        parts = [float(areas[index]) for index in classes]
        if not any(parts):
            return ("predicted nowhere: the score is the mean over the whole output",)
        return (f"predicted on {' and '.join(f'{part:.1%}' for part in parts)} of the output",)

    def _saturated(self, chance: float | None) -> tuple[str, ...]:
        if chance is None or 1 - SATURATED <= chance <= SATURATED:
            return ()
        end = "100%" if chance > SATURATED else "0%"
        if self._head.on == "probability":
            return (
                f"the probability is saturated at {end}: its gradient all but vanishes, so explain the logit instead",
            )
        return (f"the probability is saturated at {end}; the map explains the logit, which is not",)


def points(pictures: Sequence[Pixels], at: tuple[int, int]) -> Floats:
    """The pixel (x, y) of each picture as fractions of its height and width, (n, 2)."""
    import numpy as np

    x, y = at
    for picture in pictures:
        height, width = picture.shape[:2]
        if not (0 <= x < width and 0 <= y < height):
            raise TargetError(
                f"the point {x},{y} lies outside of a picture of {width}x{height} px",
                hint="x counts from the left and y from the top",
            )
    return np.array([[(y + 0.5) / len(picture), (x + 0.5) / picture.shape[1]] for picture in pictures], np.float32)
