"""Decoding of picture files with Pillow, whatever they hold: upright, RGB, 8 bits, and what to know about it."""

from __future__ import annotations

import io
import logging
import os
import struct
import tempfile
import warnings
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import PIL
from PIL import Image as Pillow
from PIL import ImageChops, ImageFile

from xcnn.errors import ImageError, plain_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from xcnn.io.reading import Reading
    from xcnn.values import Pixels

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
OTHERS = {
    b"%PDF": "a PDF document", b"%!PS": "PostScript", b"\xc5\xd0\xd3\xc6": "PostScript", b"<svg": "an SVG drawing",
    b"8BPS": "a Photoshop file", b"\x00\x00\x01\x00": "an icon", b"RIFF": "sound or video", b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cjP": "JPEG 2000", b"\xff\x4f\xff\x51": "JPEG 2000", b"PK\x03\x04": "an archive",
}  # fmt: skip
"""What files begin with that are often taken for pictures."""
DEEP = {"I;16", "I;16B", "I;16L", "I;16N", "I", "F"}
"""Modes of more than 8 bits."""
BRANDS = {
    "AVIF": {b"avif", b"avis"},
    "HEIC": {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"},
    "a video": {b"isom", b"iso2", b"mp41", b"mp42", b"M4V ", b"qt  "},
}
"""What containers of the kind of MP4 hold, by their brand."""
BITS, PHOTOMETRIC = 258, 262
"""Tags of TIFF: the bits of a number, and what it stands for."""
WHITE_IS_ZERO = 0
ORIENTATION = 0x0112
TURNS = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT, 3: Pillow.Transpose.ROTATE_180, 4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE, 6: Pillow.Transpose.ROTATE_270, 7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}  # fmt: skip
"""What makes a picture upright, by its EXIF orientation."""
DAMAGE = (
    OSError, ValueError, SyntaxError, EOFError, MemoryError, LookupError, TypeError, AttributeError, ArithmeticError,
    struct.error, zlib.error,
)  # fmt: skip
"""What Pillow's decoders raise for damaged files."""
HEAD = 512

# Pillow logs what it also raises; without a handler that would be a stray line on standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())


@contextmanager
def opened(file: IO[bytes], path: str, how: Reading) -> Iterator[Any]:
    """Open a picture by its content, nothing decoded; what is wrong with it, in the context too, is an ImageError."""
    before = Pillow.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns about odd metadata; damage is an error below
        Pillow.MAX_IMAGE_PIXELS = None  # for the header alone, so that the size can be told
        try:
            with Pillow.open(file, formats=FORMATS) as picture:
                _refuse_large(picture.size, path, how)
                # Frames may be larger than the header says. Pillow raises above twice this number.
                Pillow.MAX_IMAGE_PIXELS = max(round(how.max_megapixels * 0.5e6), 1)
                yield picture
        except PIL.UnidentifiedImageError:
            raise _foreign(file, path) from None
        except Pillow.DecompressionBombError:
            raise ImageError(
                f"{path} has a frame of more than {how.max_megapixels:g} megapixels, the limit",
                hint="shrink it first, or raise --max-megapixels",
            ) from None
        except DAMAGE as error:
            words = plain_words(error) or type(error).__name__
            what = "of a kind that can't be decoded" if "support" in words.lower() else "damaged or truncated"
            raise ImageError(f"{path} is {what}: {words}", hint="copy or export it again") from error
        finally:
            Pillow.MAX_IMAGE_PIXELS = before


def _refuse_large(size: tuple[int, int], path: str, how: Reading) -> None:
    if size[0] * size[1] > how.max_megapixels * 1e6:
        megapixels = f"{size[0] * size[1] / 1e6:,.1f}".removesuffix(".0")
        raise ImageError(
            f"{path} has {megapixels} megapixels ({size[0]}x{size[1]}); the limit is {how.max_megapixels:g}",
            hint="shrink it first, or raise --max-megapixels",
        )


def _foreign(file: IO[bytes], path: str) -> ImageError:
    """Say what a file is instead of a picture, where its first bytes tell."""
    file.seek(0)
    head = file.read(HEAD).lstrip()
    what = next((words for signs, words in OTHERS.items() if head.startswith(signs)), "")
    if head.startswith(b"<?xml") and b"<svg" in head:
        what = "an SVG drawing"
    if head[4:8] == b"ftyp":
        what = next((words for words, brands in BRANDS.items() if head[8:12] in brands), "")
    words = f"is {what}, not" if what else "is not"
    return ImageError(f"{path} {words} a picture that xcnn reads", hint=f"use {', '.join(FORMATS)}")


def decoded(data: bytes, path: str, how: Reading) -> tuple[Pixels, Pixels | None, tuple[str, ...]]:
    """Decode a picture.

    Returns
    -------
    (h, w, 3) uint8 ndarray
        RGB, upright.
    (h, w, 4) uint8 ndarray or None
        RGBA where parts are transparent.
    tuple of str
        What to know about it.

    Raises
    ------
    ImageError
        If it is no picture, too large, or damaged.
    """
    try:
        return _whole(data, path, how)
    except ImageError as error:
        if not how.allow_truncated or not isinstance(error.__cause__, DAMAGE):
            raise
        words = plain_words(error.__cause__)
    with _lenient():
        pixels, rgba, notes = _whole(data, path, how)
    return pixels, rgba, (f"damaged or truncated, only a part of it could be read: {words}", *notes)


