"""The ops of a trace on the way from the pixels to the scores, and what they are for pictures of one colour."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from xcnn.network import rectifiers, trace
from xcnn.plugin import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xcnn.network.survey import Forward

    Ends = Callable[[], tuple[Any, Any]]

MOVING = {
    "Identity", "Cast", "Snapshot", "PreventGradient", "EnsureShape", "CheckNumerics", "Reshape", "Squeeze",
    "ExpandDims", "Transpose", "Pad", "PadV2", "MirrorPad", "ConcatV2", "Pack", "Unpack", "Split", "SplitV",
    "StridedSlice", "Slice", "GatherV2", "GatherNd", "ReverseV2", "SpaceToBatchND", "BatchToSpaceND", "SpaceToDepth",
    "DepthToSpace", "BroadcastTo", "Tile", "ResizeNearestNeighbor",
}  # fmt: skip
"""Ops that put values elsewhere, leave some out or repeat some: their gradients say where each came from."""
PREPARING = {"ResizeBilinear", "ResizeArea", "ResizeBicubic", "ScaleAndTranslate", "AvgPool"}


def along(forward: Forward, ends: Ends) -> tuple[Step, ...]:
    """List the steps of a forward pass in execution order; to be done before any gradient is made.

    Parameters
    ----------
    forward : Forward
        What was traced.
    ends : callable
        Makes the inputs for a black and a white picture, each (1, h, w, c).
    """
    used = trace.depends_on(forward.logits)
    ops = [op for op in forward.pixels.graph.get_operations() if op.name in used]
    carried = _carried(forward.pixels.op, ops)
    places = _places(forward.pixels.op, ops, carried)
    roles = {gate.op.name: gate.role for gate in rectifiers.find(forward.logits).gates}
    layers = {tap.tensor.op.name: path for path, tap in forward.taps.items() if tap.leaf and hasattr(tap.tensor, "op")}
    users: dict[str, list[Step]] = {op.name: [] for op in ops}
    found: dict[str, Step] = {}
    for op in reversed(ops):  # from the scores down, so that the users of an op come before it
        if op.name not in carried or op is forward.pixels.op:
            continue
        after = tuple(users[op.name])
        step = Step(
            op=op,
            data=carried[op.name],
            users=after,
            sources=partial(_sources, op, carried[op.name], found),
            layer=layers.get(op.name) or (after[0].layer if after else ""),
            place=places[op.name],
            role=roles.get(op.name, ""),
            ends=partial(_both, op.inputs[carried[op.name][0]], forward.pixels, ends),
        )
        for name in {op.inputs[place].op.name for place in step.data}:
            users[name].append(step)
        found[op.name] = step
    return tuple(reversed(found.values()))


def _sources(op: Any, data: Sequence[int], found: Mapping[str, Step]) -> tuple[Step | None, ...]:
    return tuple(found.get(op.inputs[place].op.name) for place in data)


def _carried(source: Any, ops: Sequence[Any]) -> Mapping[str, tuple[int, ...]]:
    """Which inputs of each op hold values that are computed from the picture, and not only counted or compared."""
    found: dict[str, tuple[int, ...]] = {source.name: ()}
    for op in ops:
        data = tuple(i for i, part in enumerate(op.inputs) if part.dtype.is_floating and part.op.name in found)
        if data and any(output.dtype.is_floating for output in op.outputs):
            found[op.name] = data
    return found


def _places(source: Any, ops: Sequence[Any], carried: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    found: dict[str, Any] = {source.name: "before"}
    for op in ops:
        if op.name not in carried or op is source:
            continue
        fed = {found[op.inputs[place].op.name] for place in carried[op.name]}
        alone = len(carried[op.name]) == 1
        if fed != {"before"}:
            found[op.name] = "inside"
        elif op.type in MOVING or (alone and op.type in trace.ARITHMETIC | PREPARING):
            found[op.name] = "before"
        else:
            found[op.name] = "first"
    return found


def _both(tensor: Any, source: Any, ends: Ends) -> tuple[Any, Any]:
    black, white = ends()
    return replayed(tensor, {source.name: black}), replayed(tensor, {source.name: white})


def replayed(tensor: Any, known: dict[str, Any]) -> Any:
    """Make a tensor again from other values for some that it is computed from, by name; what it shares with none stays.

    The number of ops is small: those that prepare the pixels.
    """
    if tensor.name in known:
        return known[tensor.name]
    op = tensor.op
    inputs = [replayed(part, known) for part in op.inputs]
    if all(new is old for new, old in zip(inputs, op.inputs, strict=True)):
        known[tensor.name] = tensor
        return tensor
    copy = op.graph.create_op(
        op.type, inputs, [output.dtype for output in op.outputs], attrs=op.node_def.attr, op_def=op.op_def
    )
    known.update((old.name, new) for old, new in zip(op.outputs, copy.outputs, strict=True))
    return known[tensor.name]
