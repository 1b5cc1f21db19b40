"""How a layer, a model, a tensor and an operation are written down in a config of Keras 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.network.keras_layers import CONTAINERS, SAFE, UNSAFE

if TYPE_CHECKING:
    from collections.abc import Mapping

Config = dict[str, Any]

LAYERS = "keras.layers"
MODEL_MODULES = {"Functional": "keras.src.models.functional", "Sequential": "keras"}
MODERN_MODULES = frozenset({LAYERS, *MODEL_MODULES.values()})
OLD_MODULES = ("keras.", "tf_keras", "tensorflow.", "tensorflow_core.")
"""What the modules of Keras's own classes began with in the .keras files of tf.keras 2.12 to 2.15."""


def is_entry(value: object) -> bool:
    """Tell whether a value is a serialized object: a class name and a config."""
    return isinstance(value, dict) and isinstance(value.get("class_name"), str) and "config" in value


def settings(entry: Mapping[str, Any]) -> Config:
    """The config of an entry, or an empty one when it is something else."""
    config = entry.get("config")
    return config if isinstance(config, dict) else {}


def name_of(entry: Mapping[str, Any]) -> str:
    """The name that other layers call this one by, or "" when it has none."""
    name = entry.get("name") or settings(entry).get("name")
    return name if isinstance(name, str) else ""


def is_model(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry is a Functional or Sequential model."""
    return entry.get("class_name") in CONTAINERS


def is_known(kind: object) -> bool:
    """Tell whether Keras 3 has a layer of this class that only computes."""
    return isinstance(kind, str) and kind in SAFE and kind not in UNSAFE


def from_keras(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry is of Keras itself: files before Keras 3 don't say, and later ones name the module."""
    if "module" not in entry:
        return True
    module = entry["module"]
    return isinstance(module, str) and (module == "keras" or module.startswith(OLD_MODULES))


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry is an operation of ``keras.ops``."""
    module = entry.get("module")
    return isinstance(module, str) and module.startswith(("keras.src.ops.", "keras.ops."))


def rewritten(entry: Config, kind: str, config: Config) -> Config:
    """Write an entry with another class and config as Keras 3 does, and as it is when nothing is different.

    The name outside the config is kept, or given to the config when both differ: others call the layer by it.
    """
    module = entry.get("module")
    wanted = MODEL_MODULES.get(kind, LAYERS)
    if kind == entry["class_name"] and config == entry["config"] and (module == wanted or module in MODERN_MODULES):
        return entry
    kept: Config = {key: entry[key] for key in ("name", "inbound_nodes", "build_config") if key in entry}
    if isinstance(kept.get("name"), str) and config.get("name") != kept["name"]:
        config = {**config, "name": kept["name"]}
    return {"module": wanted, "class_name": kind, "config": config, "registered_name": None, **kept}


def tensor(name: str, node: int, index: int) -> Config:
    """Write a reference to what a layer returned; Keras looks its shape and type up itself."""
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [], "dtype": "float32", "keras_history": [name, node, index]},
    }


def history(value: object) -> list[Any] | None:
    """The layer name, node and index that a reference holds, or None when the value is no reference."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        found = settings(value).get("keras_history")
        if isinstance(found, list) and len(found) == 3 and isinstance(found[0], str):  # noqa: PLR2004
            return found
    return None
