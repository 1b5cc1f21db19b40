"""A .keras file as a zip: its config and the headers of its weights, after a look at every entry."""

from __future__ import annotations

import io
import re
import stat
import tempfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any

from xcnn.errors import ModelError, UnsafeModelError
from xcnn.network import hdf5

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
MOST_EXPANSION = 100
OPTIMIZER = 4
"""How many times as large as its parameters a file may be: an optimizer keeps up to three numbers for each."""
SMALL = 2**20
"""Entries of up to this many bytes may expand as they like."""
ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf\x27\x1c", b"Rar!")
EXPORT = "save the whole model in Python: model.save('model.keras')"


def read(path: Path, most_bytes: float) -> tuple[bytes, hdf5.Contents]:
    """Return the config and the headers of the weights, which may be several times `most_bytes`, with an optimizer's.

    Raises
    ------
    ModelError
        If the zip is damaged or no Keras model.
    UnsafeModelError
        If it could write outside its folder, or would fill memory or disk.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if CONFIG not in names:
                raise ModelError(_foreign(path, names), hint=EXPORT)
            _check(archive, path)
            config = archive.read(CONFIG)
            if WEIGHTS not in names:
                raise _no_weights(path, names)
            if (size := archive.getinfo(WEIGHTS).file_size) > OPTIMIZER * most_bytes:
                raise UnsafeModelError(
                    f"{path.name} was not loaded: its weights take {size / 10**9:.1f} GB; "
                    f"the limit is {most_bytes / 10**9:g} GB",
                    hint="if that is right, raise the limit with --max-model-gb",
                )
            with _weights(archive, path) as file:
                return config, hdf5.read(path, file)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError, ValueError) as error:
        # RuntimeError: encrypted; its subclass NotImplementedError: a compression that Python does not have.
        raise ModelError(f"{path} is damaged or truncated: {error}", hint=hdf5.DAMAGED) from error


def _foreign(path: Path, names: list[str]) -> str:
    """What a zip is that is no .keras file."""
    if any(name.endswith("data.pkl") for name in names):
        return f"{path} is a PyTorch model; xcnn explains Keras models"
    if any(name.endswith("saved_model.pb") for name in names):
        return f"{path} is a zipped SavedModel, a graph of code; xcnn opens .keras and .h5 files"
    if names and all(name.endswith(".npy") for name in names):
        return f"{path} holds NumPy arrays without an architecture"
    inside = [name for name in names if name.endswith((".keras", ".h5", ".hdf5"))]
    if inside:
        return f"{path} is a zip file with {inside[0]} in it; unpack it first"
    return f"{path} is a zip file but no Keras model: it has no {CONFIG}"


def _no_weights(path: Path, names: list[str]) -> ModelError:
    other = next((name for name in names if name.startswith("model.weights.")), "")
    if other:
        return ModelError(f"{path} has its weights in {other}, which xcnn does not read", hint=EXPORT)
    return ModelError(f"{path} has no weights: there is no {WEIGHTS} in it", hint=EXPORT)


def _check(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse what an honest .keras file never holds."""
    entries = archive.infolist()
    config = archive.getinfo(CONFIG)
    if config.file_size > hdf5.MOST_CONFIG_BYTES:
        raise UnsafeModelError(f"{path.name} has a config of {config.file_size / 2**20:.0f} MB")
    seen: set[str] = set()
    for entry in entries:
        if why := _fault(entry, seen):
            raise UnsafeModelError(f"{path.name} was not loaded: its entry {entry.filename!r} {why}")
        seen.add(entry.filename)
    stored = path.stat().st_size
    if sum(entry.compress_size for entry in entries) > stored:
        raise UnsafeModelError(f"{path.name} was not loaded: its entries overlap")
    for entry in entries:
        if entry.filename != WEIGHTS and not entry.is_dir():
            with archive.open(entry) as file:
                if file.read(8).startswith(ARCHIVES):
                    raise UnsafeModelError(f"{path.name} was not loaded: its entry {entry.filename!r} is an archive")


def _fault(entry: zipfile.ZipInfo, seen: set[str]) -> str:
    name = entry.filename
    parts = re.split(r"[/\\]", name)
    if ".." in parts or not parts[0] or ":" in parts[0]:
        return "leads out of the file's own folder"
    mode = stat.S_IFMT(entry.external_attr >> 16)
    if mode not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "is a link or device"
    if name in seen:
        return "is in it twice"
    if entry.file_size > max(SMALL, MOST_EXPANSION * entry.compress_size):
        return f"expands more than {MOST_EXPANSION} times, to {entry.file_size / 2**20:.0f} MB"
    return ""


def _weights(archive: zipfile.ZipFile, path: Path) -> IO[bytes]:
    """Open the weights for random access: as they lie in the zip when stored, which Keras does, else unpacked."""
    entry = archive.getinfo(WEIGHTS)
    if entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & 1:
        archive.open(entry).close()  # reads and checks the local header
        with path.open("rb") as file:
            file.seek(entry.header_offset + 26)
            name, extra = (int.from_bytes(file.read(2), "little") for _ in range(2))
        start = entry.header_offset + 30 + name + extra
        return Window(path.open("rb"), start, entry.file_size)
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    with archive.open(entry) as packed:
        left = entry.file_size
        while block := packed.read(min(left, 2**20)):
            left -= len(block)
            unpacked.write(block)
    unpacked.seek(0)
    return unpacked


class Window(io.RawIOBase, IO[bytes]):
    """A part of a file as a file of its own.

    Parameters
    ----------
    file : binary file
        Closed with the window.
    start, size : int
        Where the part begins and how long it is, in bytes.
    """

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move as in any file."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the part goes."""
        wanted = memoryview(buffer).cast("B")
        count = max(0, min(len(wanted), self._size - self._at))
        self._file.seek(self._start + self._at)
        data = self._file.read(count)
        wanted[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file, too."""
        self._file.close()
        super().close()
