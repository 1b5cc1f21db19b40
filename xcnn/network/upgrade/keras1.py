"""The layers of Keras 1 in the words of Keras 2 and later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError

if TYPE_CHECKING:
    from xcnn.network.upgrade.entries import Config
    from xcnn.network.upgrade.notes import Notes

RENAMED = "renamed {layers} of Keras 1 ({examples})"
REWORDED = "reworded the arguments of {layers} of Keras 1 ({examples})"

CLASSES = {
    **{f"Convolution{n}D": f"Conv{n}D" for n in (1, 2, 3)},
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    "SeparableConvolution1D": "SeparableConv1D",
    "SeparableConvolution2D": "SeparableConv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3DTranspose": "Conv3DTranspose",
    "DepthwiseConvolution2D": "DepthwiseConv2D",
    "TimeDistributedDense": "Dense",
    **{f"MaxPool{n}D": f"MaxPooling{n}D" for n in (1, 2, 3)},
    **{f"AvgPool{n}D": f"AveragePooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalMaxPool{n}D": f"GlobalMaxPooling{n}D" for n in (1, 2, 3)},
    **{f"GlobalAvgPool{n}D": f"GlobalAveragePooling{n}D" for n in (1, 2, 3)},
}
"""Old or second names of classes that Keras 3 has."""

ARGUMENTS = {
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "subsample": "strides",
    "subsample_length": "strides",
    "border_mode": "padding",
    "atrous_rate": "dilation_rate",
    "bias": "use_bias",
    "init": "kernel_initializer",
    "depthwise_init": "depthwise_initializer",
    "pointwise_init": "pointwise_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "gamma_init": "gamma_initializer",
    "beta_init": "beta_initializer",
    "dim_ordering": "data_format",
}
"""Arguments that mean the same under another name."""

ORDERINGS = {"tf": "channels_last", "th": "channels_first"}

OF_CLASS = {
    "Dense": {"output_dim": "units"},
    "Dropout": {"p": "rate"},
    "GaussianDropout": {"p": "rate"},
    "SpatialDropout1D": {"p": "rate"},
    "SpatialDropout2D": {"p": "rate"},
    "SpatialDropout3D": {"p": "rate"},
    "GaussianNoise": {"sigma": "stddev"},
    "PReLU": {"init": "alpha_initializer"},
    "MaxPooling1D": {"pool_length": "pool_size", "stride": "strides"},
    "AveragePooling1D": {"pool_length": "pool_size", "stride": "strides"},
    "UpSampling1D": {"length": "size"},
}
"""Arguments of single classes that mean the same under another name."""

RECURRENT = {"LSTM", "GRU", "SimpleRNN"}
SIGNS = frozenset(
    {*ARGUMENTS, "nb_row", "kernel_dim1", "input_dtype", "output_dim", "p", "sigma", "pool_length", "mode"}
)
"""Arguments that only Keras 1 wrote."""

SIZES = {"nb_row": ("nb_row", "nb_col"), "kernel_dim1": ("kernel_dim1", "kernel_dim2", "kernel_dim3")}

UNRECORDED = frozenset({"ZeroPadding2D", "UpSampling2D"})

MERGES = {
    "sum": "Add",
    "mul": "Multiply",
    "ave": "Average",
    "max": "Maximum",
    "concat": "Concatenate",
    "dot": "Dot",
    "cos": "Dot",
}


def renamed(kind: str, notes: Notes) -> str:
    """The class that does in Keras 3 what this one did."""
    new = CLASSES.get(kind, kind)
    if new != kind:
        notes.add(RENAMED, f"{kind} -> {new}")
    return new


def arguments(kind: str, config: Config, notes: Notes) -> Config:
    """Rename the arguments of Keras 1 and gather kernel sizes.

    Raises
    ------
    ModelError
        If the layer is recurrent: Keras 1 kept its weights apart, gate by gate.
    """
    if not SIGNS & config.keys():
        return config
    if kind in RECURRENT and "output_dim" in config:
        raise ModelError(
            f"layer {config.get('name')!r} is a recurrent layer of Keras 1 ({kind}), which Keras 3 can't take",
            hint="explain a model of single pictures",
        )
    names = {**ARGUMENTS, **OF_CLASS.get(kind, {})}
    new: Config = {}
    for name, value in config.items():
        new[names.get(name, name)] = ORDERINGS.get(value, value) if name == "dim_ordering" else value
    for first, parts in SIZES.items():
        if first in new:
            new["kernel_size"] = [new.pop(part) for part in parts if part in new]
    if new.get("data_format") == "default":
        del new["data_format"]
    if kind == "Dense":
        new.pop("input_dim", None)
    if changed := [name for name in config if name in names and name not in {"init", "bias"}]:
        notes.add(REWORDED, f"{changed[0]} -> {names[changed[0]]}")
    return new


def channels_first(kind: str, config: Config) -> Config:
    """Tell layers that did not record it that the whole model has its channels first."""
    return {"data_format": "channels_first", **config} if kind in UNRECORDED else config


def cropping(kind: str, config: Config) -> Config:
    """Write the padding of four numbers, or with a name each, as two pairs."""
    padding = config.get("padding")
    if kind != "ZeroPadding2D":
        return config
    if isinstance(padding, dict):
        padding = [padding.get(f"{side}_pad", 0) for side in ("top", "bottom", "left", "right")]
    if isinstance(padding, list) and len(padding) == 4:  # noqa: PLR2004 (top, bottom, left, right)
        return {**config, "padding": [padding[:2], padding[2:]]}
    return config


def batch_normalization(config: Config) -> Config:
    """Drop the mode of a batch normalization.

    Raises
    ------
    ModelError
        If the mode is one that only Keras 1 has.
    """
    mode = config.get("mode", 0)
    if mode in (1, 2):
        how = "each sample by itself" if mode == 1 else "by the statistics of the batch at hand"
        raise ModelError(
            f"layer {config.get('name')!r} is a BatchNormalization of mode {mode}, which normalizes {how}: "
            "only Keras 1 can do that",
            hint="save the model again with a BatchNormalization of mode 0",
        )
    return {name: value for name, value in config.items() if name != "mode"}


def merge(config: Config, notes: Notes) -> tuple[str, Config] | None:
    """Find the layer that merges as a Merge of Keras 1 did; None when it ran Python code or is unknown."""
    mode = config.get("mode")
    kind = MERGES.get(mode) if isinstance(mode, str) and config.get("mode_type", "raw") == "raw" else None
    if kind is None:
        return None
    new: Config = {"name": config.get("name"), "trainable": bool(config.get("trainable", True))}
    if kind == "Concatenate":
        new["axis"] = config.get("concat_axis", -1)
    if kind == "Dot":
        new |= {"axes": _axes(config.get("dot_axes")), "normalize": mode == "cos"}
    notes.add(RENAMED, f"Merge {mode} -> {kind}")
    return kind, new


def is_code(config: Config) -> bool:
    """Tell whether a Merge of Keras 1 runs Python code that is stored in the file."""
    return config.get("mode_type") in {"lambda", "function"}


def _axes(axes: Any) -> Any:
    """Write axes of batches as Keras 2 does: a pair of lists with one axis each becomes a pair."""
    if isinstance(axes, list) and all(isinstance(axis, list) and len(axis) == 1 for axis in axes):
        return [axis[0] for axis in axes]
    return axes
