"""Run folders, written all or nothing: built beside their place under a temporary name, then put there."""

from __future__ import annotations

import contextlib
import csv
import errno
import hashlib
import io
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
from xcnn.io import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from xcnn.values import Pixels

MAX_SLUG = 80
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a formula of a spreadsheet begins with."""
FULL = {errno.ENOSPC, errno.EDQUOT}


class Draft:
    """A run folder in the making.

    ``publish`` puts it in its place; leaving the context without that removes it.
    """

    def __init__(self, out: Path, *, overwrite: bool, inputs: Iterable[str] = ()) -> None:
        places.settle(out)
        places.check(out, overwrite=overwrite, inputs=inputs)
        self.out = out
        self._instead_of = places.standing(out)
        self._names: set[str] = set()
        self._made = [parent for parent in out.absolute().parents if not parent.exists()]
        with as_output_error(out):
            out.absolute().parent.mkdir(parents=True, exist_ok=True)
            self.folder, self._lock = places.new_draft(out)
            # It is made private; a result is as readable as any other file of the user.
            self.folder.chmod(0o777 & ~_umask())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)
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
        return self.write_bytes(name, encoded(pixels, Path(name).suffix, quality=quality))

    def write_table(self, name: str, headings: Sequence[str], rows: Iterable[Sequence[str | float]]) -> str:
        """Write rows under headings as .csv."""
        with (
            self.writing(),
            (self.folder / name).open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            writer = csv.writer(file)
            writer.writerows([guarded(cell) for cell in row] for row in itertools.chain([headings], rows))
        return name

    def write_values(self, name: str, values: NDArray[Any]) -> str:
        """Write an array as .npy."""
        data = io.BytesIO()  # NumPy does not tell why it could not write to a file
        np.save(data, values, allow_pickle=False)
        return self.write_bytes(name, data.getbuffer())

    def write_bytes(self, name: str, data: bytes | memoryview) -> str:
        """Write a file as it is."""
        with self.writing():
            (self.folder / name).write_bytes(data)
        return name

    def values(self, name: str) -> NDArray[Any]:
        """Read an array of this folder again, by the name it was written under."""
        if name not in self.files():
            raise KeyError(name)
        return np.asarray(np.load(self.folder / name, allow_pickle=False))

    def write_state(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> str:
        """Write named arrays as .npz."""
        # The names are a plugin's: as keywords they could not be "file".
        with self.writing(), zipfile.ZipFile(self.folder / name, "w") as archive:
            for part, values in arrays.items():
                with archive.open(f"{part}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, np.asarray(values), allow_pickle=False)
        return name

    def write_json(self, name: str, data: Any) -> None:
        """Write JSON in ASCII, so that any file name survives."""
        text = json.dumps(data, indent=1, allow_nan=False)
        with self.writing():
            (self.folder / name).write_text(text + "\n", "ascii")

    def files(self) -> list[str]:
        """The names of what has been written so far."""
        return sorted(path.name for path in self.folder.iterdir())

    def hashes(self) -> dict[str, str]:
        """The SHA-256 of what has been written so far, by name."""
        found = {}
        with self.writing():
            for name in self.files():
                with (self.folder / name).open("rb") as file:
                    found[name] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def writing(self) -> contextlib.AbstractContextManager[None]:
        """Make the failure of writing to the folder an `OutputError`."""
        return as_output_error(self.out, self.folder)

    def publish(self) -> Path:
        """Put the draft in its place; what stood there stays whole until then."""
        with self.writing():
            places.put(self.folder, self.out, instead_of=self._instead_of)
        return self.out


def write_alone(path: Path, pixels: Pixels) -> None:
    """Write one picture outside of a run folder, whole or not at all; OutputError when it exists or can't be."""
    if os.path.lexists(path):
        raise OutputError(f"{path} already exists", hint="choose another name")
    if path.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise OutputError(f"{path} does not end in .png or .jpg", hint=f"write to {path.with_suffix('.png').name}")
    places.settle(path)
    with as_output_error(path):
        handle, draft = tempfile.mkstemp(prefix=places.draft_name(path), suffix=path.suffix, dir=path.absolute().parent)
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


@contextlib.contextmanager
def as_output_error(out: Path, folder: Path | None = None) -> Iterator[None]:
    """Make the failure of writing an `OutputError`: what is in the way, and how much ``folder`` has taken so far."""
    try:
        yield
    except OSError as error:
        what, hint = error.strerror or str(error), "choose another --out"
        if error.errno in FULL:
            what, hint = f"{what}{_room(folder or out.parent)}", "free some space, or choose an --out on another disk"
        elif error.errno == errno.EFBIG:
            hint = "raise the limit for the size of files: ulimit -f"
        raise OutputError(f"can't write {out}: {what}", hint=hint) from error


def _room(folder: Path) -> str:
    """How many bytes of a draft are written, and how many are free, in words."""
    try:
        files = os.scandir(folder) if folder.name.startswith(places.DRAFT) else ()
        written = sum(entry.stat().st_size for entry in files)
        free = shutil.disk_usage(folder).free
    except OSError:
        return ""
    return f" ({written / 1e6:.1f} MB were written, and more are needed; {free / 1e6:.1f} MB are free)"
