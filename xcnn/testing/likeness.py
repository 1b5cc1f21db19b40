"""How alike the numbers of two attempts are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from xcnn.plugin import Attribution, Tiles
from xcnn.testing.trial import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.plugin import Panel

ALIKE = 0.95
"""The rank correlation beyond which two maps count as the same.

A map that does not depend on the model has 1, whatever its scale. Of the built-in explainers on all kinds of small
models, the one that moves least, the feature maps of a layer, has 0.84.
"""


def same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    """Whether two lists of arrays are equal to the last bit; NaN equals itself."""
    import numpy as np

    return len(one) == len(other) and all(
        a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(one, other, strict=True)
    )


def distance(one: Sequence[Any], other: Sequence[Any]) -> float:
    """The largest difference of two lists of arrays, each as a part of the largest number of its array."""
    import numpy as np

    if [values.shape for values in one] != [values.shape for values in other]:
        return math.inf
    return max(
        (
            float(np.abs(a.astype(float) - b).max() / max(np.abs(b).max(), 1e-6))
            for a, b in zip(one, other, strict=True)
            if a.size
        ),
        default=0.0,
    )


def rank_correlation(one: Any, other: Any) -> float | None:
    """Spearman's correlation of two arrays; 0 where only one is constant, None where both are.

    Examples
    --------
    >>> import numpy as np
    >>> rank_correlation(np.array([1.0, 2, 5]), np.array([10.0, 20, 21]))
    1.0
    """
    import numpy as np

    if one.shape != other.shape:
        return 0.0
    ranks = [_ranks(values.ravel()) for values in (one, other)]
    a, b = (rank - rank.mean() for rank in ranks)
    if not a.any() and not b.any():
        return None
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale else 0.0


def _ranks(values: Any) -> Any:
    """The rank of each value; equal ones share theirs."""
    import numpy as np

    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places.ravel()]


def unmoved(rows: Sequence[tuple[Panel, ...]], others: Sequence[tuple[Panel, ...]]) -> str:
    """Name the panel whose maps are the same in `others`, in all rows; "" when there is none."""
    for place, panel in enumerate(rows[0]):
        if isinstance(panel, (Attribution, Tiles)):
            pairs = [
                (numbers(row[place])[0], numbers(again[place])[0]) for row, again in zip(rows, others, strict=True)
            ]
            told = [one for one in (rank_correlation(*pair) for pair in pairs) if one is not None]
            if told and min(told) > ALIKE:
                at = f" at {panel.layer}" if panel.layer else ""
                return f"the {type(panel).__name__}{at} is the same (rank correlation {min(told):.3f})"
    if not any(isinstance(panel, (Attribution, Tiles)) for panel in rows[0]):
        before, after = _all(rows), _all(others)
        return "every number is the same" if any(values.size for values in before) and same(before, after) else ""
    return ""


def _all(rows: Sequence[tuple[Panel, ...]]) -> list[Any]:
    return [values for row in rows for panel in row for values in numbers(panel)]
