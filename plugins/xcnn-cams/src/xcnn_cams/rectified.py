"""Maps of methods whose formulas are made for layers behind a rectifier, and what is said where none is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xcnn.plugin import Attribution

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from xcnn.plugin import Panel

    Floats = NDArray[np.floating]


def rows(maps: Mapping[str, Floats], found: Mapping[str, tuple[Floats, Floats]]) -> list[tuple[Panel, ...]]:
    """Turn one stack of positive maps per layer, each (rows, h, w), into one tuple of attributions per row.

    Parameters
    ----------
    maps : mapping of str to (rows, h, w) ndarray
        By layer.
    found : mapping of str to pair of (rows, h, w, k) ndarray
        The features and gradients they were made of; a row whose features go below zero gets a note.
    """
    stacks = [
        [
            Attribution(values, sign="positive", unit="score", layer=path, notes=_notes(features))
            for values, features in zip(stack.astype("float32"), found[path][0], strict=True)
        ]
        for path, stack in maps.items()
    ]
    return list(zip(*stacks, strict=True))


def _notes(features: Floats) -> tuple[str, ...]:
    """Tell how many activations are below zero, if any are."""
    below = float((features < 0).mean())
    words = "the formula is made for layers behind a ReLU, and a channel that all but cancels weighs too much"
    return (f"{below:.1%} of the activations are below zero: {words}",) if below else ()
