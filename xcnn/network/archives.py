"""Weights in .keras files: those of tf.keras 2.12 to 2.15, and those of Keras 3 when the config was rewritten.

The files hold weights by the class of the layer and a number; those of tf.keras count some layers twice, and those
written on Windows have backslashes. So layers of one class are matched in the order of the config, or by the name
that later files give with each.
"""

from __future__ import annotations

import io
import re
import shutil
import struct
import tempfile
import zipfile
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, plain_words
from xcnn.network.stored import member, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WEIGHTS = "model.weights.h5"
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
NAME = "/name"
"""The key of a layer's own name in a tree, which no group can have."""

CORRECTED = "gave layers the weights that the file has under their names, where Keras went by their order ({})"
MOST_NAMED = 4

Tree = dict[str, Any]


def assign(model: Any, config: dict[str, Any], path: Path) -> None:
    """Give a model built from a rewritten config the weights of a .keras file, or of a .weights.h5 file.

    Raises
    ------
    ModelError
        If the file lacks weights of the model, has others, or has them in other shapes.
    """
    with opened(path) as file:
        for layer, group in _pairs(model, config, _tree(file), path.name):
            _of_layer(layer, group, path.name)


def correct(model: Any, config: dict[str, Any], path: Path) -> tuple[str, ...]:
    """Compare some values of a model that Keras loaded with those that the file has under each layer's name.

    Keras goes by order. Where the names say otherwise, they are right, and a note says so.
    """
    wrong = []
    with opened(path) as file:
        if _is_in_place(model, file):
            return ()
        try:
            pairs = list(_pairs(model, config, _tree(file), path.name))
        except ModelError:  # not the layout of a Functional: Keras knows what it did
            return ()
        for layer, group in pairs:
            if _name(group) == layer.name and _differs(layer, group):
                _of_layer(layer, group, path.name)
                wrong.append(layer.name)
    return (CORRECTED.format(", ".join(wrong[:MOST_NAMED])),) if wrong else ()


def _is_in_place(model: Any, group: Any) -> bool:
    """Whether the file has each layer's name where Keras looks for the layer: then order and names agree."""
    numbers: Counter[str] = Counter()
    for layer in model.layers:
        kind = snake(type(layer).__name__)
        key = f"layers/{kind}_{numbers[kind]}" if numbers[kind] else f"layers/{kind}"
        numbers[kind] += 1
        if not layer.weights:
            continue
        if type(layer).__name__ in {"Functional", "Sequential"}:
            if key not in group or not _is_in_place(layer, group[key]):
                return False
        elif key not in group or "vars" not in group[key] or group[key]["vars"].attrs.get("name") != layer.name:
            return False
    return True


def is_tree(file: Any) -> bool:
    """Tell whether an open HDF5 file holds weights as .keras files do, by class and number."""
    return "layer_names" not in file.attrs and "model_weights" not in file and not {*CONTAINERS}.isdisjoint(file)


