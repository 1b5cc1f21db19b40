"""What a trace tells beside numbers: the pooling head, the non-linearities, what the scores depend on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.plugin import Rectifiers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.network.trace import Tap

THROUGH = {"Identity", "Cast", "Squeeze", "ExpandDims", "PreventGradient", "StopGradient"}
LINEAR = {"AddV2", "Add", "BiasAdd", "Mul", "Sub", "RealDiv"}
RECTIFIERS = {"Relu": "ReLU", "Relu6": "ReLU6", "LeakyRelu": "LeakyReLU"}
OTHERS = {
    "Elu": "ELU",
    "Selu": "SELU",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Erf": "GELU",
    "Erfc": "GELU",
    "Sigmoid": "sigmoid or swish",
    "Tanh": "tanh",
    "Maximum": "maximum",
    "SelectV2": "select",
}
BORROWED = {"PReLU": ("Relu", 2), "hard_sigmoid": ("Relu6", 1), "hard_silu": ("Relu6", 1), "hard_swish": ("Relu6", 1)}
"""Activations that are made of rectifiers without being one: how many each uses."""


@dataclass(frozen=True)
class Pooling:
    """Whether a network ends in global average pooling and a linear head, as class activation mapping needs.

    ``layer`` is the path of the pooled maps, "" when there are none; ``reason`` says what the head is.
    """

    layer: str
    reason: str


def pooling(logits: Any, taps: Mapping[str, Tap]) -> Pooling:
    """Walk back from the logits to global average pooling, through one linear head at most."""
    tensor, dense = logits, 0
    while True:
        kind = tensor.op.type
        if kind in THROUGH or (kind == "Reshape" and not _flattens(tensor)):
            tensor = tensor.op.inputs[0]
        elif kind in LINEAR:
            tensor = _data(tensor)
        elif kind == "MatMul" and not dense:
            dense += 1
            tensor = tensor.op.inputs[0]
        elif _pools(tensor):
            return _pooled(tensor.op.inputs[0], taps, dense)
        else:
            return Pooling("", _why_not(tensor, dense))
        if not tensor.op.inputs:
            return Pooling("", "the head does not end in global average pooling")


def _data(tensor: Any) -> Any:
    """The operand of an elementwise op that is no constant or variable: of the highest rank, the first of equals."""
    return max(
        tensor.op.inputs,
        key=lambda source: (source.op.type not in {"Const", "ReadVariableOp", "Placeholder"}, source.shape.rank or 0),
    )


def _flattens(tensor: Any) -> bool:
    """Whether a reshape lays maps of more than one position end to end."""
    before = tensor.op.inputs[0].shape
    return before.rank == 4 and (before[1] or 2) * (before[2] or 2) > 1  # noqa: PLR2004 (n, h, w, c)


def _pools(tensor: Any) -> bool:
    before = tensor.op.inputs[0].shape if tensor.op.inputs else tensor.shape
    if before.rank != 4:  # noqa: PLR2004
        return False
    return tensor.op.type == "Mean" or (
        tensor.op.type == "AvgPool"
        and tensor.shape[1] == tensor.shape[2] == 1
        and (before[1] or 2) * (before[2] or 2) > 1
    )


def _pooled(features: Any, taps: Mapping[str, Tap], dense: int) -> Pooling:
    while features.op.type in {"Identity", "Cast", "Transpose"}:
        features = features.op.inputs[0]
    made = [path for path, tap in taps.items() if _made_by(tap.tensor, features)]
    # A container returns what its last layer returns: the innermost is meant.
    layer = max(made, key=lambda path: path.count("/"), default="")
    head = "a linear head" if dense else "no head of its own"
    return Pooling(layer, f"global average pooling of {layer or 'unnamed maps'}, then {head}")


def _made_by(tensor: Any, features: Any) -> bool:
    while tensor is not None and hasattr(tensor, "op") and tensor.op.type in {"Identity", "Cast", "Transpose"}:
        tensor = tensor.op.inputs[0]
    return hasattr(tensor, "op") and tensor.name == features.name


def _why_not(tensor: Any, dense: int) -> str:
    kind = tensor.op.type
    what = {
        "MatMul": "two dense layers",
        "Reshape": "flattened maps",
        "Max": "global max pooling",
        "MaxPool": "max pooling",
        "ConcatV2": "a concatenation",
    }.get(kind, f"{RECTIFIERS.get(kind) or OTHERS.get(kind) or kind}")
    return (
        f"the head is {what}{' under a dense layer' if dense and kind != 'MatMul' else ''}, not global average pooling"
    )


def rectifiers(used: set[str], graph: Any, taps: Mapping[str, Tap]) -> Rectifiers:
    """Count the non-linearities among the ops that the logits depend on."""
    kinds = Counter(op.type for op in graph.get_operations() if op.name in used)
    others: Counter[str] = Counter()
    for tap in taps.values():
        name = tap.kind if tap.kind in BORROWED else tap.activation
        if name in BORROWED and tap.leaf:
            kind, count = BORROWED[name]
            kinds[kind] -= count
            others[name] += 1
    for kind, name in OTHERS.items():
        if kinds[kind] > 0:
            others[name] += kinds[kind]
    return Rectifiers(sum(max(kinds[kind], 0) for kind in RECTIFIERS), dict(others))
