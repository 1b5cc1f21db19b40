"""A model's layer tree from its file alone, without TensorFlow: the same paths in the same order as a trace gives."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn.network import inference, layout, preflight

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xcnn.network.preflight import ModelFile


@dataclass(frozen=True)
class Entry:
    """One call of one layer."""

    path: str
    """Nested as ``outer/inner``; a layer called twice is ``conv[0]`` and ``conv[1]``."""
    kind: str
    shape: tuple[int | None, ...]
    """The output without the batch axis; () when the file does not tell."""
    parameters: int | None
    """None when the file does not tell."""
    activation: str
    leaf: bool
    """Whether no other layer runs inside it."""

    @property
    def spatial(self) -> bool:
        """Whether the output is a stack of maps with more than one position."""
        return len(self.shape) == 3 and (self.shape[0] or 2) * (self.shape[1] or 2) > 1  # noqa: PLR2004 (h, w, c)


def sketch(file: ModelFile) -> tuple[Entry, ...]:
    """List the layers of a model in execution order; empty for one whose class is the user's own."""
    calls = [call for call in layout.calls(file.config) if not call.operation]
    times = Counter(call.path for call in calls)
    seen: Counter[str] = Counter()
    weights = _Weights(file.shapes)
    found = []
    for call in calls:
        path = call.path if times[call.path] == 1 else f"{call.path}[{seen[call.path]}]"
        seen[call.path] += 1
        parameters = weights.count(call)
        if parameters is None:
            parameters = inference.parameters(call.kind, call.config, call.received)
        if parameters is None and call.container:
            parameters = _inside(call.path, calls, weights)
        found.append(Entry(path, call.kind, call.shape or (), parameters, _activation(call.config), not call.container))
    return tuple(found)


def complete(file: str, prefix: str) -> list[str]:
    """Complete the value of ``--layer`` for a shell: paths of layers with a map; of a list, its last path.

    Says nothing and fails never: a file that can't be read has no layers.
    """
    try:
        model = preflight.inspect(Path(file).expanduser(), hashed=False)
        before, comma, last = prefix.rpartition(",")
        paths = [entry.path for entry in sketch(model) if entry.spatial or not entry.shape]
    except Exception:  # noqa: BLE001 (a shell is no place for errors)
        return []
    return [f"{before}{comma}{path}" for path in paths if path.startswith(last)]


class _Weights:
    """The arrays of a file by layer.

    Parameters
    ----------
    shapes : mapping
        Their shapes by path.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        self._under: Counter[tuple[str, ...]] = Counter()
        self._by_layer: dict[str, list[tuple[list[str], int]]] = {}
        for path, shape in shapes.items():
            parts = tuple(part for part in path.replace("\\", "/").split("/") if part)
            if any("seed_generator" in part for part in parts):
                continue
            for length in range(1, len(parts)):
                self._under[parts[:length]] += prod(shape)
            place = list(parts[1:-1] if parts[0] == "model_weights" else parts[:-1])
            if place:
                self._by_layer.setdefault(place[0], []).append((place[1:], prod(shape)))
        self._by_class = any(parts[0] in {"layers", "_layer_checkpoint_dependencies"} for parts in self._under)

    def count(self, call: layout.Call) -> int | None:
        """How many numbers belong to a layer; None when the file has none under its name."""
        if self._by_class:
            return self._under.get(tuple(call.group.split("/")))
        top, *names = call.path.split("/")
        found = [size for place, size in self._by_layer.get(top, ()) if _belongs(place, names)]
        return sum(found) if found else None


def _belongs(place: list[str], names: list[str]) -> bool:
    """Whether an array of an .h5 file, in these groups of an outermost layer, is in those with `names`, in order."""
    rest = iter(place)
    return all(name in rest for name in names)


def _inside(path: str, calls: list[layout.Call], weights: _Weights) -> int | None:
    """Add up what is in a container, shared layers once."""
    leaves = {call.path: call for call in calls if call.path.startswith(f"{path}/") and not call.container}
    counts = [
        weights.count(call) or inference.parameters(call.kind, call.config, call.received) for call in leaves.values()
    ]
    return None if None in counts else sum(count for count in counts if count is not None)


def _activation(config: dict[str, Any]) -> str:
    found = config.get("activation")
    if isinstance(found, dict):
        inner = found.get("config")
        return str(inner if isinstance(inner, str) else found.get("class_name", ""))
    return found if isinstance(found, str) and found != "linear" else ""
