"""One trace of a model: what each layer returned, in execution order, and the scores before the squash.

Nothing is built or cloned. While the model runs once inside a ``tf.function``, each layer's ``call`` is wrapped on the
instance and restored afterwards, which works alike for flat, nested, shared and subclassed models.
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, OptionError, did_you_mean
from xcnn.plugin import Layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NOTHING: Mapping[str, Any] = MappingProxyType({})
SQUASHES = {"Softmax": "softmax", "LogSoftmax": "softmax", "Sigmoid": "sigmoid"}
TRANSPARENT = {"Identity", "Cast", "Reshape", "Transpose", "Squeeze", "ExpandDims", "PreventGradient", "Snapshot"}
CALLS = {"PartitionedCall", "StatefulPartitionedCall", "While", "StatelessWhile", "If", "StatelessIf"}
SIZES = {"Shape", "Size", "Rank"}
CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative"}
ARITHMETIC = {"Add", "AddV2", "BiasAdd", "Sub", "Mul", "Div", "RealDiv", "DivNoNan"}
LEARNED = ("BatchNormalization", "GroupNormalization", "LayerNormalization", "PReLU", "UnitNormalization")
"""Layers whose arithmetic was learned: it says nothing about the range of the pixels."""


@dataclass
class Tap:
    """One call of one layer inside a trace."""

    path: str
    layer: Any
    received: Any = None
    tensor: Any = None
    leaf: bool = True

    @property
    def kind(self) -> str:
        """The name of the layer's class."""
        return type(self.layer).__name__

    @property
    def activation(self) -> str:
        """The layer's own activation function, "" when it has none or does nothing."""
        name = getattr(getattr(self.layer, "activation", None), "__name__", "")
        return "" if name == "linear" else str(name)

    @property
    def parameters(self) -> int:
        """How many numbers the layer's weights hold."""
        return sum(math.prod(weight.shape) for weight in self.layer.weights)


@dataclass
class Taps:
    """The calls of all layers, in execution order (a container after what is inside it)."""

    calls: list[Tap] = field(default_factory=list)
    first: bool = False
    """Whether the pictures come in with their channels first."""

    def named(self) -> dict[str, Tap]:
        """The calls by path; a layer that ran several times gets ``[0]``, ``[1]``, ... behind its name."""
        times = Counter(tap.path for tap in self.calls)
        seen: Counter[str] = Counter()
        found = {}
        for tap in self.calls:
            name = tap.path if times[tap.path] == 1 else f"{tap.path}[{seen[tap.path]}]"
            seen[tap.path] += 1
            found[name] = tap
        return found

    def channels_first(self) -> frozenset[str]:
        """The paths of the calls whose maps have the channels first: as the layer says, or as the one before."""
        found = set()
        first = self.first
        for path, tap in self.named().items():
            layout = getattr(tap.layer, "data_format", None)
            first = layout == "channels_first" if layout in {"channels_first", "channels_last"} else first
            if first:
                found.add(path)
        return frozenset(found)

    def layers(self) -> tuple[Layer, ...]:
        """The calls as values, the channels of their shapes last."""
        first = self.channels_first()
        return tuple(
            Layer(path, tap.kind, _shape(tap.tensor, first=path in first), tap.leaf, tap.parameters, tap.activation)
            for path, tap in self.named().items()
        )


def _shape(tensor: Any, *, first: bool) -> tuple[int | None, ...]:
    shape = getattr(tensor, "shape", None)
    sides = () if shape is None or shape.rank is None else tuple(shape.as_list()[1:])
    return (*sides[1:], sides[0]) if first and len(sides) == 3 else sides  # noqa: PLR2004 (c, h, w)


class Reached(BaseException):
    """Ends a run that has come as far as it was wanted; Keras makes every `Exception` anew, but lets this one pass."""


