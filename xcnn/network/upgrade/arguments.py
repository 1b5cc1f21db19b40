"""What the layers of Keras 3 take, and what older ones wrote that no longer matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMON = frozenset({"name", "trainable", "dtype", "activity_regularizer", "autocast"})
"""What every layer takes."""

TRAINING = ("_initializer", "_regularizer", "_constraint")
"""How arguments end that only training needs: the weights come from the file."""

_KERNEL = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_BIAS = ("activation", "use_bias", "bias_initializer", "bias_regularizer", "bias_constraint")
_WINDOW = ("kernel_size", "strides", "padding", "data_format", "dilation_rate")
_AFFINE = (
    *("axis", "epsilon", "center", "scale"),
    *("beta_initializer", "gamma_initializer"),
    *("beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint"),
)
_CONV = ("filters", "groups", *_WINDOW, *_KERNEL, *_BIAS)
_TRANSPOSED = ("filters", "output_padding", *_WINDOW, *_KERNEL, *_BIAS)
_DEPTHWISE = (
    *("depth_multiplier", *_WINDOW, *_BIAS),
    *("depthwise_initializer", "depthwise_regularizer", "depthwise_constraint"),
)
_POINTWISE = ("filters", "pointwise_initializer", "pointwise_regularizer", "pointwise_constraint")
_POOL = ("pool_size", "strides", "padding", "data_format")
_FILL = ("fill_mode", "interpolation", "seed", "fill_value", "data_format")
_DIMENSIONS = ("1D", "2D", "3D")


def _each(kind: str, *arguments: str, dimensions: Iterable[str] = _DIMENSIONS) -> dict[str, frozenset[str]]:
    """The same arguments for a layer in one, two and three dimensions."""
    return {kind.replace("?", dimension): frozenset(arguments) for dimension in dimensions}


ARGUMENTS: dict[str, frozenset[str]] = {
    **{kind: frozenset() for kind in ("Add", "Average", "Identity", "Maximum", "Minimum", "Multiply", "Subtract")},
    **_each("Conv?", *_CONV),
    **_each("Conv?Transpose", *_TRANSPOSED),
    **_each("DepthwiseConv?", *_DEPTHWISE, dimensions=("1D", "2D")),
    **_each("SeparableConv?", *_DEPTHWISE, *_POINTWISE, dimensions=("1D", "2D")),
    **_each("AveragePooling?", *_POOL),
    **_each("MaxPooling?", *_POOL),
    **_each("GlobalAveragePooling?", "data_format", "keepdims"),
    **_each("GlobalMaxPooling?", "data_format", "keepdims"),
    **_each("Cropping?", "cropping", "data_format", dimensions=("2D", "3D")),
    **_each("SpatialDropout?", "rate", "data_format", "seed", dimensions=("2D", "3D")),
    **_each("ZeroPadding?", "padding", "data_format"),
    "Activation": frozenset({"activation"}),
    "ActivityRegularization": frozenset({"l1", "l2"}),
    "AlphaDropout": frozenset({"rate", "noise_shape", "seed"}),
    "BatchNormalization": frozenset(
        {*_AFFINE, "momentum", "moving_mean_initializer", "moving_variance_initializer", "synchronized"}
        | {"renorm", "renorm_clipping", "renorm_momentum"}
    ),
    "CenterCrop": frozenset({"height", "width", "data_format"}),
    "Concatenate": frozenset({"axis"}),
    "Cropping1D": frozenset({"cropping"}),
    "Dense": frozenset({"units", *_KERNEL, *_BIAS, "lora_rank", "lora_alpha", "quantization_config"}),
    "Dot": frozenset({"axes", "normalize"}),
    "Dropout": frozenset({"rate", "noise_shape", "seed"}),
    "ELU": frozenset({"alpha"}),
    "Flatten": frozenset({"data_format"}),
    "GaussianDropout": frozenset({"rate", "seed"}),
    "GaussianNoise": frozenset({"stddev", "seed"}),
    "GroupNormalization": frozenset({"groups", *_AFFINE}),
    "InputLayer": frozenset({"shape", "batch_size", "sparse", "ragged", "batch_shape", "optional"}),
    "LayerNormalization": frozenset({*_AFFINE, "rms_scaling"}),
    "LeakyReLU": frozenset({"negative_slope"}),
    "Masking": frozenset({"mask_value"}),
    "Normalization": frozenset({"axis", "mean", "variance", "invert"}),
    "PReLU": frozenset({"alpha_initializer", "alpha_regularizer", "alpha_constraint", "shared_axes"}),
    "Permute": frozenset({"dims"}),
    "RandomBrightness": frozenset({"factor", "value_range", "seed"}),
    "RandomContrast": frozenset({"factor", "value_range", "seed"}),
    "RandomCrop": frozenset({"height", "width", "seed", "data_format"}),
    "RandomFlip": frozenset({"mode", "seed", "data_format"}),
    "RandomRotation": frozenset({"factor", *_FILL}),
    "RandomTranslation": frozenset({"height_factor", "width_factor", *_FILL}),
    "RandomZoom": frozenset({"height_factor", "width_factor", *_FILL}),
    "ReLU": frozenset({"max_value", "negative_slope", "threshold"}),
    "RepeatVector": frozenset({"n"}),
    "Rescaling": frozenset({"scale", "offset"}),
    "Reshape": frozenset({"target_shape"}),
    "Resizing": frozenset(
        {"height", "width", "interpolation", "crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"}
        | {"fill_mode", "fill_value", "data_format"}
    ),
    "Softmax": frozenset({"axis"}),
    "SpatialDropout1D": frozenset({"rate", "seed"}),
    "TimeDistributed": frozenset({"layer"}),
    "UnitNormalization": frozenset({"axis"}),
    "UpSampling1D": frozenset({"size"}),
    "UpSampling2D": frozenset({"size", "data_format", "interpolation"}),
    "UpSampling3D": frozenset({"size", "data_format"}),
}
"""What each layer takes beyond `COMMON`; a test compares it with Keras's own signatures."""

MEANINGLESS = frozenset(
    {
        *("adjustment", "batch_input_shape", "cache_read_only", "fused", "implementation", "input_dim", "input_dtype"),
        *("input_length", "input_shape", "noise_shape", "rng_type"),
        *("shared_object_id", "sparse", "ragged", "time_major", "virtual_batch_size", "weights", "batch_size", "seed"),
        *("force_generator", "auto_vectorize", "create_split_dim", "data_format"),
    }
)
"""What does not change what a trained model computes, on a layer that no longer takes it."""

NEUTRAL: dict[str, tuple[Any, ...]] = {"groups": (1,), "output_padding": (0, [0, 0]), "dilation_rate": (1, [1], [1, 1])}
"""Values of arguments that change nothing, on a layer that no longer takes them."""


def leftover(kind: str, name: str, value: object) -> bool:
    """Tell whether a layer no longer takes an argument and can do without it."""
    if kind.startswith("SpatialDropout") and name == "trainable":
        return True  # the one layer without it
    if name in COMMON or name in ARGUMENTS[kind]:
        return False
    if name in MEANINGLESS or value is None or value is False or value == []:
        return True
    if name in NEUTRAL and value in NEUTRAL[name]:
        return True
    if name == "output_shape" and kind.endswith("Transpose"):
        return True  # Keras 1 wrote what follows from the rest
    return kind.startswith(("DepthwiseConv", "SeparableConv")) and (name.endswith(TRAINING) or name == "filters")
