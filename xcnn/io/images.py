"""Pictures from files and from memory, upright, RGB, 8 bits."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from xcnn.errors import ImageError
from xcnn.io.decoding import decoded, opened
from xcnn.io.reading import PLAIN, Reading
from xcnn.plugin import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from xcnn.values import Pixels

MOST_BYTES = 16
"""Bytes of a file for each pixel that may be decoded: four channels of 32 bits."""
SLACK = 64 * 2**20
"""Bytes that a file may have beside its pixels."""
BLOCK = 2**20
LARGE = 32_000_000
"""Pixels of pictures that are held at once, and one more picture."""


def read(path: str, how: Reading = PLAIN, *, name: str = "") -> Image:
    """Decode one picture to upright RGB.

    Parameters
    ----------
    path : str
        The file.
    how : Reading
        Background, frame, and limits.
    name : str
        What to call it, where that is not its path.

    Raises
    ------
    ImageError
        If it is missing, no regular file, too large, no picture, or damaged.
    """
    name = name or path
    with _plausible(path, name, how) as file:
        data = _all(file, name)
    pixels, rgba, notes = decoded(data, name, how)
    return Image(name, hashlib.sha256(data).hexdigest(), pixels.shape[:2], notes, pixels, rgba)


def glance(path: str, how: Reading = PLAIN, *, name: str = "") -> None:
    """Refuse by its header what `read` would refuse anyway; nothing is decoded."""
    with _plausible(path, name or path, how):
        pass


@contextmanager
def _plausible(path: str, name: str, how: Reading) -> Iterator[BinaryIO]:
    """Open a file whose header is that of a picture within the limits."""
    with _file(path, name) as file:
        size = os.fstat(file.fileno()).st_size
        with opened(file, name, how):
            pass
        if size > how.max_megapixels * 1e6 * MOST_BYTES + SLACK:
            raise ImageError(
                f"{name} has {size / 2**20:.0f} MB, more than any picture of {how.max_megapixels:g} megapixels",
                hint="raise --max-megapixels",
            )
        file.seek(0)
        yield file


def sha256(path: str, how: Reading = PLAIN) -> str:
    """The hash of a file, as `read` tells it; "" where that would refuse the file unread."""
    with suppress(ImageError), _file(path, path) as file:
        if os.fstat(file.fileno()).st_size <= how.max_megapixels * 1e6 * MOST_BYTES + SLACK:
            hashed = hashlib.sha256()
            while block := file.read(BLOCK):
                hashed.update(block)
            return hashed.hexdigest()
    return ""


def chunks(
    todo: Sequence[Any], how: Reading, *, size: int, failed: Callable[[str, ImageError], None]
) -> Iterator[list[Image]]:
    """Read pictures, `size` at a time; fewer when they are so large that memory would not be flat.

    Parameters
    ----------
    todo : sequence of str, (str, str) or ndarray
        Files, files and what to call them, or arrays as `from_array` takes them.
    how : Reading
        Background, frame, and limits.
    size : int
        The most at a time.
    failed : callable
        Is told the name of each that can't be read, and why.
    """
    good: list[Image] = []
    for number, one in enumerate(todo):
        file, name = _names(one, number)
        try:
            good.append(from_array(one, name, how) if file is None else read(file, how, name=name))
        except ImageError as error:
            failed(name, error)
        except MemoryError:
            hint = "close other programs, or refuse such pictures with --max-megapixels"
            failed(name, ImageError(f"{name} needs more memory than there is", hint=hint))
        if len(good) == size or sum(image.size[0] * image.size[1] for image in good) >= LARGE:
            yield good
            good = []
    if good:
        yield good


def _names(one: Any, number: int) -> tuple[str | None, str]:
    """The file of a picture, if it is in one, and what to call it."""
    if isinstance(one, str):
        return one, one
    if isinstance(one, tuple) and all(isinstance(part, str) for part in one):
        return one[0], one[1]
    return None, f"array-{number}"


def fitted(image: Image, size: tuple[int, int], how: str) -> Image:
    """Give an image the shape of a network's input, so that resizing it changes no proportion.

    Parameters
    ----------
    image : Image
        With its pixels.
    size : (height, width)
        Of the network's input; only their ratio counts.
    how : str
        "crop" keeps the middle, "pad" adds black, "stretch" leaves it to the resizing.
    """
    height, width = image.size
    if how == "stretch" or height * size[1] == width * size[0]:
        return image
    wider = width * size[0] > height * size[1]
    across, along = (height * size[1] / size[0], width * size[0] / size[1])
    if how == "crop":
        new = (height, max(round(across), 1)) if wider else (max(round(along), 1), width)
        note = f"the middle {new[1]}x{new[0]} of {width}x{height} px"
    else:
        new = (max(round(along), 1), width) if wider else (height, max(round(across), 1))
        note = f"padded from {width}x{height} px"
    pixels, rgba = (None if values is None else _placed(values, new) for values in (image.pixels, image.rgba))
    return replace(image, size=new, notes=(*image.notes, note), pixels=pixels, rgba=rgba)


def _placed(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """The middle of a picture, or the picture in the middle of black."""
    for axis, side in enumerate(size):
        spare = side - pixels.shape[axis]
        if spare < 0:
            pixels = pixels.take(range(-spare // 2, -spare // 2 + side), axis=axis)
        elif spare > 0:
            edges = [(0, 0)] * pixels.ndim
            edges[axis] = (spare // 2, spare - spare // 2)
            pixels = np.pad(pixels, edges)
    return pixels


def numbers(path: str) -> NDArray[np.float32]:
    """Read the numbers of a ``.npy`` file; ImageError when it holds anything else."""
    try:
        with _file(path, path) as file:
            values = np.load(io.BytesIO(_all(file, path)), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ImageError(f"{path} holds no array of numbers: {error}") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub" or not np.isfinite(values).all():
        raise ImageError(f"{path} holds no array of finite numbers")
    return values.astype(np.float32)


@contextmanager
def _file(path: str, name: str) -> Iterator[BinaryIO]:
    """Open a regular file that is not empty."""
    try:
        # Before opening: a FIFO or a device would block or never end.
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder without a picture" if stat.S_ISDIR(mode) else "no regular file"
            raise ImageError(f"{name} is {what}")
        file = Path(path).open("rb")  # noqa: SIM115 (closed below)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ImageError(f"can't read {name}: {getattr(error, 'strerror', None) or error}") from error
    with file:
        if not os.fstat(file.fileno()).st_size:
            raise ImageError(f"{name} is empty")
        yield file


def _all(file: BinaryIO, name: str) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise ImageError(f"can't read {name}: {error.strerror}") from error


def from_array(pixels: Any, name: str, how: Reading = PLAIN) -> Image:
    """Take a picture from memory.

    Parameters
    ----------
    pixels : (h, w, 3), (h, w, 4), (h, w, 1) or (h, w) uint8 ndarray
        RGB, RGBA or gray.
    name : str
        What to call it.
    how : Reading
        Its background counts.

    Raises
    ------
    ImageError
        For another shape or type.
    """
    array = np.asarray(pixels)
    if array.dtype != np.uint8:
        raise ImageError(f"{name} has type {array.dtype}; xcnn takes uint8 pixels in 0..255")
    if array.ndim == 2:  # noqa: PLR2004 (gray)
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[2] not in {1, 3, 4} or 0 in array.shape:  # noqa: PLR2004
        raise ImageError(f"{name} has shape {np.shape(pixels)}; xcnn takes (h, w, 3 or 4), (h, w, 1) or (h, w)")
    digest = hashlib.sha256(array.tobytes()).hexdigest()
    if array.shape[2] == 4:  # noqa: PLR2004 (RGBA)
        opaque = array[..., 3:] / np.float32(255)
        rgb = np.rint(array[..., :3] * opaque + np.array(how.colour, np.float32) * (1 - opaque)).astype(np.uint8)
        return Image(name, digest, rgb.shape[:2], ("from memory", how.shown_on), rgb, array.copy())
    # A copy: what the caller does to the array later must not change what was explained.
    rgb = np.array(np.broadcast_to(array, (*array.shape[:2], 3)), order="C")
    return Image(name, digest, rgb.shape[:2], ("from memory",), rgb)


def without_pixels(image: Image) -> Image:
    """The same image, its pixels dropped."""
    return replace(image, pixels=None, rgba=None)
