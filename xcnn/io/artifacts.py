"""Run folders, written all or nothing: built beside their place under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import csv
import ctypes
import errno
import itertools
import json
import os
import re
import shutil
import tempfile
import unicodedata
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from xcnn.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from xcnn.values import Pixels

MANIFEST = "run.json"
DRAFT = ".xcnn-draft-"
MAX_SLUG = 80
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a formula of a spreadsheet begins with."""
MAX_NAME = 200
"""Bytes of a folder's name: the draft beside it must fit in the usual 255, too."""
RENAME_EXCHANGE = 2
AT_FDCWD = -100


def default_folder(command: str) -> Path:
    """The first of ``xcnn-out/<command>``, ``-2``, ``-3``, ... that does not exist."""
    parent, number = Path("xcnn-out"), 1
    while os.path.lexists(folder := parent / (command if number == 1 else f"{command}-{number}")):
        number += 1
    return folder


def check(out: Path, *, overwrite: bool, inputs: Iterable[str] = ()) -> None:
    """Refuse a folder that can't become the output, before anything is computed.

    ``inputs`` are files of the user that must not be inside it.

    Raises
    ------
    OutputError
        If it exists, or exists and was not written by xcnn, or can't be written.
    """
    if os.path.lexists(out):
        if not overwrite:
            raise OutputError(f"{out} already exists", hint="choose another --out, or add --overwrite")
        if inside := next((name for name in inputs if Path(name).resolve().is_relative_to(out.resolve())), None):
            raise OutputError(
                f"{out} holds {inside}, which is read, so it is not overwritten", hint="choose another --out"
            )
        _refuse_foreign(out)
    if len(os.fsencode(out.name)) > MAX_NAME:
        raise OutputError(f"the name of the folder {out} is too long", hint="choose another --out")
    parent = out.absolute().parent
    while not os.path.lexists(parent):
        parent = parent.parent
    if not parent.is_dir():
        raise OutputError(f"can't write {out}: {parent} is no folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"can't write {out}: {parent} is not writable", hint="choose another --out")


def _refuse_foreign(out: Path) -> None:
    """Refuse to overwrite what xcnn did not write."""
    ours = _written(out) if out.is_dir() and not out.is_symlink() else None
    if ours is None:
        raise OutputError(f"{out} was not written by xcnn, so it is not overwritten", hint="choose another --out")
    foreign = sorted(path.name for path in out.iterdir() if path.name not in ours)
    if foreign:
        raise OutputError(
            f"{out} holds {foreign[0]}, which xcnn did not write, so it is not overwritten",
            hint="move it away, or choose another --out",
        )


def _written(folder: Path) -> set[str] | None:
    """The names of the files that a run wrote; nothing for an empty folder, None for one that holds no run."""
    try:
        listed = json.loads((folder / MANIFEST).read_text("ascii"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return None if any(folder.iterdir()) else set()
    return {str(name) for name in listed}


class Draft:
    """A run folder in the making.

    ``publish`` puts it in its place; leaving the context without that removes it.
    """

    def __init__(self, out: Path, *, overwrite: bool, inputs: Iterable[str] = ()) -> None:
        check(out, overwrite=overwrite, inputs=inputs)
        self.out = out
        self._overwrite = overwrite
        self._names: set[str] = set()
        self._made = [parent for parent in out.absolute().parents if not parent.exists()]
        with _as_output_error(out):
            out.absolute().parent.mkdir(parents=True, exist_ok=True)
            self.folder = Path(tempfile.mkdtemp(prefix=f"{DRAFT}{os.getpid()}-", dir=out.absolute().parent))
            # mkdtemp makes private folders; a result is as readable as any other file of the user.
            self.folder.chmod(0o777 & ~_umask())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # folders that were made for nothing; one that holds a run stays
            for parent in self._made:
                parent.rmdir()

    def name(self, path: str) -> str:
        """A name for the files of one input: safe in any file system, and unlike all others of this run."""
        return self.unique(_slug(Path(path).stem))

    def unique(self, stem: str) -> str:
        """The beginning of a file name, numbered when the run has it already, in whatever case."""
        free, number = stem, 1
        while free.casefold() in self._names:
            number += 1
            free = f"{stem}-{number}"
        self._names.add(free.casefold())
        return free

    def write_picture(self, name: str, pixels: Pixels, *, quality: int = 90) -> str:
        """Encode RGB pixels as the suffix of `name` says and write them."""
        data = encoded(pixels, Path(name).suffix, quality=quality)
        with _as_output_error(self.out):
            (self.folder / name).write_bytes(data)
        return name

    def write_table(self, name: str, headings: Sequence[str], rows: Iterable[Sequence[str | float]]) -> str:
        """Write rows under headings as .csv."""
        with (
            _as_output_error(self.out),
            (self.folder / name).open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            writer = csv.writer(file)
            writer.writerows([guarded(cell) for cell in row] for row in itertools.chain([headings], rows))
        return name

    def write_values(self, name: str, values: NDArray[Any]) -> str:
        """Write an array as .npy."""
        with _as_output_error(self.out):
            np.save(self.folder / name, values, allow_pickle=False)
        return name

    def values(self, name: str) -> NDArray[Any]:
        """Read an array of this folder again, by the name it was written under."""
        if name not in self.files():
            raise KeyError(name)
        return np.asarray(np.load(self.folder / name, allow_pickle=False))

    def write_state(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> str:
        """Write named arrays as .npz."""
        # The names are a plugin's: as keywords they could not be "file".
        with _as_output_error(self.out), zipfile.ZipFile(self.folder / name, "w") as archive:
            for part, values in arrays.items():
                with archive.open(f"{part}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, np.asarray(values), allow_pickle=False)
        return name

    def write_json(self, name: str, data: Any) -> None:
        """Write JSON in ASCII, so that any file name survives."""
        text = json.dumps(data, indent=1, allow_nan=False)
        with _as_output_error(self.out):
            (self.folder / name).write_text(text + "\n", "ascii")

    def files(self) -> list[str]:
        """The names of what has been written so far."""
        return sorted(path.name for path in self.folder.iterdir())

    def publish(self) -> Path:
        """Rename the draft to its place; what stood there stays whole until then."""
        with _as_output_error(self.out):
            if self._overwrite and os.path.lexists(self.out):
                _refuse_foreign(self.out)  # again: it may have appeared while xcnn was at work
                _exchange(self.folder, self.out)
            elif os.path.lexists(self.out):
                raise OutputError(f"{self.out} appeared while xcnn was at work", hint="choose another --out")
            else:
                self.folder.rename(self.out)
        return self.out


def write_alone(path: Path, pixels: Pixels) -> None:
    """Write one picture outside of a run folder, whole or not at all; OutputError when it exists or can't be."""
    if os.path.lexists(path):
        raise OutputError(f"{path} already exists", hint="choose another name")
    if path.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise OutputError(f"{path} does not end in .png or .jpg", hint=f"write to {path.with_suffix('.png').name}")
    with _as_output_error(path):
        handle, draft = tempfile.mkstemp(prefix=DRAFT, suffix=path.suffix, dir=path.absolute().parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(encoded(pixels, path.suffix.lower()))
            os.chmod(draft, 0o666 & ~_umask())  # noqa: PTH101 (mkstemp made it private)
            os.replace(draft, path)  # noqa: PTH105 (Path.replace hides that it overwrites)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(draft)  # noqa: PTH108


def encoded(pixels: Pixels, suffix: str, *, quality: int = 90, sharp: bool = False) -> bytes:
    """RGB or RGBA pixels as the bytes of a ``.jpg``, ``.png`` or ``.webp`` file.

    ``sharp`` keeps the colours of single pixels in JPEG.
    """
    import cv2  # a tenth of a second, which bad options need not wait for

    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444 if sharp else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
    parameters = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling],
        ".webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
        # A third of the time of the default settings, for files 8% larger.
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG],
    }.get(suffix, [])
    # OpenCV's order of channels; the fourth stays the last.
    done, data = cv2.imencode(suffix, np.concatenate([pixels[..., 2::-1], pixels[..., 3:]], axis=-1), parameters)
    if not done:
        raise OutputError(f"a picture of {pixels.shape} can't be encoded as {suffix}")
    return bytes(data)


def decoded(data: bytes) -> Pixels:
    """The RGB pixels of a picture that `encoded` made."""
    import cv2

    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


def guarded(cell: str | float) -> str | float:
    """A cell of a table that no spreadsheet takes for a formula: text that looks like one gets an apostrophe.

    Examples
    --------
    >>> guarded("=1+1"), guarded("tabby"), guarded(-1.5)
    ("'=1+1", 'tabby', -1.5)
    """
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in FORMULA else cell


def _slug(stem: str) -> str:
    plain = unicodedata.normalize("NFC", stem.encode("utf-8", "replace").decode())
    slug = re.sub(r"[^\w-]+", "-", plain).strip("-_") or "image"
    return slug.encode()[:MAX_SLUG].decode(errors="ignore")


def safe_part(text: str) -> str:
    """A layer path or class name as part of a file name."""
    return _slug(text.replace("/", "-"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _exchange(draft: Path, out: Path) -> None:
    """Swap two folders in one step where the system can, else move the old one aside first."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        done = libc.renameat2(AT_FDCWD, os.fsencode(draft), AT_FDCWD, os.fsencode(out.absolute()), RENAME_EXCHANGE)
        if done == 0:
            return
        if ctypes.get_errno() not in {errno.EINVAL, errno.ENOSYS}:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    aside = draft.with_name(draft.name + "-old")
    out.rename(aside)
    try:
        draft.rename(out)
    except OSError:
        aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def _as_output_error(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"can't write {out}: {error.strerror or error}", hint="choose another --out") from error
