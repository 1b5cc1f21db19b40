"""Models of any Keras, and the models within them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.network.upgrade import functional, keras2, names, sequential
from xcnn.network.upgrade.entries import from_keras, is_entry, is_model, rewritten, settings
from xcnn.network.upgrade.layers import Era, layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xcnn.network.upgrade.entries import Config
    from xcnn.network.upgrade.notes import Notes

MOST_DEPTH = 50
"""How deep models may be nested in each other; what is deeper stays as it is."""


def model(config: Config, notes: Notes) -> Config:
    """Rewrite the config of a whole model."""
    if not is_entry(config):
        return config
    new: Config = _entry(config, _era(config), notes, 0)
    return new


def _entry(entry: Any, era: Era, notes: Notes, depth: int) -> Any:
    """Rewrite a layer or a model, those within it first."""
    if depth > MOST_DEPTH or not is_entry(entry):
        return entry
    if is_model(entry) and from_keras(entry):
        try:
            return _model(entry, era, notes, depth)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):  # no model of Keras looks like this
            return entry
    new = layer(entry, era, notes)
    config = settings(new)
    inner = {key: _entry(config[key], era, notes, depth + 1) for key in keras2.nested(config)}
    if isinstance(config.get("activation"), dict) and isinstance(config["activation"].get("config"), dict):
        inner["activation"] = _entry(config["activation"], era, notes, depth + 1)  # a layer used as activation
    if all(inner[key] is config[key] for key in inner):
        return new
    return {**new, "config": {**config, **inner}}


def _model(entry: Config, era: Era, notes: Notes, depth: int) -> Config:
    config = entry["config"]
    if "compile_config" in entry:
        entry = {key: value for key, value in entry.items() if key != "compile_config"}
    if entry["class_name"] == "Sequential":
        return sequential.model(entry, lambda inner: _entry(inner, era, notes, depth + 1), notes)
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return entry  # a subclassed model
    layers = [_entry(inner, era, notes, depth + 1) for inner in config["layers"]]
    config = {**config, "layers": layers}
    if all(isinstance(inner, dict) for inner in layers) and all(key in config for key in functional.ENDS):
        config = names.of_functional(functional.linked(config, notes), notes)
    config = names.of_model({key: value for key, value in config.items() if key != "dtype" or era.modern})
    if not era.modern:
        config.setdefault("name", "model")
        config = {key: value for key, value in config.items() if key in _FUNCTIONAL}
    return rewritten(entry, "Functional", keras2.dtype(config))


_FUNCTIONAL = frozenset({"name", "trainable", "layers", "input_layers", "output_layers"})


def _era(config: Config) -> Era:
    """Find out what wrote a config."""
    modern = _is_modern(config)
    first = resize = False
    for value in () if modern else _dicts(config):
        first |= value.get("dim_ordering") == "th"
        inner = settings(value)
        # tf.keras names the initializers of Glorot, and since TensorFlow 2 it says whether an input is ragged.
        resize |= value.get("class_name") == "VarianceScaling" and "dtype" not in inner
        resize |= value.get("class_name") == "InputLayer" and "ragged" not in inner
    return Era(modern=modern, channels_first=first, old_resize=resize)


def _is_modern(config: Config) -> bool:
    """Tell whether Keras 3 wrote a config: older ones call the shape of an input ``batch_input_shape``."""
    for value in _dicts(config):
        if "batch_input_shape" in value or "input_dtype" in value or "dim_ordering" in value:
            return False
        nodes = value.get("inbound_nodes")
        if isinstance(nodes, list) and nodes and isinstance(nodes[0], list):
            return False
        if value.get("class_name") == "InputLayer" and "batch_shape" in settings(value):
            return True
        if value.get("class_name") == "DTypePolicy":
            return True
    return "module" in config


def _dicts(config: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a config, with an explicit stack against deep nesting."""
    stack = [config]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            yield value
            stack.extend(reversed(value.values()))
        elif isinstance(value, list):
            stack.extend(reversed(value))
