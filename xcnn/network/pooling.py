"""The pooled head of a network: which maps are averaged and then only weighed, as class activation mapping needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.network import trace
from xcnn.network.layers import IDLE
from xcnn.network.rectifiers import OTHERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.network.trace import Tap

MAPS = 4
"""The rank of (n, h, w, c)."""
THROUGH = {"Identity", "IdentityN", "Cast", "Squeeze", "ExpandDims", "PreventGradient", "Snapshot"}
SUMS = {"AddV2", "Add", "AddN", "BiasAdd", "Sub", "ConcatV2", "Neg"}
DENSE = {"MatMul", "BatchMatMulV2", "Conv2D"}
"""Ops of dense layers; a convolution is one where the map has a single position."""
PRODUCTS = {"Mul", "RealDiv", *DENSE}
KEPT = {"Identity", "Cast", "Transpose"}
"""Ops between a layer and its pooling that leave the features as they are."""
WORDS = {
    "Relu": "ReLU",
    "Relu6": "ReLU6",
    "LeakyRelu": "LeakyReLU",
    **OTHERS,
    "Sigmoid": "sigmoid or swish",
    "Reshape": "flattened maps",
    "Max": "global max pooling",
    "MaxPool": "max pooling",
    "Mul": "a product of features",
    "RealDiv": "a ratio of features",
    "Conv2D": "a convolution",
}


@dataclass(frozen=True)
class Pooling:
    """Whether a network ends in global average pooling and linear layers, as class activation mapping needs.

    ``layers`` are the paths of the pooled maps, none where there are no such; ``reason`` says what the head is.
    """

    layers: tuple[str, ...]
    reason: str

    @property
    def layer(self) -> str:
        """The paths in one line, "" where there are none."""
        return ", ".join(self.layers)


class _Other(Exception):  # noqa: N818 (says what the head is)
    """The head is another one."""


def pooling(pixels: Any, logits: Any, taps: Mapping[str, Tap], *, first: frozenset[str] = frozenset()) -> Pooling:
    """Walk back from the logits through what is linear, to global averages of maps and nothing else.

    ``first`` are the paths of the layers whose maps have the channels first.
    """
    walk = _Walk(pixels, taps, first)
    try:
        walk.back(logits)
        paths = walk.paths()
    except _Other as other:
        return Pooling((), str(other))
    head = "a linear head" if walk.weighed else "no head of its own"
    return Pooling(
        paths, f"global average pooling of {' and '.join(paths) or 'maps that no layer returns'}, then {head}"
    )


class _Walk:
    """One walk back from the logits."""

    def __init__(self, pixels: Any, taps: Mapping[str, Tap], first: frozenset[str]) -> None:
        self.weighed = False
        self._taps = taps
        self._first = first
        self._pixels = pixels.op.name
        self._depends: dict[str, bool] = {}
        self._pooled: dict[str, Any] = {}
        """What is pooled by the name of its tensor: the tensor and the axes of the mean."""

    def back(self, logits: Any) -> None:
        """Collect the global averages; _Other where something else is met."""
        stack, seen = [(logits, 0)], set()
        while stack:
            tensor, dense = stack.pop()
            if (tensor.name, dense) in seen:
                continue
            seen.add((tensor.name, dense))
            if axes := _averaged(tensor):
                self.weighed |= dense > 0
                self._pooled[tensor.op.inputs[0].name] = (tensor.op.inputs[0], axes)
                continue
            dense += tensor.op.type in DENSE
            stack += [(part, dense) for part in self._through(tensor, dense)]

    def _through(self, tensor: Any, dense: int) -> list[Any]:
        """The operands that a tensor is a linear function of; `dense` layers have been passed, this one included."""
        op, kind = tensor.op, tensor.op.type
        data = [part for part in op.inputs if self._of_pixels(part)]
        if kind in THROUGH:
            return [op.inputs[tensor.value_index]]
        if kind in {"Reshape", "Transpose"} and not _flattens(tensor):
            return [op.inputs[0]]
        if kind in SUMS and data:
            return data
        if kind in PRODUCTS and len(data) == 1 and (kind != "RealDiv" or data[0] is op.inputs[0]):
            if dense > 1:
                raise _Other("the head is two dense layers, not global average pooling")
            if kind != "Conv2D" or _single(data[0]):
                return data
        if not op.inputs:
            raise _Other("the head does not end in global average pooling")
        under = " under a dense layer" if dense > (kind in DENSE) else ""
        raise _Other(f"the head is {WORDS.get(kind, kind)}{under}, not global average pooling")

    def _of_pixels(self, tensor: Any) -> bool:
        """Whether a tensor depends on the picture: weights do not."""
        if tensor.op.name not in self._depends:
            self._depends[tensor.op.name] = self._pixels in trace.depends_on(tensor)
        return self._depends[tensor.op.name]

    def paths(self) -> tuple[str, ...]:
        """The layers that made what is pooled, in execution order; () when one is no layer's output."""
        found = {self._maker(tensor, axes): tensor for tensor, axes in self._pooled.values()}
        for path, tensor in found.items():
            before = trace.depends_on(tensor)
            for other, earlier in found.items():
                if other != path and earlier.op.name in before:
                    raise _Other(f"the head pools {other!r} and also {path!r}, which is computed from it")
        return () if "" in found else tuple(path for path in self._taps if path in found)

    def _maker(self, features: Any, axes: frozenset[int]) -> str:
        made: dict[str, bool] = {}
        tensor = features
        while True:
            for path, tap in self._taps.items():
                if getattr(tap.tensor, "name", "") == tensor.name:
                    made[path] = axes == (frozenset({2, 3}) if path in self._first else frozenset({1, 2}))
            if tensor.op.type not in KEPT:
                break
            if tensor.op.type == "Transpose":
                axes = _transposed(tensor.op, axes)
            tensor = tensor.op.inputs[0]
        if made and not any(made.values()):
            raise _Other("the head is a mean over other axes than the positions, not global average pooling")
        return self._innermost([path for path, right in made.items() if right])

    def _innermost(self, paths: Sequence[str]) -> str:
        """The layer that made a tensor, of all that returned it: containers and dropout hand on what they receive."""
        leaves = [path for path in paths if self._taps[path].leaf]
        makers = [path for path in leaves if self._taps[path].kind not in IDLE]
        return next(iter([*makers, *leaves, *paths]), "")


