"""A model's layers in the order in which they run, from its config alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, UnsafeModelError
from xcnn.network import inference, keras_operations
from xcnn.network.keras_layers import CONTAINERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xcnn.network.inference import Shape

    Node = tuple[str, int]

MOST_CALLS = 10_000
OPERATIONS = "keras.src.ops."
PARTS = {"MultiHeadAttention": ("query", "key", "value", "attention_output")}
"""Layers that a layer makes for itself."""


@dataclass(frozen=True)
class Call:
    """One call of one layer, or of an operation."""

    path: str
    kind: str
    config: dict[str, Any]
    received: Shape
    shape: Shape
    container: bool
    operation: bool = False
    group: str = ""
    """Where a .keras file has its arrays."""


def calls(config: dict[str, Any]) -> list[Call]:
    """List every call in execution order, a container after what is inside it; empty for a model that is no graph.

    Raises
    ------
    ModelError
        If the config makes no sense.
    UnsafeModelError
        If there are absurdly many.
    """
    found: list[Call] = []
    try:
        _run_model(config, [], _Place("", "layers"), found)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise ModelError(f"the model's config makes no graph: {type(error).__name__} {error}") from error
    return found


@dataclass(frozen=True)
class _Place:
    """Where in the model something is called."""

    prefix: str
    group: str


def _run_model(entry: dict[str, Any], received: list[Shape], place: _Place, found: list[Call]) -> list[Shape]:
    config = entry.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    if not isinstance(config, (dict, list)) or not isinstance(layers, list):
        return []
    layers = [layer for layer in layers if isinstance(layer, dict) and isinstance(layer.get("class_name"), str)]
    groups = _groups(layers, place.group)
    if isinstance(config, dict) and "input_layers" in config:
        return _run_graph(config, layers, received, _Graph(place.prefix, groups, found))
    shapes: list[Shape] = received or [_batch(config.get("build_input_shape") if isinstance(config, dict) else None)]
    for number, layer in enumerate(layers):
        if layer["class_name"] == "InputLayer":
            shapes = list(received or [_input(layer)])
            continue
        if shapes == [None]:
            shapes = [_batch(_config(layer).get("batch_input_shape"))]
        if shapes == [None]:
            shapes = [_built(layer)]
        inner = _Place(place.prefix, groups[_name(layer)])
        following = _built(layers[number + 1]) if number + 1 < len(layers) else None
        results = _run_layer(layer, shapes, inner, found)
        shapes = [results[0] if results and results[0] is not None else following]
    return shapes


def _run_layer(entry: dict[str, Any], received: list[Shape], place: _Place, found: list[Call]) -> list[Shape]:
    """Run one layer with what is inside it."""
    if len(found) > MOST_CALLS:
        raise UnsafeModelError(f"the model runs more than {MOST_CALLS} layers")
    kind, config, path = entry["class_name"], _config(entry), place.prefix + _name(entry)
    before = len(found)
    inner = _Place(f"{path}/", f"{place.group}/layers")
    if kind in CONTAINERS or isinstance(config.get("layers"), list) or isinstance(entry.get("config"), list):
        shapes = _run_model(entry, received, inner, found)
    else:
        shapes = [inference.output(kind, config, received)]
        for key in ("layer", "backward_layer", "activation"):
            part = config.get(key)
            if isinstance(part, dict) and isinstance(part.get("class_name"), str) and "name" in _config(part):
                given: list[Shape] = shapes if key == "activation" else [None]
                part_shapes = _run_layer(part, given, _Place(inner.prefix, f"{place.group}/{key}"), found)
                shapes = part_shapes if kind == "SpectralNormalization" else shapes
        found.extend(
            Call(f"{path}/{part}", "EinsumDense", {}, None, None, container=False) for part in PARTS.get(kind, ())
        )
    first = received[0] if received else None
    shape = shapes[0] if len(shapes) == 1 else None
    operation = _is_operation(entry)
    found.append(Call(path, kind, config, first, shape, len(found) > before, operation, place.group))
    return shapes


@dataclass(frozen=True)
class _Graph:
    """What the layers of one functional model share."""

    prefix: str
    groups: dict[str, str]
    found: list[Call]


def _run_graph(
    config: dict[str, Any], layers: list[dict[str, Any]], received: list[Shape], graph: _Graph
) -> list[Shape]:
    by_name = {_name(layer): layer for layer in layers}
    inputs = [name for name, _, _ in _references(config.get("input_layers"))]
    sources: dict[Node, list[tuple[Node, int, Shape]]] = {}
    stated: dict[tuple[Node, int], Shape] = {}
    for name, layer in by_name.items():
        nodes = layer.get("inbound_nodes")
        for index, node in enumerate(nodes if isinstance(nodes, list) and nodes else [None]):
            sources[name, index] = [((one, at), tensor, shape) for one, at, tensor, shape in _tensors(node)]
            stated |= {(parent, tensor): shape for parent, tensor, shape in sources[name, index] if shape is not None}
    outputs = [((name, at), tensor) for name, at, tensor in _references(config.get("output_layers"))]
    results: dict[Node, list[Shape]] = {}
    for name, index in _execution_order([node for node, _ in outputs], sources):
        layer = by_name[name]
        if name in inputs or layer["class_name"] == "InputLayer":
            position = inputs.index(name) if name in inputs else len(received)
            results[name, index] = [received[position] if position < len(received) else _input(layer)]
            continue
        given: list[Shape] = []
        for parent, tensor, shape in sources[name, index]:
            known = results.get(_clamped(parent, sources), [])
            known_shape = known[tensor] if isinstance(tensor, int) and 0 <= tensor < len(known) else None
            given.append(known_shape if known_shape is not None else shape)
        shapes = _run_layer(layer, given, _Place(graph.prefix, graph.groups[name]), graph.found)
        if len(shapes) == 1 and shapes[0] is None and (shape := stated.get(((name, index), 0))) is not None:
            shapes = [shape]
            graph.found[-1] = Call(**{**vars(graph.found[-1]), "shape": shape})
        results[name, index] = shapes
    ends = [(_clamped(node, sources), tensor) for node, tensor in outputs]
    return [(results.get(node) or [None])[min(tensor, len(results.get(node) or [None]) - 1)] for node, tensor in ends]


def _execution_order(outputs: list[Node], sources: dict[Node, list[tuple[Node, int, Shape]]]) -> Iterator[Node]:
    """Sort nodes as Keras does: the deepest first, those of one depth as a search from the outputs meets them."""
    order: list[Node] = []
    done: set[Node] = set()
    stack = [(_clamped(node, sources), False) for node in reversed(outputs)]
    while stack:
        node, finished = stack.pop()
        if finished:
            order.append(node)
        elif node not in done and node in sources:
            done.add(node)
            stack.append((node, True))
            stack.extend((_clamped(parent, sources), False) for parent, _, _ in reversed(sources[node]))
    depths: dict[Node, int] = {}
    deepest: dict[str, int] = {}
    for node in reversed(order):
        depth = max(depths.setdefault(node, 0), deepest.get(node[0], 0))
        deepest[node[0]] = depths[node] = depth
        for parent, _, _ in sources[node]:
            parent = _clamped(parent, sources)  # noqa: PLW2901 (the same node)
            if parent in done:
                depths[parent] = max(depth + 1, depths.get(parent, 0))
    return iter(sorted(depths, key=lambda node: -depths[node]))


def _clamped(node: Node, sources: dict[Node, Any]) -> Node:
    """Return the node itself; models count their own making as a call, so theirs may be one less."""
    name, index = node
    return node if node in sources or not isinstance(index, int) or index <= 0 else (name, index - 1)


def _references(value: Any) -> list[tuple[str, int, int]]:
    """The tensors a model names as its inputs or outputs, in order."""
    if isinstance(value, dict):
        return [found for inner in value.values() for found in _references(inner)]
    if not isinstance(value, (list, tuple)):
        return []
    if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int) and isinstance(value[2], int):  # noqa: PLR2004 (name, node, tensor)
        return [(value[0], value[1], value[2])]
    return [found for inner in value for found in _references(inner)]


def _tensors(node: Any) -> list[tuple[str, int, int, Shape]]:
    """The tensors that a call receives, in order, with their shapes where the file states them."""
    if isinstance(node, dict) and node.get("class_name") == "__keras_tensor__":
        config = _config(node)
        return [(*found, _batch(config.get("shape"))) for found in _references(config.get("keras_history"))]
    if isinstance(node, dict):
        return [found for inner in node.values() for found in _tensors(inner)]
    if isinstance(node, (list, tuple)):
        if found := _references(node) if node and isinstance(node[0], str) else []:
            return [(*found[0], None)]
        return [found for inner in node for found in _tensors(inner)]
    return []


def _groups(layers: list[dict[str, Any]], group: str) -> dict[str, str]:
    """Where a .keras file has the arrays of each layer: by its class, numbered."""
    seen: dict[str, int] = {}
    found = {}
    for layer in layers:
        if _is_operation(layer):
            continue
        word = inference.snake_case(layer["class_name"])
        seen[word] = seen.get(word, -1) + 1
        found[_name(layer)] = f"{group}/{word}" + (f"_{seen[word]}" if seen[word] else "")
    return {_name(layer): found.get(_name(layer), "") for layer in layers}


def _is_operation(entry: dict[str, Any]) -> bool:
    """Whether a node is an operation and no layer; .h5 files don't say so, but only layers can be trained."""
    if "module" in entry:
        return str(entry["module"]).startswith(OPERATIONS)
    return entry["class_name"] in keras_operations.ANY and "trainable" not in _config(entry)


def _config(entry: dict[str, Any]) -> dict[str, Any]:
    found = entry.get("config")
    return found if isinstance(found, dict) else {}


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("name") or _config(entry).get("name") or entry["class_name"])


def _input(entry: dict[str, Any]) -> Shape:
    config = _config(entry)
    return _batch(config.get("batch_shape") or config.get("batch_input_shape"))


def _built(entry: dict[str, Any]) -> Shape:
    found = entry.get("build_config")
    return _batch(found.get("input_shape")) if isinstance(found, dict) else None


def _batch(shape: Any) -> Shape:
    """A shape without its batch axis; None when it is none."""
    if not isinstance(shape, (list, tuple)) or not shape:
        return None
    sides = shape[1:]
    return tuple(sides) if all(side is None or isinstance(side, int) for side in sides) else None
