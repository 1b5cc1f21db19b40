"""How the layers of a Functional call each other: the nodes of Keras 1 and 2 as those of Keras 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.network.upgrade import operations
from xcnn.network.upgrade.entries import history, is_model, name_of, tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xcnn.network.upgrade.entries import Config
    from xcnn.network.upgrade.notes import Notes

ENDS = ("input_layers", "output_layers")
CONSTANT = "_CONSTANT_VALUE"


def linked(config: Config, notes: Notes) -> Config:
    """Write the calls between layers as Keras 3 does, with operations in place of the layers that wrapped them."""
    layers = config["layers"]
    config = {**config, **{key: _ends(config[key]) for key in ENDS}}
    names = {name_of(entry) for entry in layers}
    calls = {name_of(entry): [_call(node, names) for node in _nodes(entry)] for entry in layers}
    legacy = any(isinstance(node, (list, dict)) and not _is_modern(node) for entry in layers for node in _nodes(entry))
    new = []
    for entry in layers:
        if all(_is_modern(node) for node in _nodes(entry)):
            new.append(operations.named(entry, notes))
        else:
            new.append(operations.converted({**entry, "inbound_nodes": calls[name_of(entry)]}, notes))
    config = {**config, "layers": new}
    return _renumbered(config) if legacy else config


def _nodes(entry: Config) -> list[Any]:
    nodes = entry.get("inbound_nodes")
    return nodes if isinstance(nodes, list) else []


def _is_modern(node: Any) -> bool:
    return isinstance(node, dict) and "args" in node and "kwargs" in node


def _is_reference(value: Any, names: set[str]) -> bool:
    """Tell whether a list is ``[layer, node, index]``, with or without the arguments of the call."""
    return (
        isinstance(value, list)
        and len(value) in {3, 4}
        and isinstance(value[0], str)
        and (value[0] in names or value[0] == CONSTANT)
        and isinstance(value[1], int)
    )


def _call(node: Any, names: set[str]) -> Any:
    """One node as arguments and keyword arguments; tensors are references."""
    if _is_modern(node):
        return node
    keywords: dict[str, Any] = {}

    def inputs(value: Any) -> Any:
        if _is_reference(value, names):
            if len(value) == 4 and isinstance(value[3], dict):  # noqa: PLR2004 (the arguments of the call)
                keywords.update(value[3])
            return value[2] if value[0] == CONSTANT else tensor(*value[:3])
        if isinstance(value, list):
            return [inputs(inner) for inner in value]
        return {key: inputs(inner) for key, inner in value.items()} if isinstance(value, dict) else value

    first = inputs(node)
    # Keras 1 and 2 wrote the one tensor of a call as a list of one.
    if isinstance(first, list) and len(first) == 1:
        first = first[0]
    return {"args": [first], "kwargs": {key: _keyword(value, names) for key, value in keywords.items()}}


def _keyword(value: Any, names: set[str]) -> Any:
    if _is_reference(value, names) and len(value) == 3:  # noqa: PLR2004 (no arguments within arguments)
        return tensor(*value)
    if isinstance(value, list):
        return [_keyword(inner, names) for inner in value]
    return {key: _keyword(inner, names) for key, inner in value.items()} if isinstance(value, dict) else value


def _ends(value: Any) -> Any:
    """The inputs or outputs; a list of one is the one, or the model would return a list."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list) and len(value[0]) == 3:  # noqa: PLR2004
        return value[0]
    return value


def _end_references(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):  # noqa: PLR2004
        yield value
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _end_references(inner)


def references(value: Any) -> Iterator[list[Any]]:
    """Every layer name, node and index in the arguments of calls."""
    if found := history(value):
        yield found
    elif isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from references(inner)


def _renumbered(config: Config) -> Config:
    """Number the calls of nested models from 0, where Keras 2 counted the model's own graph as the first.

    Every saved call is used by somebody, so a model with n calls is referred to by 0 to n - 1 or by 1 to n.
    In the outputs Keras 3 still counts a Functional from 1, but not a Sequential.
    """
    counts = {name_of(entry): len(_nodes(entry)) for entry in config["layers"] if is_model(entry)}
    functional = {name_of(entry) for entry in config["layers"] if entry["class_name"] in {"Functional", "Model"}}
    most = dict.fromkeys(counts, -1)
    used = [*references([_nodes(entry) for entry in config["layers"]]), *_end_references(config["output_layers"])]
    for name, node, _ in used:
        if name in most and isinstance(node, int):
            most[name] = max(most[name], node)
    shift = {name: 1 if most[name] >= count else 0 for name, count in counts.items()}

    def moved(value: Any) -> Any:
        if found := history(value):
            name, node, index = found
            return tensor(name, node - shift.get(name, 0), index) if shift.get(name) else value
        if isinstance(value, dict):
            return {key: moved(inner) for key, inner in value.items()}
        return [moved(inner) for inner in value] if isinstance(value, list) else value

    def end(value: Any) -> Any:
        if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):  # noqa: PLR2004
            name, node, index = value
            return [name, node - shift.get(name, 0) + (name in functional), index]
        if isinstance(value, dict):
            return {key: end(inner) for key, inner in value.items()}
        return [end(inner) for inner in value] if isinstance(value, list) else value

    layers = [{**entry, "inbound_nodes": moved(_nodes(entry))} for entry in config["layers"]]
    return {**config, "layers": layers, "output_layers": end(config["output_layers"])}
