"""What of a model is drawn as one block: layers joined to steps, equal steps counted, long models shortened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST = 72
"""Blocks that fit a picture one can read."""
LONGEST_PERIOD = 40

# The first family with a word that occurs in the kind of a layer.
FAMILIES: dict[str, tuple[str, ...]] = {
    "depthwise convolution": ("Depthwise",),
    "convolution": ("Conv",),
    "normalization": ("BatchNorm", "LayerNorm", "GroupNorm", "UnitNorm", "RMSNorm", "SpectralNorm"),
    "preprocessing": ("Rescaling", "Normalization", "CenterCrop", "Resizing", "InputLayer"),
    "pooling": ("Pool", "UpSampling"),
    "attention": ("Attention",),
    "activation": ("Activation", "LU", "Softmax", "Sigmoid", "Tanh", "Swish"),
    "dense": ("Dense",),
    "training only": ("Dropout", "Noise", "Random", "Regularization"),
    "merge": ("Add", "Concatenate", "Multiply", "Average", "Maximum", "Minimum", "Subtract", "Dot"),
    "shape": (
        "Flatten",
        "Reshape",
        "Permute",
        "Padding",
        "Cropping",
        "RepeatVector",
        "Identity",
        "Squeeze",
        "Transpose",
    ),
}
OTHER = "other"
GATE = "attention"
SLICES = ("normalization", "activation", "training only")
"""Families that change no shape: they are thin slices of the block before them."""


@dataclass(frozen=True)
class Row:
    """One call of one layer; ``shape`` is its output without the batch axis, ``parameters`` None when unknown."""

    path: str
    kind: str
    shape: tuple[int | None, ...]
    parameters: int | None = None
    leaf: bool = True


@dataclass(frozen=True)
class Step:
    """One block: a layer and the slices behind it, or several steps in one.

    ``group`` holds the names of the models it is part of, ``families`` those of its layers, the block's own first.
    ``repeat`` is (number, first, last): the run of steps it belongs to stands for `number` equal
    ones, the last of them with the shape ``until``.
    """

    group: tuple[str, ...]
    name: str
    families: tuple[str, ...]
    shape: tuple[int | None, ...]
    parameters: int | None
    layers: int = 1
    default: bool = False
    repeat: tuple[int, bool, bool] | None = None
    until: tuple[int | None, ...] = ()


def family(kind: str) -> str:
    """The family of a kind of layer.

    Examples
    --------
    >>> family("DepthwiseConv2D"), family("BatchNormalization"), family("Normalization"), family("MyLayer")
    ('depthwise convolution', 'normalization', 'preprocessing', 'other')
    """
    return next((name for name, words in FAMILIES.items() if any(word in kind for word in words)), OTHER)


def steps(rows: Sequence[Row], default: str = "") -> list[Step]:
    """Join the rows of a model to at most `MOST` blocks in execution order.

    ``default`` is the path of the layer to mark.
    """
    joined = _gated(_joined(rows, default))
    if len(joined) <= MOST // 3:
        return joined
    shortest = joined
    for shorter in (_counted(joined, _exact), _counted(joined, _like), _summed(joined)):
        shortest = min(shortest, shorter, key=len)
        if len(shortest) <= MOST:
            return shortest
    left = shortest[MOST - 1 :]
    more = replace(_sum(left), name=f"{sum(step.layers for step in left)} more layers")
    return [*shortest[: MOST - 1], more]


def _joined(rows: Sequence[Row], default: str) -> list[Step]:
    """One step for each leaf layer; those that change no shape, and paddings, are part of a neighbour."""
    found: list[Step] = []
    paddings: list[Row] = []
    leaves = [row for row in rows if row.leaf]
    for at, row in enumerate(leaves):
        *group, name = row.path.split("/")
        kind = family(row.kind)
        last = found[-1] if found else None
        if "Padding" in row.kind and at < len(leaves) - 1:
            paddings.append(row)
        elif last and not paddings and kind in SLICES and last.group == tuple(group) and last.shape == row.shape:
            found[-1] = _with(last, [row], default, kind)
        else:
            step = Step(tuple(group), name, (kind,), row.shape, row.parameters, default=row.path == default)
            found.append(_with(step, paddings, default))
            paddings = []
    return found


def _with(step: Step, rows: Sequence[Row], default: str, *families: str) -> Step:
    return replace(
        step,
        families=step.families + families,
        parameters=total([step.parameters, *(row.parameters for row in rows)]),
        layers=step.layers + len(rows),
        default=step.default or default in {row.path for row in rows},
    )


def _gated(given: Sequence[Step]) -> list[Step]:
    """Squeeze and excitation as one slice of the block that it weighs: a run without maps, then a merge with it."""
    found: list[Step] = []
    at = 0
    while at < len(given):
        end = at
        while end < len(given) and not _has_map(given[end]):
            end += 1
        gate = given[at : end + 1]
        before = found[-1] if found else None
        closes = end < len(given) and given[end].families[0] == "merge" and before and before.shape == given[end].shape
        if before and closes and len(gate) > 2 and all(step.group == before.group for step in gate):  # noqa: PLR2004
            found[-1] = replace(
                before,
                families=(*before.families, GATE),
                parameters=total([before.parameters, *(step.parameters for step in gate)]),
                layers=before.layers + sum(step.layers for step in gate),
                default=before.default or any(step.default for step in gate),
            )
            at = end + 1
        else:
            found.append(given[at])
            at += 1
    return found


def _has_map(step: Step) -> bool:
    return len(step.shape) == 3 and step.shape[:2] != (1, 1)  # noqa: PLR2004 (h, w, c)


def _exact(step: Step) -> object:
    return step.group, step.families, step.shape


def _like(step: Step) -> object:
    # Without the channels, which grow from block to block in a densely connected model.
    return step.group, step.families, step.shape[:-1]


def _counted(given: Sequence[Step], sign: Callable[[Step], object]) -> list[Step]:
    """Equal runs that follow each other, drawn once with their number."""
    signs = [sign(step) for step in given]
    found: list[Step] = []
    at = 0
    while at < len(given):
        period, times = _best_run(signs, at)
        shift = next((k for k in range(period) if times > 1 and _ends_well(given, signs, at + k, period, times)), 0)
        if times == 1 or shift:
            found += given[at : at + max(1, shift)]
            at += max(1, shift)
            continue
        for inside in range(period):
            alike = given[at + inside : at + period * times : period]
            one = replace(
                alike[0],
                layers=sum(step.layers for step in alike),
                default=any(step.default for step in alike),
                repeat=(times, inside == 0, inside == period - 1),
                until=alike[-1].shape,
            )
            found.append(one)
        at += period * times
    return found


def _best_run(signs: Sequence[object], at: int) -> tuple[int, int]:
    """The period and number of equal runs that starts here and saves most blocks."""
    best = (1, 1)
    for period in range(1, min(LONGEST_PERIOD, (len(signs) - at) // 2) + 1):
        times = 1
        while signs[at + period * times : at + period * (times + 1)] == signs[at : at + period]:
            times += 1
        # A pair of equal blocks is drawn as two.
        if period * (times - 1) > max(1, best[0] * (best[1] - 1)):
            best = (period, times)
    return best


def _ends_well(given: Sequence[Step], signs: Sequence[object], at: int, period: int, times: int) -> bool:
    """Whether a run of equal parts starts here, each of which ends where branches meet."""
    end = at + period * times
    same = end <= len(given) and signs[at : end - period] == signs[at + period : end]
    return same and given[at + period - 1].families[0] == "merge"


def _summed(given: Sequence[Step]) -> list[Step]:
    """One block for all neighbours with maps of one size."""
    return [_sum(list(alike)) for _, alike in groupby(given, key=lambda step: (step.group, step.shape[:-1]))]


def _sum(given: Sequence[Step]) -> Step:
    if len(given) == 1:
        return given[0]
    count = sum(step.layers for step in given)
    weights = Counter(step.families[0] for step in given)
    return Step(
        given[0].group,
        f"{count} layers",
        tuple(name for name, _ in weights.most_common()),
        given[-1].shape,
        total([step.parameters for step in given]),
        count,
        any(step.default for step in given),
    )


def total(numbers: Sequence[int | None]) -> int | None:
    """The sum of the numbers that are known; None when none is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
