"""The size of picture that a model takes which does not say it, found from its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.network.stored import Stored

MOST = 1024
"""The largest size that is tried."""

GUESSED = "gave the model pictures of {0} x {0}, since it does not say which: its first dense layer takes as much"
ANY = "gave the model pictures of any size, since it does not say which"
HINT = "give the first layer its input_shape, and save it again"


def build(model: Any, found: Sequence[Stored], name: str) -> str:
    """Build a Sequential that never says what it takes, and return what it was given.

    Raises
    ------
    ModelError
        If no square picture fits.
    """
    channels = next((w.shape[2] for w in found if len(w.shape) == 4 and w.leaf == "kernel"), None)  # noqa: PLR2004
    if channels is None:
        raise ModelError(f"{name} does not say what its model takes", hint=HINT)
    try:
        size = _size(model, int(channels), found)
        model.build((None, size, size, int(channels)))
    except Exception as error:
        raise ModelError(f"{name} does not say what size of picture its model takes", hint=HINT) from error
    return ANY if size is None else GUESSED.format(size)


def _size(model: Any, channels: int, found: Sequence[Stored]) -> int | None:
    """The size that makes the flattened map as long as the first dense kernel; of several, the roundest."""
    kinds = [type(layer).__name__ for layer in _leaves(model)]
    if "Flatten" not in kinds:
        return None
    rows = next(w.shape[0] for w in found if len(w.shape) == 2 and w.leaf == "kernel")  # noqa: PLR2004
    fitting = [size for size in range(1, MOST + 1) if _flat(model, size, channels) == rows]
    return max(fitting, key=lambda size: (size & -size, -size))


def _leaves(model: Any) -> list[Any]:
    return [leaf for layer in model.layers for leaf in (_leaves(layer) if hasattr(layer, "layers") else [layer])]


def _flat(model: Any, size: int, channels: int) -> int | None:
    """How long the map is once flattened, or None when a picture of this size is too small."""
    shape: Any = (None, size, size, channels)
    try:
        for layer in _leaves(model):
            shape = layer.compute_output_shape(shape)
            if type(layer).__name__ == "Flatten":
                return int(shape[-1])
    except ValueError:
        return None
    return None
