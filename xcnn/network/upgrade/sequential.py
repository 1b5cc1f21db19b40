"""Sequential models of any Keras: as a bare list, without an input layer, or with branches at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.network.upgrade import keras1, names
from xcnn.network.upgrade.entries import LAYERS, MODEL_MODULES, is_entry, name_of, rewritten, settings, tensor
from xcnn.network.upgrade.layers import free, taken_shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from xcnn.network.upgrade.entries import Config
    from xcnn.network.upgrade.notes import Notes

LISTED = "read the layers of a Sequential from a bare list, as Keras 2.2.2 and older wrote them"
GIVEN_INPUT = "gave a Sequential the input layer that its first layer implies"
BRANCHED = "wrote a Sequential that begins with merged branches as a Functional"


def model(entry: Config, upgrade: Callable[[Any], Any], notes: Notes) -> Config:
    """Rewrite a Sequential; `upgrade` rewrites one of its layers."""
    config = entry["config"]
    if isinstance(config, list):
        notes.add(LISTED)
        config = {"name": name_of(entry) or "sequential", "layers": config}
    layers = config.get("layers")
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        return entry
    if layers and _is_merge_of_branches(layers[0]):
        return _branched(entry, config, upgrade, notes)
    new = [upgrade(layer) for layer in layers]
    shape = new and (taken_shape(layers[0]) or taken_shape(new[0]))
    if new and new[0].get("class_name") != "InputLayer":
        shape = shape or config.get("build_input_shape") or _built_shape(entry)
        if isinstance(shape, list) and len(shape) > 1:
            notes.add(GIVEN_INPUT)
            given = _input(f"{name_of(new[0]) or 'sequential'}_input", free(shape, notes), new[0])
            new = [given, _without_shape(new[0]), *new[1:]]
    new = names.of_sequential(new, notes)
    if new == layers and config is entry["config"]:
        return rewritten(entry, "Sequential", names.of_model(config))
    kept = {key: config[key] for key in ("name", "trainable", "build_input_shape") if key in config}
    kept.setdefault("name", "sequential")
    if new and new[0].get("class_name") == "InputLayer":
        kept.pop("build_input_shape", None)
        entry = {key: value for key, value in entry.items() if key != "build_config"}
    return rewritten(entry, "Sequential", names.of_model({**kept, "layers": new}))


def _built_shape(entry: Config) -> Any:
    built = entry.get("build_config")
    return built.get("input_shape") if isinstance(built, dict) else None


def _input(name: str, shape: list[Any], first: Config) -> Config:
    # An Embedding takes whole numbers; everything else numbers of the type it computes in.
    dtype = "float32" if first.get("class_name") != "Embedding" else "int32"
    return {
        "module": LAYERS,
        "class_name": "InputLayer",
        "config": {"batch_shape": shape, "dtype": dtype, "name": name},
        "registered_name": None,
    }


def _without_shape(entry: Config) -> Config:
    dead = ("batch_input_shape", "input_shape")
    return {**entry, "config": {key: value for key, value in settings(entry).items() if key not in dead}}


def _is_merge_of_branches(entry: Config) -> bool:
    return entry.get("class_name") == "Merge" and isinstance(settings(entry).get("layers"), list)


def _branched(entry: Config, config: Config, upgrade: Callable[[Any], Any], notes: Notes) -> Config:
    """Write branches that a Merge of Keras 1 joins, each a Sequential, and what follows as one Functional."""
    merge = config["layers"][0]
    merged = keras1.merge(merge["config"], notes)
    branches = [upgrade(branch) for branch in merge["config"]["layers"]]
    if merged is None or not all(_is_chain(branch) for branch in branches):
        return entry
    notes.add(BRANCHED)
    layers: list[Config] = []
    ends = [_chained(branch["config"]["layers"], None, layers) for branch in branches]
    first = {"module": LAYERS, "class_name": merged[0], "config": merged[1], "registered_name": None}
    tail = [first, *(upgrade(layer) for layer in config["layers"][1:])]
    last = _chained(tail, [tensor(name, 0, 0) for name in ends], layers)
    functional = {
        "name": config["name"],
        "trainable": True,
        "layers": layers,
        "input_layers": [[name_of(branch["config"]["layers"][0]), 0, 0] for branch in branches],
        "output_layers": [last, 0, 0],
    }
    functional = names.of_functional(functional, notes)
    return {
        "module": MODEL_MODULES["Functional"],
        "class_name": "Functional",
        "config": functional,
        "registered_name": None,
    }


def _is_chain(branch: Any) -> bool:
    layers = settings(branch).get("layers") if is_entry(branch) else None
    return isinstance(layers, list) and bool(layers) and layers[0].get("class_name") == "InputLayer"


def _chained(chain: list[Config], before: Any, layers: list[Config]) -> str:
    """Append layers that call each other in turn; return the name of the last."""
    for layer in chain:
        nodes = [] if before is None else [{"args": [before], "kwargs": {}}]
        layers.append({**layer, "name": name_of(layer), "inbound_nodes": nodes})
        before = tensor(name_of(layer), 0, 0)
    return name_of(chain[-1])
