"""Picture files of every format and mode, whole and damaged in many places, and files that are no pictures."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
from picture_files import png
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

KINDS = {
    "jpg": ("JPEG", ("RGB", "L", "CMYK")),
    "png": ("PNG", ("RGB", "RGBA", "L", "LA", "P", "1", "I;16")),
    "webp": ("WEBP", ("RGB", "RGBA")),
    "bmp": ("BMP", ("RGB", "L", "P", "1")),
    "gif": ("GIF", ("RGB", "L", "P", "1")),
    "tif": ("TIFF", ("RGB", "RGBA", "L", "LA", "P", "1", "I;16", "I", "F", "CMYK", "LAB")),
}
PARTS = 8
"""In how many places a file is cut and spoiled."""
OTHERS = {
    "empty.jpg": b"",
    "one-byte.png": b"\x89",
    "zeros.jpg": bytes(4096),
    "text.png": b"no picture at all\n",
    "page.html": b"<!doctype html><title>404</title>",
    "vector.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "vector.png": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><svg>&b;</svg>',
    "paper.pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF",
    "script.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n",
    "huge.png": png(40_000, 40_000),
    "endless.png": png(2**31 - 1, 2**31 - 1),
    "flat.png": png(0, 5),
    "no-rows.png": png(5, 5),
}


def make(folder: Path) -> None:
    """Write them all; the same each time."""
    rng = np.random.default_rng(0)
    for suffix, (kind, modes) in KINDS.items():
        for mode in modes:
            data = _saved(_picture(rng, mode), kind)
            name = f"{mode.replace(';', '').lower()}"
            (folder / f"{name}.{suffix}").write_bytes(data)
            for part in range(1, PARTS):
                at = len(data) * part // PARTS
                (folder / f"{name}-cut{part}.{suffix}").write_bytes(data[:at])
                spoiled = bytearray(data)
                spoiled[at : at + 4] = rng.bytes(4)
                (folder / f"{name}-spoiled{part}.{suffix}").write_bytes(spoiled)
        # The header decides most: each of its first bytes turned over.
        for at in range(0, 48, 3):
            spoiled = bytearray(data)
            spoiled[at] ^= 0xFF
            (folder / f"head{at}.{suffix}").write_bytes(spoiled)
    frames = [Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)) for _ in range(3)]
    for suffix in ("gif", "tif", "png", "webp"):
        data = _saved(frames[0], KINDS[suffix][0], save_all=True, append_images=frames[1:])
        for part in range(1, PARTS + 1):
            (folder / f"frames{part}.{suffix}").write_bytes(data[: len(data) * part // PARTS])
    for orientation in range(10):
        exif = Image.Exif()
        exif[0x0112] = orientation
        (folder / f"turned{orientation}.jpg").write_bytes(_saved(frames[0], "JPEG", exif=exif))
    for name, data in OTHERS.items():
        (folder / name).write_bytes(data)
    for number in range(40):
        # The first bytes of a picture, and then anything.
        head = (
            b"\xff\xd8\xff\xe0",
            b"\x89PNG\r\n\x1a\n",
            b"GIF89a",
            b"II*\0\x08\0\0\0",
            b"BM",
            b"RIFF\xff\0\0\0WEBPVP8 ",
        )
        (folder / f"noise{number}.jpg").write_bytes(head[number % len(head)] + rng.bytes(300))
    loop = b"II*\0" + struct.pack("<IHI", 8, 0, 8)  # a TIFF whose second page is its first
    (folder / "loop.tif").write_bytes(loop)


def _picture(rng: np.random.Generator, mode: str) -> Image.Image:
    shape = (24, 20)
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, shape, np.uint16))
    if mode == "I":
        return Image.fromarray(rng.integers(-9, 10**6, shape, np.int32))
    if mode == "F":
        return Image.fromarray(rng.normal(size=shape).astype(np.float32))
    if mode == "LAB":
        return Image.frombytes("LAB", shape[::-1], rng.bytes(24 * 20 * 3))
    return (
        Image.fromarray(rng.integers(0, 256, (*shape, 4), np.uint8))
        .convert("RGB" if mode == "CMYK" else mode)
        .convert(mode)
    )


def _saved(picture: Image.Image, kind: str, **how: object) -> bytes:
    file = io.BytesIO()
    if kind == "JPEG" and picture.mode not in {"RGB", "L", "CMYK"}:
        picture = picture.convert("RGB")
    picture.save(file, kind, **how)
    return file.getvalue()
