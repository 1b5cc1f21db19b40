"""Names of layers that Keras 3 and TensorFlow accept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xcnn.network.upgrade.entries import history, name_of, settings

if TYPE_CHECKING:
    from xcnn.network.upgrade.entries import Config
    from xcnn.network.upgrade.notes import Notes

RENAMED = "gave {layers} a name that TensorFlow's graphs accept ({examples})"


def accepted(name: str) -> str:
    """The name with every character that Keras 3 or a TensorFlow scope refuses as ``_``.

    Examples
    --------
    >>> accepted("block1/conv"), accepted("conv 1"), accepted("_out"), accepted("conv2d_1")
    ('block1_conv', 'conv_1', 'layer_out', 'conv2d_1')
    """
    safe = re.sub(r"[^A-Za-z0-9_.>-]", "_", name)
    return safe if re.match(r"[A-Za-z0-9.]", safe) else f"layer{safe}" if safe.startswith("_") else f"layer_{safe}"


def renaming(names: list[str]) -> dict[str, str]:
    """What each name that must change becomes, so that no two are the same."""
    taken = {name for name in names if accepted(name) == name}
    found: dict[str, str] = {}
    for name in names:
        if name in taken or name in found:
            continue
        found[name] = distinct(accepted(name), taken)
        taken.add(found[name])
    return found


def distinct(name: str, taken: set[str]) -> str:
    """The name, or the name with the first number that is free."""
    if name not in taken:
        return name
    return next(f"{name}_{n}" for n in range(1, len(taken) + 2) if f"{name}_{n}" not in taken)


def of_sequential(layers: list[Config], notes: Notes) -> list[Config]:
    """Name the layers of a Sequential, which nobody refers to, each its own way."""
    taken: set[str] = set()
    new = []
    for entry in layers:
        before = name_of(entry)
        name = distinct(accepted(before or str(entry.get("class_name")).lower()), taken)
        taken.add(name)
        new.append(_named(entry, name) if name != before else entry)
        if before and name != before:
            notes.add(RENAMED, f"{before} -> {name}")
    return new


def of_functional(config: Config, notes: Notes) -> Config:
    """Name the layers of a Functional whose nodes are those of Keras 3, wherever they are referred to."""
    new = renaming([name_of(entry) for entry in config["layers"]])
    if not new:
        return config
    for before, after in new.items():
        notes.add(RENAMED, f"{before} -> {after}")
    layers = [_named(entry, new.get(name_of(entry), name_of(entry))) for entry in config["layers"]]
    layers = [{**entry, "inbound_nodes": _in_nodes(entry.get("inbound_nodes"), new)} for entry in layers]
    ends = {key: _in_ends(config[key], new) for key in ("input_layers", "output_layers")}
    return {**config, "layers": layers, **ends}


def of_model(config: Config) -> Config:
    """Name the model itself."""
    name = config.get("name")
    return {**config, "name": accepted(name)} if isinstance(name, str) and accepted(name) != name else config


def _named(entry: Config, name: str) -> Config:
    new = {**entry, "config": {**settings(entry), "name": name}}
    return {**new, "name": name} if "name" in entry else new


def _in_nodes(value: Any, new: dict[str, str]) -> Any:
    if found := history(value):
        return {**value, "config": {**value["config"], "keras_history": [new.get(found[0], found[0]), *found[1:]]}}
    if isinstance(value, dict):
        return {key: _in_nodes(inner, new) for key, inner in value.items()}
    if isinstance(value, list):
        return [_in_nodes(inner, new) for inner in value]
    return value


def _in_ends(value: Any, new: dict[str, str]) -> Any:
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):  # noqa: PLR2004 (name, node, index)
        return [new.get(value[0], value[0]), *value[1:]]
    if isinstance(value, dict):
        return {key: _in_ends(inner, new) for key, inner in value.items()}
    return [_in_ends(inner, new) for inner in value] if isinstance(value, list) else value