@contextmanager
def _lenient() -> Iterator[None]:
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def _whole(data: bytes, path: str, how: Reading) -> tuple[Pixels, Pixels | None, tuple[str, ...]]:
    with opened(io.BytesIO(data), path, how) as picture:
        notes = _framed(picture, path, how)
        if picture.mode == "LAB":
            raise ImageError(f"{path} has Lab colours, which xcnn does not read", hint="export it as RGB")
        if _profiled(picture.info.get("icc_profile")):
            notes.append("its colour profile is ignored: the colours are taken as sRGB")
        with _overheard(picture.format) as said:
            picture.load()
        if said:
            notes.append(f"its decoder complained, so that parts of it may be wrong: {said[0]}")
        if picture.mode in DEEP:
            notes.append("scaled from more than 8 bits")
            tags = getattr(picture, "tag_v2", {})  # of TIFF alone
            white = 2.0 ** tags.get(BITS, (16,))[0] - 1 if picture.mode.startswith("I;16") else None
            pixels, clear = _deep(_upright(picture, notes), white, picture.info.get("transparency"))
            if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:  # which Pillow heeds only up to 8 bits
                pixels = 255 - pixels
            rgba = np.dstack([pixels, np.where(clear, 0, 255).astype(np.uint8)]) if clear.any() else None
            pixels[clear] = how.colour
        else:
            pixels, rgba = _shallow(picture, notes, how)
        if rgba is not None:
            notes.append(how.shown_on)
        return pixels, rgba, tuple(notes)


@contextmanager
def _overheard(kind: str) -> Iterator[list[str]]:
    """Catch what the decoder of TIFF writes to file descriptor 2, past Python: damage that it does not stop at."""
    said: list[str] = []
    try:
        kept = os.dup(2) if kind == "TIFF" else -1
    except OSError:  # closed by the user: nothing is written anyway
        kept = -1
    if kept < 0:
        yield said
        return
    with tempfile.TemporaryFile() as file:
        try:
            os.dup2(file.fileno(), 2)
            yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            said += file.read(HEAD).decode("ascii", "replace").splitlines()


def _framed(picture: Any, path: str, how: Reading) -> list[str]:
    """Go to the frame that is wanted, and tell which it is of several."""
    frames = getattr(picture, "n_frames", 1)
    if how.frame > frames:
        count = "one frame" if frames == 1 else f"{frames} frames"
        raise ImageError(f"{path} has {count}, so there is no frame {how.frame}", hint="choose another --frame")
    if frames == 1:
        return []
    picture.seek(how.frame - 1)
    _refuse_large(picture.size, path, how)
    return [f"frame {how.frame} of {frames}" if how.frame > 1 else f"the first of {frames} frames"]


def _profiled(profile: bytes | None) -> bool:
    """Whether a colour profile says something else than sRGB; its name is in it, in one of two encodings."""
    return bool(profile) and not any("sRGB".encode(code) in (profile or b"") for code in ("ascii", "utf-16-be"))


def _upright(picture: Any, notes: list[str]) -> Any:
    """Turn a picture as its EXIF data says; damage of these data alone makes no picture unreadable."""
    try:
        turn = TURNS.get(picture.getexif().get(ORIENTATION))
    except DAMAGE:
        notes.append("its EXIF data is damaged: which side is up is not known")
        turn = None
    return picture if turn is None else picture.transpose(turn)


def _shallow(picture: Any, notes: list[str], how: Reading) -> tuple[Pixels, Pixels | None]:
    """RGB of a picture of 8 bits or less, and RGBA where parts are transparent."""
    upright = _upright(picture, notes)
    if picture.mode == "CMYK":
        notes.append("printing inks (CMYK) shown as RGB")
        if picture.format == "JPEG" and "adobe" not in picture.info:
            # Only what Adobe marked is inverted, and Pillow takes every JPEG for that.
            upright = ImageChops.invert(upright)
    if not picture.has_transparency_data:
        return np.asarray(upright if upright.mode == "RGB" else upright.convert("RGB")), None
    upright = upright.convert("RGBA")
    rgba = np.asarray(upright) if upright.getextrema()[3][0] < 255 else None  # noqa: PLR2004 (opaque)
    return np.asarray(Pillow.alpha_composite(Pillow.new("RGBA", upright.size, how.colour), upright))[..., :3], rgba


def _deep(picture: Any, white: float | None, key: Any) -> tuple[Pixels, NDArray[np.bool_]]:
    """Scale gray values of more than 8 bits to 0..255, by their white or else by their own range.

    Parameters
    ----------
    picture : PIL.Image.Image
        In one of the modes of `DEEP`.
    white : float or None
        The number that stands for white, if any does.
    key : int or None
        The number that stands for transparency, if any does.

    Returns
    -------
    (h, w, 3) uint8 ndarray
        Gray.
    (h, w) bool ndarray
        Where it is transparent.
    """
    values = np.asarray(picture, np.float64)
    if not np.isfinite(values).all():
        raise ValueError("it has pixels that are not finite")
    least, most = float(values.min()), float(values.max())
    if white is None and least >= 0:
        # Numbers without a nominal range: those that are usual. A float above 255 has none.
        usual = (1.0, 255.0, 65535.0) if picture.mode == "I" else (1.0, 255.0)
        white = next((end for end in usual if most <= end), None)
    low, high = (0.0, white) if white else (min(least, 0.0), max(most, 1.0))
    gray = np.rint((values - low) * (255 / (high - low))).astype(np.uint8)
    clear = values == key if isinstance(key, int) else np.zeros(values.shape, bool)
    return np.repeat(gray[..., np.newaxis], 3, axis=2), clear