def _differs(layer: Any, tree: Tree) -> bool:
    """Compare the last value of each variable that a layer itself holds."""
    import numpy as np

    own = (*layer._trainable_variables, *layer._non_trainable_variables)  # noqa: SLF001 (what Keras numbers)
    stored = {key: value for key, value in tree.get("vars", {}).items() if key != NAME}
    if len(own) != len(stored):
        return False
    for place, variable in enumerate(own):
        last = (-1,) * len(variable.shape)
        dataset = stored[str(place)]
        if tuple(dataset.shape) != tuple(variable.shape) or 0 in variable.shape:
            return False
        at = tuple(size - 1 for size in variable.shape)
        if not np.array_equal(np.asarray(variable.value[last]), numbers(dataset[at]), equal_nan=True):
            return True
    return False


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open the HDF5 file in a .keras file, without a copy when it is not compressed, or one by itself."""
    import h5py

    if not zipfile.is_zipfile(path):
        with h5py.File(path, "r") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryFile() as copy:
        try:
            entry = archive.getinfo(WEIGHTS)
        except KeyError as error:
            raise ModelError(f"{path} has no {WEIGHTS}", hint="save the model again as .keras") from error
        if entry.compress_type == zipfile.ZIP_STORED:
            with path.open("rb") as raw, h5py.File(io.BufferedReader(_Part(raw, entry)), "r") as file:
                yield file
            return
        with archive.open(entry) as packed:
            shutil.copyfileobj(packed, copy)
        with h5py.File(copy, "r") as file:
            yield file


class _Part(io.RawIOBase):
    """An uncompressed file within a zip file, where seeking costs nothing."""

    def __init__(self, raw: Any, entry: zipfile.ZipInfo) -> None:
        raw.seek(entry.header_offset + 26)
        name, extra = struct.unpack("<HH", raw.read(4))
        self._raw, self._start, self._size = raw, entry.header_offset + 30 + name + extra, entry.file_size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._raw.seek(self._start + self._at)
        wanted = memoryview(buffer)[: max(0, self._size - self._at)]
        count = int(self._raw.readinto(wanted))
        self._at += count
        return count


def _tree(group: Any) -> Tree:
    """The groups and arrays of a file by name, whichever slash separates them."""
    import h5py

    tree: Tree = {}
    if isinstance(group.attrs.get("name"), str):
        tree[NAME] = group.attrs["name"]
    for key in group:
        found = member(group, key)
        inner = _tree(found) if isinstance(found, h5py.Group) else found
        *outer, last = key.split("\\")
        at = tree
        for part in outer:
            at = at.setdefault(part, {})
        if isinstance(inner, dict):
            at.setdefault(last, {}).update(inner)
        else:
            at[last] = inner
    return tree


def _pairs(model: Any, config: dict[str, Any], tree: Tree, name: str) -> Iterator[tuple[Any, Tree]]:
    """Each layer with weights and the group that holds them, also within nested models."""
    entries = [entry for entry in config["config"].get("layers", ()) if isinstance(entry, dict)]
    by_name = {layer.name: layer for layer in model.layers}
    wanted: dict[str, list[tuple[Any, dict[str, Any]]]] = {}
    for entry in entries:
        layer = by_name.get(entry["config"].get("name"))
        if layer is not None and layer.weights:
            wanted.setdefault(snake(entry["class_name"]), []).append((layer, entry))
    container: Tree = next((tree[key] for key in CONTAINERS if isinstance(tree.get(key), dict)), {})
    stored: dict[str, list[Tree]] = {}
    for key in sorted(container, key=_numbered):
        if key != NAME and _has_values(container[key]):
            stored.setdefault(_numbered(key)[0], []).append(container[key])
    _same(wanted, stored, name)
    for kind, layers in wanted.items():
        for (layer, entry), group in zip(layers, _by_name(layers, stored[kind]), strict=True):
            if entry["class_name"] in {"Functional", "Sequential"}:
                yield from _pairs(layer, entry, group, name)
            else:
                yield layer, group


def _by_name(layers: list[tuple[Any, Any]], groups: list[Tree]) -> list[Tree]:
    """The groups in the order of the layers that they name, or as they are where they name none."""
    named = {_name(group): group for group in groups}
    names = [layer.name for layer, _ in layers]
    return [named[key] for key in names] if sorted(names) == sorted(map(str, named)) else groups


def _name(tree: Tree) -> Any:
    """The name that a file gives a layer, which Keras 3 puts with its variables."""
    return tree.get("vars", {}).get(NAME)


def _same(wanted: dict[str, Any], stored: dict[str, Any], name: str) -> None:
    for kind, layers in wanted.items():
        if missing := layers[len(stored.get(kind, ())) :]:
            raise ModelError(
                f"{name} lacks weights of its model: {', '.join(layer.name for layer, _ in missing[:MOST_NAMED])}"
            )
    if extra := [kind for kind, groups in stored.items() if len(groups) > len(wanted.get(kind, ()))]:
        raise ModelError(f"{name} has weights that its model has no place for: {', '.join(extra[:MOST_NAMED])}")


def _numbered(key: str) -> tuple[str, int]:
    """The class and the number in the name of a group.

    Examples
    --------
    >>> _numbered("conv2d_10"), _numbered("conv2d")
    (('conv2d', 10), ('conv2d', 0))
    """
    found = re.fullmatch(r"(.*?)_(\d+)", key)
    return (found[1], int(found[2])) if found else (key, 0)


def _has_values(tree: Any) -> bool:
    if not isinstance(tree, dict):
        return True
    return any(key != NAME and _has_values(inner) for key, inner in tree.items())


def snake(kind: str) -> str:
    """The name that Keras derives from a class.

    Examples
    --------
    >>> snake("BatchNormalization"), snake("Conv2DTranspose"), snake("PReLU")
    ('batch_normalization', 'conv2d_transpose', 'p_re_lu')
    """
    kind = re.sub(r"\W+", "", kind)
    kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()


def _of_layer(layer: Any, tree: Tree, name: str) -> None:
    """Give a layer its own variables, and those of the layers it holds as attributes."""
    import numpy as np

    own = tree.get("vars", {})
    values = {key: numbers(value) for key, value in own.items() if key != NAME}
    if type(layer).__name__ == "Normalization" and len(layer.weights) > len(values) > 0:
        values["2"] = np.zeros((), "int32")  # how many pictures it saw, which not every Keras keeps
    if values:
        try:
            layer.load_own_variables(values)
        except Exception as error:
            raise ModelError(f"{name} has no fitting weights for layer {layer.name!r}: {plain_words(error)}") from error
    for key, inner in tree.items():
        if key in {"vars", NAME} or not _has_values(inner):
            continue
        child = getattr(layer, key, None)
        if not hasattr(child, "load_own_variables"):
            raise ModelError(f"{name} has weights in layer {layer.name!r} that it has no place for: {key}")
        _of_layer(child, inner, name)
