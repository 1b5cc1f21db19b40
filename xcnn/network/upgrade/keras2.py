"""What layers of Keras 2 and tf.keras wrote otherwise than Keras 3 reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from xcnn.network.keras_layers import MODULES
from xcnn.network.upgrade import arguments
from xcnn.network.upgrade.entries import is_entry

if TYPE_CHECKING:
    from xcnn.network.upgrade.entries import Config
    from xcnn.network.upgrade.notes import Notes

HARD_SIGMOID = "keras2_hard_sigmoid"
"""What `hard_sigmoid` is called where it must compute as before Keras 3: 0.2 x + 0.5 instead of x / 6 + 0.5."""

OLD_BILINEAR = "keras2_bilinear"
"""What an UpSampling2D is registered as that must interpolate as before TensorFlow 2."""

KEPT_BILINEAR = "kept the bilinear interpolation of Keras 2 in {layers}"
KEPT_HARD_SIGMOID = "kept the hard_sigmoid of Keras 2 in {layers}"
DROPPED = "left out arguments that Keras 3 no longer has ({examples})"
UNTRAINED = "left out what only training needs and Keras 3 does not have ({examples})"
REPLACED = "replaced {layers} that Keras 3 does not have ({examples})"

CLASSES = {
    **{f"BatchNormalizationV{n}": "BatchNormalization" for n in (1, 2)},
    "SyncBatchNormalization": "BatchNormalization",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "FixedDropout": "Dropout",  # what EfficientNet packages called the dropout of their own
    "RandomHeight": "Identity",  # random sizes are for training only
    "RandomWidth": "Identity",
    "Addons>InstanceNormalization": "GroupNormalization",
    "Custom>FixedDropout": "Dropout",
    **{f"Conv{n}DV{m}": f"Conv{n}D" for n in (1, 2, 3) for m in (1, 2)},
}
"""Classes that Keras 3 does not have, and the one that does the same."""

PACKAGES = ("keras.layers", "Keras", "keras", "Addons", "TensorFlow")
"""Packages under which layers were registered that Keras 3 has."""

ACTIVATIONS = frozenset(
    {"celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish"}
    | {"hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid"}
    | {"silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparsemax", "squareplus", "swish"}
    | {"tanh", "tanh_shrink", "threshold"}
)
"""The activations of Keras 3 by name."""

APPLICATIONS: dict[str, frozenset[str]] = {
    "CustomScaleLayer": frozenset({"scale"}),
    "LayerScale": frozenset({"init_values", "projection_dim"}),
    "StochasticDepth": frozenset({"drop_path_rate"}),
}
"""Layers that only Keras's applications use, and the arguments that tell them from a user's own of that name."""

RECURRENT = frozenset({"ConvLSTM2D", "GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "SimpleRNN", "SimpleRNNCell"})
SLOPES = {"LeakyReLU": {"alpha": "negative_slope"}, "ReLU": {}, "ELU": {}}


def known_name(kind: str) -> str:
    """The class behind a registered name such as ``Addons>GroupNormalization``.

    Examples
    --------
    >>> known_name("Addons>GroupNormalization"), known_name("Mine>Attention")
    ('GroupNormalization', 'Mine>Attention')
    """
    package, found, bare = kind.rpartition(">")
    return bare if found and package in PACKAGES and kind not in CLASSES else kind


def application(entry: Config) -> Config | None:
    """Find where Keras 3 has a layer that only its applications use; None when it is no such layer, or says so."""
    kind = str(entry["class_name"]).removeprefix("Custom>")
    if kind not in APPLICATIONS or not APPLICATIONS[kind] <= entry["config"].keys():
        return None
    if str(entry.get("module") or "").startswith("keras.src."):
        return None
    module = next(module for module, kinds in MODULES.items() if kind in kinds)
    return {"module": module, "class_name": kind, "registered_name": kind}


def replaced(kind: str, config: Config, notes: Notes) -> tuple[str, Config]:
    """Find the class that Keras 3 has in place of one that it has not."""
    if kind == "ThresholdedReLU":
        notes.add(REPLACED, "ThresholdedReLU -> ReLU")
        return "ReLU", {**_without(config, "theta"), "threshold": number(config.get("theta", 1.0))}
    new = CLASSES.get(kind, kind)
    if kind == "Addons>InstanceNormalization":
        config = {**config, "groups": -1}
    if kind == "CuDNNGRU":
        config = {**config, "reset_after": True}
    if new == "Identity":
        config = {name: config[name] for name in ("name", "trainable", "dtype") if name in config}
    if new != kind:
        notes.add(REPLACED, f"{kind} -> {new}")
    return new, config


def axis(config: Config) -> Config:
    """Write a list of one axis as the axis."""
    value = config.get("axis")
    if isinstance(value, list) and len(value) == 1:
        return {**config, "axis": value[0]}
    return config


def number(value: Any) -> Any:
    """The number in ``{"type": "ndarray", "value": 0.2}`` or ``[0.2]``, which came from NumPy scalars."""
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    elif isinstance(value, dict) and isinstance(value.get("config"), dict):
        value = value["config"].get("value", value)
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def slopes(kind: str, config: Config) -> Config:
    """Write the slopes of activation layers under their new names and as plain numbers."""
    if kind not in SLOPES:
        return config
    names = SLOPES[kind]
    new = {names.get(name, name): value for name, value in config.items()}
    for name in ("negative_slope", "alpha", "max_value", "threshold"):
        if name in new:
            new[name] = number(new[name])
    if kind == "ReLU" and new.get("negative_slope", 0) is None:
        new["negative_slope"] = 0.0
    if kind == "ReLU" and new.get("threshold", 0) is None:
        new["threshold"] = 0.0
    return new


def dtype(config: Config) -> Config:
    """Write the precision policies of tf.keras by their names."""
    value = config.get("dtype")
    if isinstance(value, dict) and not str(value.get("module", "")).startswith("keras"):
        inner = value.get("config")
        value = inner.get("name") if isinstance(inner, dict) else inner
    elif isinstance(value, dict) and value.get("class_name") in {"Policy", "PolicyV1"}:
        value = (value.get("config") or {}).get("name")
    if isinstance(value, str):
        value = re.sub(r"_ref$|_with_float32_vars$", "", value)
        if value in {"infer", "_infer", "infer_float32_vars", ""}:
            value = "float32"
    if value == config.get("dtype"):
        return config
    return {**config, "dtype": value}


def activations(config: Config, notes: Notes, *, modern: bool) -> Config:
    """Write activations by their names and keep the `hard_sigmoid` of files from before Keras 3."""
    new = dict(config)
    for key in ("activation", "recurrent_activation"):
        value = new.get(key)
        name = _activation_name(value)
        if name == "hard_sigmoid" and not modern:
            notes.add(KEPT_HARD_SIGMOID)
            new[key] = {
                "module": "builtins",
                "class_name": "function",
                "config": HARD_SIGMOID,
                "registered_name": HARD_SIGMOID,
            }
        elif name and not (modern and isinstance(value, dict) and value.get("module") != "builtins"):
            # A function of the user's own with the name of one of Keras: Keras 3 says it is among Python's.
            new[key] = name
    return new


def _activation_name(value: Any) -> str:
    """The name of an activation of Keras, however it was written down; "" for any other."""
    if isinstance(value, dict) and value.get("class_name") == "function":
        value = value.get("config")
    if isinstance(value, dict) and value.get("config", {}) in ({}, None):
        value = value.get("class_name")
    if not isinstance(value, str):
        return ""
    bare = value.rpartition(">")[2]
    return bare if bare in ACTIVATIONS else ""


def training(config: Config, notes: Notes, *, modern: bool) -> Config:
    """Make initializers zero, which is quick, and leave out regularizers and constraints: only training needs them.

    In files of Keras 3 only those that are not Keras's own are touched.
    """
    new = dict(config)
    for name, value in config.items():
        if not (name.endswith(arguments.TRAINING) or name == "activity_regularizer") or value is None:
            continue
        module = value.get("module", "") if isinstance(value, dict) else "keras"
        own = isinstance(module, str) and module.startswith("keras")
        if modern and own:
            continue
        if modern:
            notes.add(UNTRAINED, f"{name} {value.get('class_name')}")
        if name.endswith("_initializer"):
            new[name] = "zeros"
        else:
            new[name] = None
    return new


def leftovers(kind: str, config: Config, notes: Notes) -> Config:
    """Leave out arguments that a layer no longer takes and can do without."""
    if kind in RECURRENT:
        return _without(config, "time_major", "implementation", "batch_input_shape", "input_length", "input_dim")
    if kind not in arguments.ARGUMENTS:
        return _without(config, "batch_input_shape", "input_dtype", "query_shape", "key_shape", "value_shape")
    dropped = [name for name, value in config.items() if arguments.leftover(kind, name, value)]
    for name in dropped:
        if config[name] is not None and name not in {"batch_input_shape", "input_dtype", "trainable", "seed"}:
            notes.add(DROPPED, f"{kind} {name}")
    return _without(config, *dropped) if dropped else config


def gates(kind: str, config: Config, *, modern: bool) -> Config:
    """Reset the gates of a GRU before its kernel is applied where the file does not say: Keras 2.1.2 and older did."""
    return config if modern or kind not in {"GRU", "GRUCell"} else {"reset_after": False, **config}


def noise(kind: str, config: Config) -> Config:
    """Leave out the noise shape of dropouts, which do nothing to a trained model."""
    return (
        _without(config, "noise_shape") if kind in {"Dropout", "AlphaDropout"} and config.get("noise_shape") else config
    )


def is_lambda_of_keras_2(config: Config) -> bool:
    """Tell whether the function of a Lambda is written as a list of code, defaults and closure."""
    return isinstance(config.get("function"), list) and len(config["function"]) == 3  # noqa: PLR2004


def lambda_layer(config: Config) -> Config:
    """Write a Lambda as Keras 3 does, for files that the user vouches for: data only, nothing is run."""
    dead = ("module", "function_type", "output_shape_type", "output_shape_module", "batch_input_shape", "input_dtype")
    new = _without(config, *dead)
    for key in ("function", "output_shape"):
        value = new.get(key)
        if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):  # noqa: PLR2004
            code, defaults, closure = value
            new[key] = {
                "class_name": "__lambda__",
                "config": {"code": code, "defaults": defaults, "closure": closure},
            }
    if new.get("output_shape", 0) is None:
        del new["output_shape"]
    return new


def nested(config: Config) -> tuple[str, ...]:
    """The arguments that hold a layer of their own, as wrappers have."""
    return tuple(key for key in ("layer", "backward_layer", "cell") if is_entry(config.get(key)))


def _without(config: Config, *names: str) -> Config:
    return {name: value for name, value in config.items() if name not in names}