def _averaged(tensor: Any) -> frozenset[int]:
    """The axes of the positions, if a tensor is the average of maps over all of them."""
    op = tensor.op
    if op.type not in {"Mean", "AvgPool"} or op.inputs[0].shape.rank != MAPS:
        return frozenset()
    if op.type == "Mean":
        import tensorflow as tf

        axes = tf.get_static_value(op.inputs[1])
        found = frozenset() if axes is None else frozenset(int(axis) % MAPS for axis in axes.ravel())
        return found if found in ({1, 2}, {2, 3}) else frozenset()
    found = frozenset({2, 3} if op.get_attr("data_format") == b"NCHW" else {1, 2})
    sides = [op.inputs[0].shape[axis] for axis in sorted(found)]
    window = [op.get_attr("ksize")[axis] for axis in sorted(found)]
    whole = window == sides and all(tensor.shape[axis] == 1 for axis in found)
    return found if whole and sides != [1, 1] else frozenset()


def _transposed(op: Any, axes: frozenset[int]) -> frozenset[int]:
    """The axes of what a transposition receives, given those of what it returns."""
    import tensorflow as tf

    order = tf.get_static_value(op.inputs[1])
    return frozenset() if order is None else frozenset(int(order[axis]) for axis in axes)


def _flattens(tensor: Any) -> bool:
    """Whether maps of more than one position are laid end to end, or turned."""
    before = tensor.op.inputs[0]
    return before.shape.rank == MAPS and not _single(before)


def _single(tensor: Any) -> bool:
    """Whether a map has one position: then a convolution is a dense layer."""
    shape = tensor.shape
    return shape.rank == MAPS and (list(shape[1:3]) == [1, 1] or list(shape[2:4]) == [1, 1])
