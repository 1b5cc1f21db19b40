"""Pictures from files: finding them, and decoding them upright to RGB, 8 bits."""

from __future__ import annotations

import glob
import hashlib
import io
import os
import re
import stat
import string
import struct
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL
from PIL import Image as Pillow
from PIL import ImageOps

from xcnn.errors import ImageError, UsageError
from xcnn.plugin import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from xcnn.values import Pixels

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
MAX_PIXELS = 64_000_000
DEEP = {"I;16": 65535, "I;16B": 65535, "I;16L": 65535, "I;16N": 65535}

DAMAGE = (OSError, ValueError, SyntaxError, EOFError, MemoryError, IndexError, KeyError, TypeError, struct.error)
"""What Pillow's decoders raise for damaged files."""


def find(patterns: Sequence[str]) -> list[str]:
    """List the picture files that paths, globs and folders stand for, each once.

    A folder stands for the pictures in it, by suffix, in natural order. A literal name wins over a glob. A name that
    matches nothing is kept, so that it becomes a failure of its own beside others.

    Raises
    ------
    UsageError
        If there is no picture at all.
    """
    found: dict[str, str] = {}  # "x.jpg" and "./x.jpg" are one file; the first spelling is kept
    missing: set[str] = set()
    for pattern in patterns:
        path = Path(pattern)
        if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises when a name is too long or may not be looked at)
            # Not the hidden ones: macOS leaves a "._cat.jpg" that is no picture beside each "cat.jpg".
            names = (entry.name for entry in os.scandir(path) if entry.is_file() and not entry.name.startswith("."))
            matches = [str(path / name) for name in sorted(names, key=natural) if Path(name).suffix.lower() in SUFFIXES]
        elif os.path.lexists(path):
            matches = [pattern]
        else:
            matches = sorted(filter(os.path.isfile, glob.iglob(pattern, recursive=True)), key=natural)  # noqa: PTH207 (absolute patterns, too)
        missing |= set() if matches else {os.path.normpath(pattern)}
        for name in matches or [pattern]:
            found.setdefault(os.path.normpath(name), name)
    if len(found) == len(missing):
        raise UsageError(_nothing(list(found.values())))
    return list(found.values())


def _nothing(patterns: Sequence[str]) -> str:
    if not patterns:
        return "no image was given"
    first = patterns[0]
    if os.path.isdir(first):  # noqa: PTH112 (as above)
        return f"there is no picture in the folder {first}"
    what = "no file matches" if any(sign in first for sign in "*?[") else "there is no file"
    more = f" (and {len(patterns) - 1} more)" if len(patterns) > 1 else ""
    return f"{what} {first}{more}"


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key that puts ``img2`` before ``img10``, and tells ``img1`` from ``img01``."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part[0] in string.digits else (1, 0, part) for part in parts if part], name


def read(path: str) -> Image:
    """Decode one picture to upright RGB.

    Raises
    ------
    ImageError
        If it is missing, no regular file, too large, no picture, or damaged.
    """
    data = _bytes(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about odd metadata; damage is an error below
        try:
            with Pillow.open(io.BytesIO(data), formats=FORMATS) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise ImageError(
                        f"{path} has {picture.width * picture.height / 1e6:.0f} megapixels; the limit is "
                        f"{MAX_PIXELS / 1e6:.0f}",
                        hint="shrink it first",
                    )
                pixels, notes, rgba = _decoded(picture)
        except PIL.UnidentifiedImageError:
            raise ImageError(f"{path} is not a picture that xcnn reads", hint=f"use {', '.join(FORMATS)}") from None
        except Pillow.DecompressionBombError:
            raise ImageError(
                f"{path} has more than {2 * (Pillow.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} megapixels; the limit is "
                f"{MAX_PIXELS / 1e6:.0f}",
                hint="shrink it first",
            ) from None
        except DAMAGE as error:
            raise ImageError(f"{path} is damaged or truncated: {error}", hint="copy or export it again") from error
    return Image(path, hashlib.sha256(data).hexdigest(), pixels.shape[:2], notes, pixels, rgba)


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
        values = np.load(io.BytesIO(_bytes(path)), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ImageError(f"{path} holds no array of numbers: {error}") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub" or not np.isfinite(values).all():
        raise ImageError(f"{path} holds no array of finite numbers")
    return values.astype(np.float32)


def _bytes(path: str) -> bytes:
    try:
        # Before opening: a FIFO or a device would block or never end.
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a folder without a picture" if stat.S_ISDIR(mode) else "no regular file"
            raise ImageError(f"{path} is {what}")
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise ImageError(f"can't read {path}: {getattr(error, 'strerror', None) or error}") from error
    if not data:
        raise ImageError(f"{path} is empty")
    return data


def _decoded(picture: Any) -> tuple[Pixels, tuple[str, ...], Pixels | None]:
    """Upright RGB, what to know about it, and RGBA where parts are transparent."""
    notes = []
    rgba = None
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        notes.append(f"the first of {frames} frames")
    if picture.mode in DEEP or picture.mode in {"I", "F"}:
        notes.append("scaled from more than 8 bits")
        upright = np.asarray(ImageOps.exif_transpose(picture), np.float64)
        return _eight_bits(upright, DEEP.get(picture.mode)), tuple(notes), None
    picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        if picture.getextrema()[3][0] < 255:  # noqa: PLR2004 (opaque)
            notes.append("transparent parts shown on white")
            rgba = np.asarray(picture)
        white = Pillow.new("RGBA", picture.size, "white")
        picture = Pillow.alpha_composite(white, picture)
    return np.asarray(picture.convert("RGB")), tuple(notes), rgba


def _eight_bits(values: np.ndarray, full: int | None) -> Pixels:
    """Scale deep gray values to 0..255: by their nominal range, or by their own where there is none."""
    if not np.isfinite(values).all():
        raise ValueError("it has pixels that are not finite")
    if full is None and values.min() >= 0 and values.max() <= 65535 and values.max() > 255:  # noqa: PLR2004
        full = 65535
    low, high = (0.0, float(full)) if full else (float(min(values.min(), 0)), float(max(values.max(), 1)))
    gray = np.rint((values - low) * (255 / (high - low))).astype(np.uint8)
    return np.repeat(gray[..., np.newaxis], 3, axis=2)


def from_array(pixels: Any, name: str) -> Image:
    """Take a picture from memory.

    Parameters
    ----------
    pixels : (h, w, 3), (h, w, 4), (h, w, 1) or (h, w) uint8 ndarray
        RGB, RGBA or gray.
    name : str
        What to call it.

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
        rgb = np.rint(array[..., :3] * opaque + 255 * (1 - opaque)).astype(np.uint8)
        return Image(
            name, digest, rgb.shape[:2], ("from memory", "transparent parts shown on white"), rgb, array.copy()
        )
    # A copy: what the caller does to the array later must not change what was explained.
    rgb = np.array(np.broadcast_to(array, (*array.shape[:2], 3)), order="C")
    return Image(name, digest, rgb.shape[:2], ("from memory",), rgb)


def without_pixels(image: Image) -> Image:
    """The same image, its pixels dropped."""
    return replace(image, pixels=None, rgba=None)
