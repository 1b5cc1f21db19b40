"""How much memory a model would take, from what its file declares: nothing is allocated."""

from __future__ import annotations

import re
from math import prod
from typing import Any

from xcnn.errors import ModelError, UnsafeModelError
from xcnn.network import inference, layout
from xcnn.network.entries import entries

GIGABYTE = 10**9
BYTES = 4
NUMERIC = re.compile(r"(b?float|u?int|complex|bool|string|None)_?\d*(_e\d\w*)?")
"""Types of constants; that of a text could ask for any amount of memory."""
GROWING = frozenset(
    """
    Arange BroadcastTo CropImages Full Geomspace Linspace Logspace MultiHot OneHot Pad PadImages Repeat Resize
    ScaleAndTranslate Tile Unfold Vander
    """.split()  # noqa: SIM905 (a list of names reads best as words)
)
"""Operations whose output may be larger than what they receive, by their arguments."""


def refuse_too_large(name: str, config: dict[str, Any], *, arrays: int, most_gigabytes: float) -> None:
    """Refuse a model whose arrays, parameters or maps would take too much memory.

    Parameters
    ----------
    name : str
        What messages call the file.
    config : dict
        The model's.
    arrays : int
        Bytes of the arrays in its file.
    most_gigabytes : float
        The limit for all parameters together, and for the output of any one layer.

    Raises
    ------
    UnsafeModelError
        With the size and the limit.
    """
    most = most_gigabytes * GIGABYTE
    if arrays > most:
        raise _too_large(name, "its arrays take", arrays, most_gigabytes)
    try:
        calls = layout.calls(config)
    except UnsafeModelError as error:
        raise UnsafeModelError(f"{name} was not loaded: {error.message}") from error
    except ModelError:
        calls = []  # Keras will say what is wrong; the layers are still looked at one by one
    for call in calls:
        size = _size(call.shape)
        if size > most:
            raise _too_large(name, f"the output of layer {call.path!r} ({call.kind}) takes", size, most_gigabytes)
    layers = {call.path: BYTES * (inference.parameters(call.kind, call.config, call.received) or 0) for call in calls}
    alone = [
        (f"{entry.owner!r} ({entry.kind})", BYTES * (inference.parameters(entry.kind, entry.config, None) or 0))
        for entry in entries(config)
    ]
    if sum(layers.values()) > most:
        largest = max(layers, key=lambda path: layers[path])
        what = f"its parameters, most of them in layer {largest!r}, take"
        raise _too_large(name, what, sum(layers.values()), most_gigabytes)
    if sum(size for _, size in alone) > most:
        largest, _ = max(alone, key=lambda pair: pair[1])
        what = f"its parameters, most of them in layer {largest}, take"
        raise _too_large(name, what, sum(size for _, size in alone), most_gigabytes)
    _check_values(name, config, most_gigabytes)


def _check_values(name: str, config: dict[str, Any], most_gigabytes: float) -> None:
    """Refuse inputs, constants and arguments of operations that would make huge tensors."""
    for entry in entries(config):
        if entry.kind == "InputLayer":
            shape = entry.config.get("batch_shape") or entry.config.get("batch_input_shape")
            size = BYTES * prod(abs(side) for side in _numbers(shape) if side)
            if size > most_gigabytes * GIGABYTE:
                raise _too_large(name, f"the input {entry.owner!r} takes", size, most_gigabytes)
        dtype = entry.config.get("dtype")
        if entry.kind in {"__tensor__", "__numpy__"} and not NUMERIC.fullmatch(str(dtype)):
            raise UnsafeModelError(f"{name} was not loaded: a constant in it is of the type {str(dtype)[:40]!r}")
        if entry.kind in GROWING:
            product = 1
            for number in _numbers([entry.value.get("inbound_nodes"), entry.config]):
                product *= max(1, number)
            if BYTES * product > most_gigabytes * GIGABYTE:
                raise _too_large(
                    name, f"operation {entry.owner!r} ({entry.kind}) may make", BYTES * product, most_gigabytes
                )


def _numbers(value: Any) -> list[int]:
    """Whole numbers among the arguments of a call, but for those that describe its tensors."""
    stack, found = [value], []
    while stack:
        inner = stack.pop()
        if isinstance(inner, dict):
            if inner.get("class_name") not in {"__keras_tensor__", "__tensor__", "__numpy__"}:
                stack.extend(inner.values())
        elif isinstance(inner, list):
            stack.extend(inner)
        elif isinstance(inner, int) and not isinstance(inner, bool):
            found.append(inner)
    return found


def _size(shape: inference.Shape) -> int:
    """How many bytes an output takes for one image."""
    size = BYTES
    for side in shape or ():
        size *= 1 if side is None else abs(side)
    return size


def _too_large(name: str, what: str, size: int, most_gigabytes: float) -> UnsafeModelError:
    amount = f"{size / GIGABYTE:.1f}" if size < GIGABYTE**2 else "more than a billion"
    return UnsafeModelError(
        f"{name} was not loaded: {what} {amount} GB; the limit is {most_gigabytes:g} GB",
        hint="if that is right, raise the limit with --max-model-gb",
    )
