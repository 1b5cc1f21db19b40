"""Which channels of which layer gradient ascent is to excite, and in pictures of which size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xcnn.errors import LayerError, OptionError
from xcnn.network import targets
from xcnn.network.ascent_goal import Goal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.network.keras_network import KerasNetwork
    from xcnn.plugin import Layer

SMALLEST = 96
POSITIONS = 6
"""How many positions of the layer a picture should have along a side: room for what its channels look for."""


@dataclass(frozen=True)
class Choice:
    """The goal, the channels, and their names where they are classes ("" where they are not)."""

    goal: Goal
    channels: tuple[int, ...]
    names: tuple[str, ...]


def chosen(network: KerasNetwork, wanted: str, channels: Sequence[int | str]) -> Choice:
    """Resolve a layer and channels, given as indices or class names; the layer "" stands for the scores.

    Raises
    ------
    LayerError
        If the layer is unknown or returns no single tensor, or a channel does not exist.
    OptionError
        If channels are given by name that are no classes, or none at all.
    TargetError
        If a class name is unknown.
    """
    if not channels:
        raise OptionError("no channel is given", hint="leave out --channels for the first ones")
    layer = network.layer(wanted) if wanted else None
    classes = _scores(network)
    named = any(isinstance(channel, str) for channel in channels)
    binary = network.head.kind == "binary" and layer in classes
    if layer is None or (named and binary):
        goal, count, names = Goal(network, ""), network.head.classes, True
    else:
        count = _count(layer)
        goal = Goal(network, layer.path, final=bool(classes) and layer == classes[-1])
        names = layer in classes and not binary
    if named and not names:
        word = next(channel for channel in channels if isinstance(channel, str))
        raise OptionError(
            f"--channels is {word!r}, but the channels of layer {wanted!r} have no names",
            hint=f"give numbers in 0..{count - 1}" + (f", or choose {classes[-1].path}" if classes else ""),
        )
    indices = tuple(_index(network, channel) for channel in channels)
    for index in indices:
        if not 0 <= index < count:
            what = f"layer {layer.path!r} has {count} channels" if layer else f"the network has {count} classes"
            raise LayerError(f"channel {index} does not exist: {what} (0..{count - 1})", hint="choose another channel")
    describer = targets.Describer(network.head, network.labels)
    return Choice(goal, indices, tuple(describer.label(index) if names else "" for index in indices))


def _count(layer: Layer) -> int:
    if not layer.shape or not layer.shape[-1]:
        raise LayerError(f"layer {layer.path!r} ({layer.kind}) returns no single tensor", hint="choose another layer")
    return layer.shape[-1]


def _index(network: KerasNetwork, channel: int | str) -> int:
    if not isinstance(channel, str):
        return int(channel)
    (found,) = targets.resolve([channel], network.labels)
    if not isinstance(found, int):
        raise OptionError(f"--channels is {channel!r}, which is not one class", hint="give names or indices of classes")
    return found


def _scores(network: KerasNetwork) -> list[Layer]:
    """The layers at the end of the network whose channels are its classes, the last one last."""
    classes = 1 if network.head.kind == "binary" else network.head.classes
    used = [layer for layer in network.layers() if layer.leaf and layer.path in network.survey.used]
    # The layer that makes the scores may end in their softmax, which the survey of the logits does not count.
    leaves = [layer for layer in network.layers() if layer.leaf]
    last = [layer for layer in leaves if layer.path == network.survey.output] or leaves[-1:]
    found: list[Layer] = []
    for layer in reversed([*used, *(layer for layer in last if layer not in used)]):
        if not layer.shape or layer.shape[-1] != classes:
            break
        found.insert(0, layer)
    return found


def roomy(network: KerasNetwork, goal: Goal) -> tuple[int, int]:
    """The size of pictures when nobody chose one: some positions of the layer, never more than the network's own."""
    height, width = network.input_size
    layer = network.layer(goal.path) if goal.path else None
    if layer is None or not layer.spatial:
        return height, width
    sides = []
    for own, positions in zip((height, width), layer.shape[:2], strict=True):
        stride = own / positions if positions else 1
        sides.append(min(own, max(SMALLEST, round(POSITIONS * stride))))
    return sides[0], sides[1]
