"""One layer of any Keras in the words of Keras 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.network.upgrade import keras1, keras2, operations
from xcnn.network.upgrade.entries import from_keras, is_known, is_model, is_operation, rewritten, settings

if TYPE_CHECKING:
    from xcnn.network.upgrade.entries import Config
    from xcnn.network.upgrade.notes import Notes

FREED = "freed the batch size, which the file fixes ({examples})"


@dataclass(frozen=True)
class Era:
    """What is known of the Keras that wrote a config."""

    modern: bool
    """Whether it is Keras 3."""
    channels_first: bool = False
    """Whether it is Keras 1 with the 'th' ordering, which some of its layers did not record."""
    old_resize: bool = False
    """Whether bilinear resizing aligned the corners of pixels and not their centres, as before TensorFlow 2."""


def layer(entry: Config, era: Era, notes: Notes) -> Config:
    """Rewrite one layer that holds no others; what Keras 3 does not know stays as it is."""
    if is_operation(entry) or operations.is_nameless(entry) or not isinstance(entry.get("config"), dict):
        return entry
    config = entry["config"]
    if entry["class_name"] == "Lambda":
        return _as_lambda(entry, keras2.lambda_layer(config)) if not era.modern else entry
    if (place := keras2.application(entry)) is not None:
        return {**entry, **place}
    if not from_keras(entry) and entry["class_name"] not in keras2.CLASSES:
        return entry
    try:
        return _layer(entry, config, era, notes)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):  # no layer of Keras looks like this
        return entry


def _layer(entry: Config, config: Config, era: Era, notes: Notes) -> Config:
    if entry["class_name"] == "Merge":
        if keras1.is_code(config):
            return _as_lambda(entry, {"name": config.get("name")})
        merged = keras1.merge(config, notes)
        return rewritten(entry, *merged) if merged and "layers" not in config else entry
    kind = keras1.renamed(keras2.known_name(entry["class_name"]), notes)
    config = keras1.cropping(kind, keras1.arguments(kind, config, notes))
    kind, config = keras2.replaced(kind, config, notes)
    config = keras2.dtype(config)
    if not is_known(kind):
        return entry if config == entry["config"] else {**entry, "config": config}
    if kind == "BatchNormalization":
        config = keras1.batch_normalization(config)
    if kind == "InputLayer":
        config = input_layer(config, notes)
    if era.channels_first:
        config = keras1.channels_first(kind, config)
    config = keras2.slopes(kind, keras2.noise(kind, keras2.axis(config)))
    config = keras2.gates(kind, config, modern=era.modern)
    config = keras2.activations(config, notes, modern=era.modern)
    config = keras2.training(config, notes, modern=era.modern)
    if kind == "MultiHeadAttention" and not era.modern:
        # It has several inputs, of which tf.keras recorded one.
        entry = {key: value for key, value in entry.items() if key != "build_config"}
    new = rewritten(entry, kind, keras2.leftovers(kind, config, notes))
    if kind == "UpSampling2D" and config.get("interpolation") == "bilinear" and era.old_resize:
        notes.add(keras2.KEPT_BILINEAR)
        return {**new, "registered_name": keras2.OLD_BILINEAR}
    return new


def _as_lambda(entry: Config, config: Config) -> Config:
    kept: Config = {key: entry[key] for key in ("name", "inbound_nodes") if key in entry}
    return {"module": "keras.layers", "class_name": "Lambda", "config": config, "registered_name": None, **kept}


def input_layer(config: Config, notes: Notes) -> Config:
    """Write the shape of an input as Keras 3 does, with any batch size."""
    new = dict(config)
    shape = new.pop("batch_input_shape", new.get("batch_shape"))
    if shape is None and isinstance(new.get("input_shape"), list):
        shape = [None, *new["input_shape"]]
    if "input_dtype" in new:
        new.setdefault("dtype", new["input_dtype"])
    for dead in ("input_dtype", "input_shape", "input_tensor", "type_spec"):
        new.pop(dead, None)
    if isinstance(shape, list) and shape:
        new["batch_shape"] = free(shape, notes)
        new.pop("batch_size", None)
    for flag in ("sparse", "ragged"):
        if flag in new:
            new[flag] = bool(new[flag])
    return new


def free(shape: list[Any], notes: Notes) -> list[Any]:
    """The shape with any batch size."""
    if shape[0] is not None:
        notes.add(FREED, str(shape[0]))
    return [None, *shape[1:]]


def taken_shape(entry: Config) -> list[Any] | None:
    """The shape that a first layer says it takes, or None; of a model, that of its input."""
    config = settings(entry)
    found = config.get("batch_input_shape", config.get("batch_shape"))
    if found is None and isinstance(config.get("input_shape"), list):
        found = [None, *config["input_shape"]]
    if found is None and config.get("input_dim") and entry.get("class_name") == "Dense":
        found = [None, config["input_dim"]]
    if found is None and is_model(entry):
        inner = config.get("layers")
        first = inner[0] if isinstance(inner, list) and inner and isinstance(inner[0], dict) else {}
        inputs = config.get("input_layers")
        # The first layer of a Functional is its input, unless it has several.
        if first and not (isinstance(inputs, list) and len(inputs) > 1 and isinstance(inputs[0], list)):
            return taken_shape(first)
    return found if isinstance(found, list) and len(found) > 1 else None
