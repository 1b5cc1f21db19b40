"""What a model file is, by its bytes and not its name: its config and the headers of its weights."""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from xcnn.errors import ModelError, UnsafeModelError
from xcnn.network import archive, beside, foreign, hdf5

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 512


@dataclass(frozen=True)
class Found:
    """A model as it lies in its file or files."""

    path: Path
    kind: Literal["keras", "h5"]
    config: dict[str, Any]
    weights: Path
    shapes: dict[str, tuple[int, ...]]
    """The shapes of its arrays, by their path in the file."""
    size: int
    """The bytes they take in memory."""
    notes: tuple[str, ...] = field(default=())


def find(path: Path, *, most_gigabytes: float) -> Found:
    """Recognise a file and read what can be read without loading the model.

    ``most_gigabytes`` limits what is unpacked on the way.

    Raises
    ------
    ModelError
        If it is missing, damaged, or no whole Keras model; each case in its own words.
    UnsafeModelError
        If it leads out of itself or would fill memory.
    """
    first = _first_bytes(path)
    if first.startswith(b"PK"):
        text, contents = archive.read(path, most_gigabytes * 10**9)
        return Found(path, "keras", _parsed(path, text), path, contents.shapes, contents.size)
    with path.open("rb") as file:
        is_hdf5 = hdf5.begins_with_hdf5(file)
    if is_hdf5:
        return _from_hdf5(path)
    if first.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        return _from_json(path, beside.weights_of)
    raise foreign.file_error(path, first)


def _first_bytes(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise foreign.folder_error(path)
        if not stat.S_ISREG(mode):
            raise ModelError(f"{path} is no regular file")
    except OSError as error:
        raise ModelError(f"can't open the model {path}: {error.strerror}") from error
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise ModelError(f"can't read the model {path}: {error.strerror}") from error


def _from_hdf5(path: Path) -> Found:
    contents = hdf5.read(path)
    if contents.config is None:
        if not contents.weights_only:
            raise ModelError(f"{path} holds no Keras model", hint=archive.EXPORT)
        architecture = beside.architecture_of(path)
        if architecture is None:
            raise foreign.weights_error(path)
        return _from_json(architecture, lambda _: path)
    if not contents.has_weights:
        raise ModelError(f"{path} holds an architecture without weights", hint=archive.EXPORT)
    return Found(path, "h5", _parsed(path, contents.config), path, contents.shapes, contents.size)


def _from_json(path: Path, weights_of: Any) -> Found:
    size = path.stat().st_size
    if size > hdf5.MOST_CONFIG_BYTES:
        raise UnsafeModelError(f"{path.name} has a config of {size / 2**20:.0f} MB")
    try:
        config = _parsed(path, path.read_bytes())
    except OSError as error:
        raise ModelError(f"can't read the model {path}: {error.strerror}") from error
    if {"modelTopology", "weightsManifest"} & set(config):
        raise foreign.javascript_error(path)
    if "weight_map" in config:
        raise ModelError(f"{path} lists weights in several files, without an architecture", hint=archive.EXPORT)
    if "class_name" not in config or "config" not in config:
        raise ModelError(f"{path} is JSON but no architecture of a Keras model", hint=archive.EXPORT)
    weights = weights_of(path)
    contents = hdf5.read(weights)
    note = f"architecture from {path.name}, weights from {weights.name}"
    return Found(path, "h5", config, weights, contents.shapes, contents.size, (note,))


def _parsed(path: Path, text: str | bytes) -> dict[str, Any]:
    try:
        config = json.loads(text.removeprefix(b"\xef\xbb\xbf") if isinstance(text, bytes) else text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} has an unreadable config: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} has no model in its config")
    return config
