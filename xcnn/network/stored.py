"""The weights in an HDF5 file of any Keras up to the .h5 of Keras 3, with the names the file gives them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, UnsafeModelError
from xcnn.network.upgrade.names import accepted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

LEAVES = {
    "running_mean": "moving_mean",
    "running_std": "moving_variance",  # Keras 1 called it so, but kept the variance
    "depthwise_kernel": "depthwise_kernel",
    "pointwise_kernel": "pointwise_kernel",
    "alphas": "alpha",
    "gamma": "gamma",
    "beta": "beta",
    "W": "kernel",
    "b": "bias",
}
"""How the names of weights end that Keras 1 joined to the layer's by ``_``, and what they are called now."""

UNUSED = frozenset(
    {"count", "StateVar", "seed_generator_state", "renorm_mean", "renorm_stddev", "renorm_mean_weight"}
    | {"renorm_stddev_weight", "iteration"}
)
"""Weights of old layers that do nothing in a trained model."""


@dataclass(frozen=True)
class Stored:
    """One weight in a file."""

    group: str
    """The layer of the whole model that it belongs to."""
    owners: tuple[str, ...]
    """The names of the layers that hold it, outermost first, as far as the file tells."""
    leaf: str
    """What it is to its layer, such as ``kernel``."""
    dataset: Any = field(repr=False, compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return tuple(self.dataset.shape)

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        return "/".join((*(self.owners[-1:] or (self.group,)), self.leaf))

    def values(self) -> np.ndarray[Any, Any]:
        """Read the values."""
        return numbers(self.dataset)


def numbers(values: Any) -> np.ndarray[Any, Any]:
    """Read an HDF5 dataset or a part of it; bfloat16, which HDF5 has no name for, as float32 of the same bits."""
    import numpy as np

    found = np.asarray(values)
    if found.dtype.kind != "V" or found.dtype.itemsize != 2:  # noqa: PLR2004 (bytes of a bfloat16)
        return found
    return (found.view(np.uint16).astype(np.uint32) << 16).view(np.float32)


@dataclass(frozen=True)
class Origin:
    """Who wrote a file, as far as it changes what the numbers mean."""

    keras1: bool
    theano: bool


def read(file: Any) -> tuple[list[Stored], Origin]:
    """List the weights in an open HDF5 file of a model or of weights alone.

    Raises
    ------
    ModelError
        If a weight that the file announces is not there.
    """
    group = file.get("model_weights", file)
    names = attributes(group, "layer_names")
    found = [weight for name in names for weight in _of_layer(group, name)]
    if "top_level_model_weights" in group:
        found += _of_layer(group, "top_level_model_weights")
    return found, _origin(file, group, found)


def attributes(group: Any, name: str) -> list[str]:
    """The texts of an attribute, which Keras splits when it is long."""
    if name in group.attrs:
        return [_text(value) for value in group.attrs[name]]
    texts: list[str] = []
    chunk = 0
    while f"{name}{chunk}" in group.attrs:
        texts += [_text(value) for value in group.attrs[f"{name}{chunk}"]]
        chunk += 1
    return texts


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _of_layer(group: Any, layer: str) -> Iterator[Stored]:
    inner = member(group, layer)
    for name in attributes(inner, "weight_names"):
        dataset = member(inner, name)
        if not hasattr(dataset, "shape"):
            raise ModelError(f"the weight {name} of layer {layer} in {group.file.filename} is no array")
        owners, leaf = split(name)
        yield Stored(accepted(layer), tuple(accepted(owner) for owner in owners), leaf, dataset)


def member(group: Any, path: str) -> Any:
    """What is at a path in a group, without following a link to another file.

    Raises
    ------
    ModelError
        If there is nothing.
    UnsafeModelError
        If it is a link to another file, or its values are kept in one.
    """
    import h5py

    found = group
    for part in path.split("/"):
        if not part:
            continue
        if not isinstance(found, h5py.Group):
            raise ModelError(f"{group.file.filename} announces {path}, which is not there")
        link = found.get(part, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise UnsafeModelError(f"{group.file.filename} links to another file at {path}")
        if link is None or part not in found:
            raise ModelError(f"{group.file.filename} announces the weight {path}, which is not there")
        found = found[part]
    if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual):
        raise UnsafeModelError(f"{group.file.filename} keeps the values of {path} in another file")
    return found


def split(name: str) -> tuple[tuple[str, ...], str]:
    """The layers that a weight's name begins with, and what it is.

    Examples
    --------
    >>> split("base/conv_1/kernel:0"), split("convolution2d_1_W:0")
    ((('base', 'conv_1'), 'kernel'), (('convolution2d_1',), 'kernel'))
    """
    *owners, last = re.sub(r":\d+$", "", name).split("/")
    for ending, leaf in LEAVES.items():
        if last.endswith(f"_{ending}") and not owners:
            return (last.removesuffix(f"_{ending}"),), plain(leaf)
    return tuple(owner for owner in owners if owner), plain(last)


def plain(leaf: str) -> str:
    """What a weight is called here: Keras 3 has a kernel where Keras 2 has a depthwise kernel."""
    return "kernel" if leaf == "depthwise_kernel" else leaf


def _origin(file: Any, group: Any, found: list[Stored]) -> Origin:
    version, backend = (
        _text(next((place.attrs[key] for place in (group, file) if key in place.attrs), ""))
        for key in ("keras_version", "backend")
    )
    keras1 = version.startswith("1.") or not version
    # Theano's own names have no ":0", and Keras 1 did not record what ran it.
    first = next((weight.dataset.name for weight in found), ":0")
    return Origin(keras1, backend == "theano" or (keras1 and not backend and not re.search(r":\d+$", first)))
