"""Choosing layers by path, by glob, or for the user."""

from __future__ import annotations

import fnmatch
import shlex
from typing import TYPE_CHECKING

from xcnn.errors import LayerError, closest
from xcnn.network.upgrade.names import accepted
from xcnn.plugin import Choice

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from xcnn.plugin import Layer


IDLE = frozenset(
    {"AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "Identity", "InputLayer", "SpatialDropout2D"}
)
"""Layers that hand on what they receive when the network is not being trained."""

REARRANGED = frozenset({"Permute", "Reshape"})
"""Layers whose output has the rank of a map, but may have its sides in another order than the picture."""


def maps(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The leaf layers that make a map of more than one position: never a container, never a 1x1 map.

    Nor dropout, which hands on what the layer before it made, nor what turns maps around. Nor a part of an attention
    layer: its tensors have the rank of maps, but their axes are heads and tokens.
    """
    return tuple(layer for layer in _leaves(layers) if layer.kind not in IDLE | REARRANGED)


def _leaves(layers: Sequence[Layer]) -> list[Layer]:
    attention = tuple(f"{layer.path}/" for layer in layers if "Attention" in layer.kind)
    return [layer for layer in layers if layer.leaf and layer.spatial and not layer.path.startswith(attention)]


def default(layers: Sequence[Layer], model: str, *, smallest: bool = False) -> Choice:
    """Pick the last of the layers that make a map.

    In a network whose output is itself a map (``smallest``), the last of the layers with the smallest maps: those see
    most of the picture at once.

    Raises
    ------
    LayerError
        If the model has no such layer.
    """
    found = maps(layers) or _leaves(layers)
    if not found:
        raise LayerError(f"{model} has no layer with a map of more than one position")
    if smallest:
        found = [layer for layer in found if _positions(layer) == min(map(_positions, found))]
    chosen = found[-1]
    size = "x".join("?" if side is None else str(side) for side in chosen.shape[:2])
    why = (
        "the last layer of the smallest maps, because the output is itself a map"
        if smallest
        else "the last layer with a map"
    )
    return Choice(chosen.path, f"{why} ({size})")


def _positions(layer: Layer) -> float:
    height, width, _ = layer.shape
    return height * width if height and width else float("inf")


def find(
    layers: Sequence[Layer],
    wanted: Sequence[str],
    model: str,
    argument: str = "",
    *,
    used: Collection[str] | None = None,
) -> tuple[str, ...]:
    """Resolve paths and globs to the paths of spatial layers.

    ``model`` is what messages call the network, ``argument`` what the command line takes for it.

    A bare name stands for its path when only one layer has it. No pattern at all means the default layer. A glob passes
    over what is not among ``used``, the layers that the scores depend on.

    Raises
    ------
    LayerError
        If nothing matches, several layers share a bare name, or a layer has no map.
    """
    if not wanted:
        return (default(layers, model).value,)
    found: dict[str, None] = {}
    listed = f"list them with: xcnn layers {shlex.quote(argument or model)}"
    for pattern in wanted:
        for path in _matches(layers, pattern, model, listed, used=used):
            found[path] = None
    return tuple(found)


def one(layers: Sequence[Layer], wanted: str, model: str, argument: str = "") -> Layer:
    """Resolve a path, bare name or glob to one layer, with or without a map.

    Raises
    ------
    LayerError
        If nothing matches, or several do.
    """
    listed = f"list them with: xcnn layers {shlex.quote(argument or model)}"
    found = _matches(layers, wanted, model, listed, maps=False)
    if len(found) > 1:
        raise LayerError(f"{wanted!r} stands for {len(found)} layers, not one", hint=f"choose {_either(found)}")
    return next(layer for layer in layers if layer.path == found[0])


def _matches(
    layers: Sequence[Layer],
    pattern: str,
    model: str,
    listed: str,
    *,
    used: Collection[str] | None = None,
    maps: bool = True,
) -> list[str]:
    by_path = {layer.path: layer for layer in layers}
    if pattern in by_path:
        if maps and not by_path[pattern].spatial:
            raise _no_map(by_path[pattern], layers)
        return [pattern]
    calls = [path for path in by_path if path.rpartition("[")[0] == pattern]
    if calls:
        raise LayerError(f"layer {pattern!r} runs {len(calls)} times", hint=f"choose {_either(calls)}")
    if any(sign in pattern for sign in "*?"):
        globbed = [path for path in fnmatch.filter(by_path, pattern) if by_path[path].spatial]
        globbed = [path for path in globbed if used is None or path in used]
        if globbed:
            return globbed
        raise LayerError(f"no layer of {model} with a map matches {pattern!r}", hint=listed)
    return _matches(layers, named(by_path, pattern, model, listed), model, listed)


def named(paths: Collection[str], wanted: str, model: str, listed: str) -> str:
    """Resolve a path, or the bare name of one layer.

    Raises
    ------
    LayerError
        Where there is none or several; ``listed`` is the hint.
    """
    # The second is the name in the file, which graphs don't take.
    for name in dict.fromkeys([wanted, accepted(wanted)]):
        if name in paths:
            return name
        bare = [path for path in paths if path.rpartition("/")[2] == name]
        if len(bare) > 1:
            raise LayerError(f"{len(bare)} layers of {model} are named {name!r}", hint=f"choose {_either(bare)}")
        if bare:
            return bare[0]
    raise _unknown(paths, wanted, model, listed)


def _unknown(by_path: Collection[str], pattern: str, model: str, listed: str) -> LayerError:
    names = {path.rpartition("/")[2]: path for path in by_path}
    nearest = closest(pattern, by_path) or names.get(closest(pattern, names) or "")
    return LayerError(
        f"{model} has no layer {pattern!r}", hint=f"{nearest} (did you mean this?), or {listed}" if nearest else listed
    )


def _no_map(layer: Layer, layers: Sequence[Layer]) -> LayerError:
    shape = "x".join(str(side) for side in layer.shape) or "no single tensor"
    spatial = [other.path for other in layers if other.leaf and other.spatial][-3:]
    hint = f"choose one with a map, such as {_either(spatial)}" if spatial else ""
    return LayerError(f"layer {layer.path!r} ({layer.kind}) has no map: its output is {shape}", hint=hint)


def _either(paths: Sequence[str], most: int = 4) -> str:
    return " or ".join(paths[:most]) + (" ..." if len(paths) > most else "")