@contextmanager
def tapped(model: Any, *, first: bool = False, until: str = "", replace: Mapping[str, Any] = NOTHING) -> Iterator[Taps]:
    """Record what each layer of `model` returns inside the block, and leave the model exactly as it was.

    Once the call named `until` has been recorded, `Reached` ends the run: what comes after it is never made. The calls
    named in `replace` hand on the tensors given there instead of their own.
    """
    import tensorflow as tf

    taps = Taps(first=first)
    open_calls: list[Tap] = []
    before: list[tuple[Any, Any]] = []

    def wrap(layer: Any) -> Any:
        inner = layer.call

        def call(*args: Any, **kwargs: Any) -> Any:
            for outer in open_calls:
                outer.leaf = False
            prefix = open_calls[-1].path + "/" if open_calls else ""
            tap = Tap(prefix + layer.name, layer, next(iter(args), None))
            open_calls.append(tap)
            try:
                tap.tensor = inner(*args, **kwargs)
            finally:
                open_calls.pop()
            taps.calls.append(tap)
            names = tap.path, f"{tap.path}[{sum(one.path == tap.path for one in taps.calls) - 1}]"
            for name in replace.keys() & set(names):
                tap.tensor = tf.cast(replace[name], tap.tensor.dtype)
            if until in names:
                raise Reached
            return tap.tensor

        return call

    try:
        for layer in model._flatten_layers(include_self=False, recursive=True):  # noqa: SLF001 (no public walk reaches nested layers)
            before.append((layer, vars(layer).get("call")))
            # Past Keras's own __setattr__, which would lock or track the attribute.
            object.__setattr__(layer, "call", wrap(layer))
        yield taps
    finally:
        for layer, call in reversed(before):
            if call is None:
                object.__delattr__(layer, "call")
            else:
                object.__setattr__(layer, "call", call)


@contextmanager
def inlined() -> Iterator[None]:
    """Trace ``@tf.function``s inside a model as plain Python, so that their ops are in our graph."""
    import tensorflow as tf

    eager = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(eager)


def before_squash(output: Any) -> tuple[Any, str]:
    """Walk back from a model's output to what its softmax or sigmoid received.

    Returns
    -------
    tensor, squash
        The logits and "softmax" or "sigmoid"; the output itself and "" when it ends otherwise.
    """
    tensor = output
    while tensor.op.type in TRANSPARENT:
        tensor = tensor.op.inputs[0]
    if tensor.op.type in SQUASHES:
        return tensor.op.inputs[0], SQUASHES[tensor.op.type]
    return output, ""


def opaque_calls(graph: Any) -> list[str]:
    """Names of the ops that hide others from the taps."""
    return [op.name for op in graph.get_operations() if op.type in CALLS]


def depends_on(tensor: Any) -> set[str]:
    """The names of all ops whose values a tensor is computed from; a mere size is none."""
    stack, seen = [tensor.op], set()
    while stack:
        op = stack.pop()
        if op.name not in seen:
            seen.add(op.name)
            stack.extend(source.op for source in op.inputs if op.type not in SIZES)
    return seen


def arithmetic_before(source: Any, received: Any, taps: Taps) -> list[str]:
    """Types of the arithmetic ops between the input and what the first convolution receives.

    Those of `LEARNED` layers are left out. Empty when the pixels reach it unchanged, or when there is no convolution.
    """
    if received is None:
        return []
    learned = {tap.tensor.op.name: tap.received.op for tap in taps.calls if tap.kind in LEARNED}
    found: list[str] = []
    stack, seen = [received.op], {source.op.name}
    while stack:
        op = stack.pop()
        op = learned.get(op.name, op)
        if op.name not in seen:
            seen.add(op.name)
            found += [op.type] if op.type in ARITHMETIC else []
            stack.extend(tensor.op for tensor in op.inputs)
    return found


def one_output(outputs: Any, names: Sequence[str], wanted: str) -> tuple[Any, str, tuple[str, ...]]:
    """The output to explain, its name, and the names of all; the first when none is named.

    Parameters
    ----------
    outputs : nested structure of tf.Tensor
        What the model returned.
    names : sequence of str
        What the model calls its outputs, where it knows.
    wanted : str
        A name or a position, or "".

    Raises
    ------
    ModelError
        If the model returned no tensor.
    OptionError
        If there is no such output.
    """
    import tensorflow as tf

    if isinstance(outputs, dict):
        found = {str(name): tensor for name, tensor in outputs.items()}
    else:
        flat = tf.nest.flatten(outputs)
        unique = len(names) == len(flat) and len(set(names)) == len(flat)
        found = dict(zip(names if unique else map(str, range(len(flat))), flat, strict=True))
    if not found or not all(isinstance(output, tf.Tensor) for output in found.values()):
        raise ModelError("this model returns no tensors")
    every = tuple(found)
    name = every[int(wanted)] if wanted.isdecimal() and int(wanted) < len(every) and wanted not in found else wanted
    if name and name not in found:
        raise OptionError(
            f"the model has no output {wanted!r}", hint=did_you_mean(wanted, every, "one of " + ", ".join(every))
        )
    name = name or every[0]
    return found[name], name, every
