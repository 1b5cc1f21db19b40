"""What an HDF5 file holds, read from its headers: nothing in it is followed, and no array is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, UnsafeModelError, plain_words

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

MAGIC = b"\x89HDF\r\n\x1a\n"
MOST_CONFIG_BYTES = 64 * 2**20
MOST_OBJECTS = 1_000_000
DAMAGED = "copy or download it again"


@dataclass(frozen=True)
class Contents:
    """The headers of an HDF5 file."""

    config: str | bytes | None
    """The model's architecture, if it is in the file."""
    weights_only: bool
    """Whether it looks like weights that were saved without one."""
    has_weights: bool
    """Whether a whole model's file has a place for weights."""
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The shapes of all arrays but the optimizer's, by path."""
    size: int = 0
    """How many bytes they take in memory."""


def begins_with_hdf5(file: IO[bytes]) -> bool:
    """Whether an HDF5 superblock is where the format allows one: at 0, 512, 1024, 2048, ... bytes."""
    offset, end = 0, file.seek(0, 2)
    while offset < end:
        file.seek(offset)
        if file.read(len(MAGIC)) == MAGIC:
            return True
        offset = max(512, 2 * offset)
    return False


def read(path: Path, inside: IO[bytes] | None = None) -> Contents:
    """Read the headers of an HDF5 file, or of one `inside` another, and refuse what would lead out of it.

    Raises
    ------
    ModelError
        If it is damaged.
    UnsafeModelError
        If it refers to other files or holds absurd metadata.
    """
    import h5py

    name = path.name
    try:
        with h5py.File(inside or path, "r") as file:
            shapes, size = _arrays(file, name)
            return Contents(
                config=_config(file, name),
                weights_only=any(key in file.attrs for key in ("layer_names", "backend"))
                or any(key in file for key in ("layers", "_layer_checkpoint_dependencies", "vars")),
                has_weights="model_weights" in file,
                shapes=shapes,
                size=size,
            )
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ModelError(f"{path} is damaged or truncated: {plain_words(error)}", hint=DAMAGED) from error


def _config(file: Any, name: str) -> str | bytes | None:
    if "model_config" not in file.attrs:
        return None
    config = file.attrs["model_config"]
    if not isinstance(config, (str, bytes)):
        raise ModelError(f"{file.filename} has an unreadable config: it is no text")
    if len(config) > MOST_CONFIG_BYTES:
        raise UnsafeModelError(f"{name} has a config of {len(config) / 2**20:.0f} MB")
    return config


def _arrays(file: Any, name: str) -> tuple[dict[str, tuple[int, ...]], int]:
    """Shapes by path and bytes in all, from a walk over the links that opens only what lies in this file."""
    from h5py import h5d, h5l, h5o

    shapes: dict[str, tuple[int, ...]] = {}
    size = 0
    kinds = {h5l.TYPE_SOFT: "a link to another place", h5l.TYPE_EXTERNAL: "a link to another file"}
    _check_attributes(file.id, "/", name)
    for link, kind in _links(file, name):
        path = link.decode("utf-8", "replace")
        if kind != h5l.TYPE_HARD:
            raise UnsafeModelError(f"{name} was not loaded: {path} in it is {kinds.get(kind, 'a link of an odd kind')}")
        found = h5o.open(file.id, link)
        _check_attributes(found, path, name)
        if isinstance(found, h5d.DatasetID):
            _check_storage(found, path, name)
            if not path.startswith(("optimizer_weights/", "optimizer/")):
                shapes[path] = found.shape or ()
                size += prod(found.shape or ()) * found.get_type().get_size()
    return shapes, size


def _links(file: Any, name: str) -> list[tuple[bytes, int]]:
    """Every link and its kind, without following any."""
    found: list[tuple[bytes, int]] = []

    def visit(link: bytes, info: Any) -> bool | None:
        found.append((link, info.type))
        return True if len(found) > MOST_OBJECTS else None  # anything but None ends the walk

    file.id.links.visit(visit, info=True)
    if len(found) > MOST_OBJECTS:
        raise UnsafeModelError(f"{name} was not loaded: it holds more than {MOST_OBJECTS} objects")
    return found


def _check_storage(dataset: Any, path: str, name: str) -> None:
    from h5py import h5d

    created = dataset.get_create_plist()
    if created.get_layout() == h5d.VIRTUAL:
        raise UnsafeModelError(f"{name} was not loaded: the array {path} is put together from other files")
    if created.get_external_count():
        raise UnsafeModelError(f"{name} was not loaded: the array {path} is stored in another file")


def _check_attributes(found: Any, path: str, name: str) -> None:
    from h5py import h5a

    for index in range(h5a.get_num_attrs(found)):
        attribute = h5a.open(found, index=index)
        size = prod(attribute.shape or ()) * attribute.get_type().get_size()
        if size > MOST_CONFIG_BYTES:
            what = "a config" if attribute.name == b"model_config" else f"an attribute of {path}"
            raise UnsafeModelError(f"{name} has {what} of {size / 2**20:.0f} MB")
